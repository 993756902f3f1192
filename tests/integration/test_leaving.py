"""Leaving the menus and the queue on the real Asterisk: to one agent, to a number, by a key, each with its faults."""

from __future__ import annotations

from typing import Any

import pytest

from acd.lab.callers import Call, CallPlan
from acd.lab.phones import Answer, Reject, Ring
from tests.integration.conftest import OUTSIDE, TRUNK, OpenStage
from tests.integration.stage import Stage, eventually
from tests.service.sites import MAIN

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

BRANCHES = ("busy", "not_ready", "no_answer", "unknown", "refused", "failed", "after")
ENDS = {name: {"type": "hangup", "prompt": "ended"} for name in BRANCHES}
NODES: dict[str, Any] = {
    **MAIN["nodes"],
    **ENDS,
    "anna": {
        "type": "agent",
        "agent": "anna",
        "next": "after",
        "on_busy": "busy",
        "on_not_ready": "not_ready",
        "on_no_answer": "no_answer",
        "on_failure": "failed",
    },
    "patient": {"type": "agent", "agent": "anna", "wait_s": "20", "on_failure": "failed"},
    "nobody": {"type": "agent", "agent": "{data.who}", "on_unknown": "unknown"},
    "branch": {
        "type": "transfer",
        "number": OUTSIDE[0],
        "ring_s": "2",
        "caller_id": "{call.dialled}",
        "next": "after",
        "on_busy": "busy",
        "on_no_answer": "no_answer",
        "on_refused": "refused",
        "on_failure": "failed",
    },
    "short": {"type": "transfer", "number": OUTSIDE[0], "longest_s": "1", "next": "after"},
    "fraud": {"type": "transfer", "number": "{call.caller}", "on_refused": "refused"},
    "inside": {"type": "transfer", "phone": "PJSIP/dora", "music": "default", "next": "after"},
    "ghost": {"type": "transfer", "phone": "PJSIP/ghost", "on_failure": "failed"},
}
NUMBERS = {
    "401": "main.anna",
    "402": "main.patient",
    "403": "main.nobody",
    "404": "main.branch",
    "405": "main.short",
    "406": "main.fraud",
    "407": "main.inside",
    "408": "main.ghost",
    "200": "main.cards",
    "300": "main.general",
    "default": "main",
}
SITE: dict[str, Any] = {
    "agents": {"anna": ["cards"], "bob": ["general"]},
    "routing": {"numbers": NUMBERS, "outbound": {"allowed": ["+4930"], "trunk": TRUNK}},
    "trees": {"main": {**MAIN, "prompts": {**MAIN["prompts"], "ended": {"en": {"text": "Bye."}}}, "nodes": NODES}},
}


async def node(s: Stage, name: str, call: int = 1) -> None:
    """Wait until a caller has come to a node."""

    async def told() -> bool:
        return len(s.engine.logged("menu step", f'"main.{name}"')) >= call

    await eventually(told, f"node {name}")


async def ended_by_engine(call: Call) -> None:
    await call.ended(15)
    assert not call.hung_up_by_caller


async def test_one_agent_and_each_way_of_not_reaching_her(stage: OpenStage) -> None:
    async with stage(**SITE) as s:
        phone = s.phones["anna"]
        phone.behaviour = Answer()
        call = await s.place(CallPlan("401"))
        talk = await phone.offered()
        await talk.answered()
        await s.talking(1)
        second = await s.place(CallPlan("401"))
        await node(s, "busy")
        await ended_by_engine(second)
        await talk.hang_up()
        await node(s, "after")
        await ended_by_engine(call)

        phone.behaviour = Reject(486)
        await ended_by_engine(await s.place(CallPlan("401")))
        await node(s, "busy", 2)
        await s.engine.agent("anna", "back-off", "rejected")

        await s.engine.post("/api/agents/anna/ready")
        phone.behaviour = Ring()
        await ended_by_engine(await s.place(CallPlan("401")))
        await node(s, "no_answer")
        await s.engine.agent("anna", "back-off", "missed")

        await s.engine.post("/api/agents/anna/not-ready")
        await ended_by_engine(await s.place(CallPlan("401")))
        await node(s, "not_ready")
        await ended_by_engine(await s.place(CallPlan("403")))
        await node(s, "unknown")
        await s.empty()


async def test_a_busy_agent_is_waited_for_and_nobody_else_gets_the_call(stage: OpenStage) -> None:
    site = {**SITE, "agents": {"anna": ["cards"], "bob": ["cards"]}}
    async with stage(**site, behaviour=Answer()) as s:
        await s.engine.post("/api/agents/bob/not-ready")
        first = await s.place(CallPlan("401"))
        talk = await s.phones["anna"].offered()
        await talk.answered()
        await s.talking(1)
        waits = await s.place(CallPlan("402", caller_number="+49302"))
        await s.waiting(1)
        await s.engine.post("/api/agents/bob/ready")
        ordinary = await s.place(CallPlan("200", caller_number="+49303"))
        assert (await s.phones["bob"].offered()).invite.from_user == "+49303", "the other call is for anna alone"
        s.engine.kill()
        await s.engine.wait()
        await s.engine.start()
        await s.engine.ready()
        await s.waiting(1)
        await talk.hang_up()
        await ended_by_engine(first)
        following = await s.phones["anna"].offered(2)
        assert following.invite.from_user == "+49302"
        await following.answered()
        await waits.hang_up()
        await ordinary.hang_up()
        await s.empty()


async def test_a_number_outside_and_each_fault(stage: OpenStage) -> None:
    async with stage(**SITE) as s:
        outside = s.phones[OUTSIDE[0]]
        outside.behaviour = Answer()
        call = await s.place(CallPlan("404"))
        there = await outside.offered()
        assert there.invite.from_user == "404", "the number that is shown"
        await there.answered()
        await there.hang_up()
        await node(s, "after")
        await ended_by_engine(call)

        outside.behaviour = Reject(486)
        await ended_by_engine(await s.place(CallPlan("404")))
        await node(s, "busy")
        outside.behaviour = Ring()
        await ended_by_engine(await s.place(CallPlan("404")))
        await node(s, "no_answer")
        outside.behaviour = Reject(503)
        await ended_by_engine(await s.place(CallPlan("404")))
        await node(s, "failed")

        outside.behaviour = Answer()
        await ended_by_engine(await s.place(CallPlan("405")))
        await node(s, "after", 2)
        await ended_by_engine(await s.place(CallPlan("406", caller_number="+881999")))
        await node(s, "refused")
        await ended_by_engine(await s.place(CallPlan("408")))
        await node(s, "failed", 2)
        await s.empty()


async def test_a_transfer_outlives_the_engine(stage: OpenStage) -> None:
    async with stage(**SITE) as s:
        s.phones["dora"].behaviour = Answer()
        call = await s.place(CallPlan("407"))
        there = await s.phones["dora"].offered()
        await there.answered()
        s.engine.kill()
        await s.engine.wait()
        assert there.end is None
        await s.engine.start()
        await s.engine.ready()
        await there.hang_up()
        await node(s, "after")
        await ended_by_engine(call)
        await s.empty()


async def test_a_caller_who_hangs_up_while_it_rings_leaves_nothing(stage: OpenStage) -> None:
    async with stage(**SITE) as s:
        call = await s.place(CallPlan("404"))
        there = await s.rings(OUTSIDE[0])
        await call.hang_up()
        await there.ended()
        call = await s.place(CallPlan("401"))
        there = await s.rings("anna")
        await call.hang_up()
        await there.ended()
        await s.empty()
        await s.engine.agent("anna", "ready")


KEYS: dict[str, Any] = {
    "cards": {
        "keys": {
            "1": {"menu": "main.after"},
            "2": {"queue": "general"},
            "3": {"number": OUTSIDE[0]},
            "4": {"number": OUTSIDE[1]},
            "5": {"voicemail": "100"},
            "9": {"closing": "ended"},
        },
        "while_waiting": [{"play": "keys", "after_s": "0.5", "every_s": "5"}],
    },
    "general": {},
}


def keyed_site() -> dict[str, Any]:
    tree = {**SITE["trees"]["main"]}
    tree["prompts"] = {**tree["prompts"], "keys": {"en": {"text": "Press one for a way out, two for others."}}}
    return {**SITE, "queues": KEYS, "trees": {"main": tree}, "start": "not-ready"}


async def test_a_key_while_waiting(stage: OpenStage) -> None:
    async with stage(**keyed_site()) as s:
        call = await s.place(CallPlan("200", listens=True))
        await s.waiting(1)
        await call.press("7")  # means nothing
        await call.press("1")
        await node(s, "after")
        await ended_by_engine(call)
        assert await s.engine.metric('acd_calls_total{queue="cards",result="left"}') == 1

        call = await s.place(CallPlan("200", listens=True))
        await s.waiting(1)
        await call.press("2")
        await s.engine.until(lambda status: [c["queue"] for c in status["calls"]] == ["general"])
        await call.hang_up()

        s.phones[OUTSIDE[0]].behaviour = Answer()
        call = await s.place(CallPlan("200", listens=True))
        await s.waiting(1)
        await call.press("3")
        there = await s.phones[OUTSIDE[0]].offered()
        await there.answered()
        await there.hang_up()
        await ended_by_engine(call)
        await s.empty()


async def test_a_key_that_leads_nowhere_keeps_the_place(stage: OpenStage) -> None:
    async with stage(**keyed_site()) as s:
        s.phones[OUTSIDE[1]].behaviour = Reject(486)
        s.phones["anna"].behaviour = Answer()
        call = await s.place(CallPlan("200", listens=True, caller_number="+49302"))
        await s.waiting(1)
        late = await s.place(CallPlan("200", caller_number="+49303"))
        await s.waiting(2)
        await call.press("4")
        await s.phones[OUTSIDE[1]].offered()
        await s.waiting(2)
        await s.engine.post("/api/agents/anna/ready")
        offer = await s.phones["anna"].offered()
        assert offer.invite.from_user == "+49302", "before who came later"
        await offer.answered()
        await call.hang_up()
        await late.hang_up()
        await s.empty()


async def test_a_phone_that_rings_already_wins(stage: OpenStage) -> None:
    async with stage(**keyed_site()) as s:
        await s.engine.post("/api/agents/anna/ready")
        call = await s.place(CallPlan("200", listens=True))
        offer = await s.rings("anna")
        await call.press("1")

        async def is_void() -> bool:
            return bool(s.engine.logged("key pressed too late"))

        await eventually(is_void, "the key is void")
        offer.answer()
        await offer.answered()
        await s.talking(1)
        await call.hang_up()
        await s.empty()
        await s.engine.agent("anna", "ready")


async def test_a_key_of_the_menu_before_means_nothing_in_the_queue(stage: OpenStage) -> None:
    async with stage(**keyed_site()) as s:
        call = await s.place(CallPlan("100", listens=True))
        await call.press("1")  # cards; in its queue the same key leads out
        await s.waiting(1)
        await s.waiting(1)
        assert not s.engine.logged("key pressed while waiting")
        await call.press("1")
        await node(s, "after")
        await ended_by_engine(call)
        await s.empty()

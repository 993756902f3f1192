"""How callers agree to be called back on the real Asterisk: by a node, a key while waiting, a number keyed in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acd.lab.callers import Call, CallPlan
from acd.lab.phones import Answer, Reject
from tests.integration.conftest import OUTSIDE, TRUNK, OpenStage
from tests.integration.stage import Stage, eventually
from tests.service.sites import MAIN

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

CUSTOMER, OTHER = OUTSIDE
NODES: dict[str, Any] = {
    **MAIN["nodes"],
    "offer": {
        "type": "callback",
        "queue": "general",
        "timeout_s": "4",
        "on_refused": "refused",
        "on_failure": "without",
    },
    "refused": {"type": "hangup", "prompt": "bye"},
    "without": {"type": "hangup", "prompt": "bye"},
}
PROMPTS = {
    # Short ones: what is asked is told in the log.
    name: {"en": {"text": "So."}}
    for name in ("callback-number", "callback-confirm", "callback-enter", "callback-not-possible", "callback-promised")
}
TREE = {**MAIN, "prompts": {**MAIN["prompts"], **PROMPTS, "bye": {"en": {"text": "Bye."}}}, "nodes": NODES}
SITE: dict[str, Any] = {
    "agents": {"anna": ["general"]},
    "start": "not-ready",
    "queues": {"cards": {"keys": {"1": {"callback": "general"}}}, "general": {}},
    "routing": {
        "numbers": {"400": "main.offer", "200": "main.cards", "300": "main.general", "default": "main"},
        "outbound": {"allowed": ["+4930"], "trunk": TRUNK},
        "callbacks": {"home_country": "DE", "pause_s": "2"},
    },
    "trees": {
        "main": {**MAIN, "prompts": {**MAIN["prompts"], **PROMPTS, "bye": {"en": {"text": "Bye."}}}, "nodes": NODES}
    },
}


def customer_first(**more: str) -> dict[str, Any]:
    callbacks = {**SITE["routing"]["callbacks"], "first": "customer", "confirm": "no", **more}
    return {**SITE, "routing": {**SITE["routing"], "callbacks": callbacks}}


async def open_callbacks(s: Stage) -> list[dict[str, Any]]:
    """What the web port tells."""
    _, body = await s.engine.until_http("/api/callbacks", lambda code, _: code == 200)
    found: list[dict[str, Any]] = json.loads(body)["callbacks"]
    return found


async def promised(s: Stage, call: Call, number: str) -> dict[str, Any]:
    """The caller is told, hangs up or not, and waits without a line."""
    await call.ended(20)

    async def waits() -> bool:
        return [(c["number"], c["state"]) for c in await open_callbacks(s)] == [(number, "waiting")]

    await eventually(waits, f"a callback to {number} waits")
    return (await open_callbacks(s))[0]


async def served(s: Stage, number: str) -> None:
    """The agent, then the customer."""
    s.phones["anna"].behaviour = Answer()
    await s.engine.post("/api/agents/anna/ready")
    customer = await s.rings(number)
    customer.answer()
    await customer.answered()
    await s.talking(1)
    await customer.hang_up()
    await s.empty()


async def test_a_node_reads_the_number_back_and_is_told_yes(stage: OpenStage) -> None:
    async with stage(**SITE) as s:
        call = await s.place(CallPlan("400", caller_number="03098765", listens=True))
        await call.press("1")
        told = await promised(s, call, CUSTOMER)
        assert not call.hung_up_by_caller
        assert (told["queue"], told["attempts"], told["first"]) == ("general", 0, "agent")
        again = await s.place(CallPlan("400", caller_number=CUSTOMER, listens=True))
        await again.press("1")
        await again.ended(20)
        assert s.engine.logged("callback promised before")
        assert len(await open_callbacks(s)) == 1
        await served(s, CUSTOMER)


async def test_another_number_is_keyed_in_and_checked(stage: OpenStage) -> None:
    async with stage(**SITE) as s:
        call = await s.place(CallPlan("400", caller_number=CUSTOMER, listens=True))
        await call.press("2")
        await call.press("09001234567#")  # premium rate

        async def refused() -> bool:
            return bool(s.engine.logged("no callback to this number", '"kind"'))

        await eventually(refused, "the number is refused")
        await call.press("03098766#")
        await call.press("1")
        await promised(s, call, OTHER)
        await served(s, OTHER)


async def test_who_does_without_or_cannot_be_called_goes_elsewhere(stage: OpenStage) -> None:
    async with stage(**SITE) as s:
        call = await s.place(CallPlan("400", caller_number=CUSTOMER, listens=True))
        await call.press("*")
        await call.ended(15)
        assert s.engine.logged("menu step", '"to":"main.without"')
        call = await s.place(CallPlan("400", caller_number="+881612345678", listens=True))
        for _ in range(3):
            await call.press("+881612345678#".lstrip("+"))
        await call.ended(30)
        assert s.engine.logged("menu step", '"to":"main.refused"')
        assert await open_callbacks(s) == []
        await s.empty()


async def test_a_key_while_waiting_keeps_the_place_and_the_engine_may_be_killed(stage: OpenStage) -> None:
    async with stage(**SITE) as s:
        call = await s.place(CallPlan("200", caller_number=CUSTOMER, listens=True))
        await s.waiting(1)
        late = await s.place(CallPlan("300", caller_number="+49302"))
        await s.waiting(2)
        await call.press("1")
        await s.waiting(1)  # is being asked
        await call.press("1")
        told = await promised(s, call, CUSTOMER)
        s.engine.kill()
        await s.engine.wait()
        await s.engine.start()
        await s.engine.ready()
        await s.waiting(2)
        assert (await open_callbacks(s))[0]["waiting_since"] == told["waiting_since"]
        s.phones["anna"].behaviour = Answer()
        await s.engine.post("/api/agents/anna/ready")
        agent = await s.phones["anna"].offered()
        assert agent.invite.from_user == CUSTOMER, "has waited longer than the other"
        customer = await s.rings(CUSTOMER)
        customer.answer()
        await customer.answered()
        await customer.hang_up()
        await (await s.phones["anna"].offered(2)).answered()
        await late.hang_up()
        await s.empty()


async def test_who_asks_and_does_without_waits_on_in_the_old_place(stage: OpenStage) -> None:
    async with stage(**SITE) as s:
        s.phones["anna"].behaviour = Answer()
        site_call = await s.place(CallPlan("200", caller_number=CUSTOMER, listens=True))
        await s.waiting(1)
        await site_call.press("1")

        async def asked() -> bool:
            return bool(s.engine.logged("key pressed while waiting"))

        await eventually(asked, "the caller is asked")
        await site_call.press("*")
        status = await s.waiting(1)
        assert [c["queue"] for c in status["calls"]] == ["cards"]
        await site_call.hang_up()
        await s.empty()


async def test_the_customer_is_rung_first_and_gets_the_agent(stage: OpenStage) -> None:
    async with stage(**customer_first()) as s:
        s.phones["anna"].behaviour = Answer()
        s.phones[CUSTOMER].behaviour = Reject(486)
        call = await s.place(CallPlan("400", caller_number=CUSTOMER))
        await promised(s, call, CUSTOMER)
        await s.engine.post("/api/agents/anna/ready")
        await s.phones[CUSTOMER].offered()

        async def tried() -> bool:
            return [c["attempts"] for c in await open_callbacks(s)] == [1]

        await eventually(tried, "one attempt")
        s.phones[CUSTOMER].behaviour = Answer()
        customer = await s.phones[CUSTOMER].offered(2)
        assert customer.invite.from_user == "400"
        await customer.answered()
        agent = await s.phones["anna"].offered()
        assert agent.invite.from_user == CUSTOMER
        await agent.answered()
        await s.talking(1)
        assert await open_callbacks(s) == []
        await agent.hang_up()
        await customer.ended()
        await s.empty()
        assert await s.engine.metric('acd_calls_total{queue="general",result="served"}') == 1


async def test_the_engine_dies_while_the_customer_rings(stage: OpenStage) -> None:
    async with stage(**customer_first()) as s:
        s.phones["anna"].behaviour = Answer()
        call = await s.place(CallPlan("400", caller_number=CUSTOMER))
        await promised(s, call, CUSTOMER)
        await s.engine.post("/api/agents/anna/ready")
        customer = await s.rings(CUSTOMER)
        s.engine.kill()
        await s.engine.wait()
        customer.answer()
        await customer.answered()
        await s.engine.start()
        await s.engine.ready()
        agent = await s.phones["anna"].offered()
        assert agent.invite.from_user == CUSTOMER
        await agent.answered()
        await s.talking(1)
        await agent.hang_up()
        await customer.ended()
        await s.empty()
        assert await open_callbacks(s) == []

"""Callers who are called back, on the real Asterisk: they keep their place, over a restart, too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acd.lab.callers import Call, CallPlan
from acd.lab.phones import Answer, Reject
from tests.integration.conftest import OUTSIDE, TRUNK, OpenStage
from tests.integration.stage import Stage, eventually

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

CUSTOMER = OUTSIDE[0]
OUTBOUND: dict[str, Any] = {
    "outbound": {"allowed": ["+4930"], "trunk": TRUNK},
    "callbacks": {"home_country": "DE", "confirm": "no", "other_number": "no"},
}
QUEUES: dict[str, Any] = {
    "cards": {"overflow": [{"when": {"waiting_s": "0.3"}, "then": {"callback": "general"}}]},
    "general": {},
}
ANNA = {"anna": ["cards", "general"]}


async def promised(s: Stage, number: str = CUSTOMER) -> Call:
    """A caller to cards is told to hang up, and waits without a line."""
    call = await s.place(CallPlan("200", caller_number=number))
    await call.ended(20)
    assert not call.hung_up_by_caller
    await s.engine.until(
        lambda status: [c["caller"] for c in status["calls"] if c["state"] == "waiting"][:1] == [number]
    )
    return call


def kept(s: Stage) -> list[dict[str, Any]]:
    """What stands in the state folder."""
    path = s.engine.site / "state" / "callbacks.json"
    callbacks: list[dict[str, Any]] = json.loads(path.read_text())["callbacks"] if path.exists() else []
    return callbacks


async def no_more(s: Stage) -> bool:
    return not kept(s)


async def test_the_agent_is_called_then_the_customer(stage: OpenStage) -> None:
    async with stage(agents=ANNA, start="not-ready", queues=QUEUES, routing=OUTBOUND) as s:
        s.phones["anna"].behaviour = Answer()
        await promised(s)
        assert await s.engine.metric("acd_callbacks") == 1
        await s.engine.post("/api/agents/anna/ready")
        agent = await s.phones["anna"].offered()
        assert agent.invite.from_user == CUSTOMER, "the agent sees who is called back"
        await agent.answered()
        customer = await s.rings(CUSTOMER, timeout_s=10)
        await s.engine.agent("anna", "reserved")
        assert customer.offered_at > agent.offered_at
        assert customer.invite.from_user == "200", "the customer sees the number that was called"
        customer.answer()
        await customer.answered()
        await s.talking(1)
        await eventually(lambda: no_more(s), "not to be called again, even if the engine is killed now")
        await customer.hang_up()
        await agent.ended()
        await s.empty()
        await s.engine.agent("anna", "ready")
        assert await s.engine.metric("acd_callbacks") == 0


async def test_a_talk_outlives_the_engine_and_the_customer_is_not_called_again(stage: OpenStage) -> None:
    async with stage(agents=ANNA, start="not-ready", queues=QUEUES, routing=OUTBOUND) as s:
        s.phones["anna"].behaviour = Answer()
        await promised(s)
        await s.engine.post("/api/agents/anna/ready")
        customer = await s.rings(CUSTOMER)
        customer.answer()
        await customer.answered()
        await s.talking(1)
        s.engine.kill()  # before or after that was noted
        await s.engine.wait()
        await s.engine.start()
        await s.engine.ready()
        await s.talking(1)
        await s.engine.agent("anna", "talking")
        assert await s.engine.metric("acd_callbacks") == 0
        await customer.hang_up()
        await s.empty()
        await s.engine.agent("anna", "ready")


async def test_the_customer_is_tried_again_if_the_engine_dies_while_that_phone_rings(stage: OpenStage) -> None:
    routing = {**OUTBOUND, "callbacks": {**OUTBOUND["callbacks"], "pause_s": "1"}}
    async with stage(agents=ANNA, start="not-ready", queues=QUEUES, routing=routing) as s:
        s.phones["anna"].behaviour = Answer()
        await promised(s)
        await s.engine.post("/api/agents/anna/ready")
        first = await s.rings(CUSTOMER)
        s.engine.kill()
        await s.engine.wait()
        await s.engine.start()
        await s.engine.ready()
        await first.ended()
        assert first.cancelled, "nobody would learn who answers"
        customer = await s.rings(CUSTOMER, 2)
        customer.answer()
        await customer.answered()
        await s.talking(1)
        await customer.hang_up()
        await s.empty()
        assert kept(s) == []


async def test_the_place_is_kept_over_a_restart(stage: OpenStage) -> None:
    async with stage(agents=ANNA, start="not-ready", queues=QUEUES, routing=OUTBOUND) as s:
        s.phones["anna"].behaviour = Answer()
        await promised(s)
        late = await s.place(CallPlan("300", caller_number="+49301"))
        await s.waiting(2)
        s.engine.kill()
        await s.engine.wait()
        await s.engine.start()
        await s.engine.ready()
        await s.waiting(2)
        await s.engine.post("/api/agents/anna/ready")
        agent = await s.phones["anna"].offered()
        assert agent.invite.from_user == CUSTOMER, "entered before the other"
        customer = await s.rings(CUSTOMER, timeout_s=10)
        customer.answer()
        await customer.answered()
        await agent.hang_up()
        await customer.ended()
        following = await s.phones["anna"].offered(2)
        assert following.invite.from_user == "+49301"
        await following.answered()
        await late.hang_up()
        await s.empty()


async def test_a_customer_who_is_not_reached_is_tried_again_later(stage: OpenStage) -> None:
    async with stage(agents=ANNA, start="not-ready", queues=QUEUES, routing=OUTBOUND) as s:
        s.phones["anna"].behaviour = Answer()
        s.phones[CUSTOMER].behaviour = Reject(486)
        await promised(s)
        await s.engine.post("/api/agents/anna/ready")
        agent = await s.phones["anna"].offered()
        await agent.ended(15)
        await s.engine.agent("anna", "ready")
        await s.empty()
        assert await s.engine.metric('acd_calls_total{queue="general",result="served"}') == 0
        (entry,) = kept(s)
        assert (entry["number"], entry["attempts"]) == (CUSTOMER, 1)
        assert s.engine.logged("customer not reached")


async def test_an_agent_who_does_not_pick_up_costs_no_attempt(stage: OpenStage) -> None:
    agents = {**ANNA, "bob": ["general"]}
    async with stage(agents=agents, start="not-ready", queues=QUEUES, routing=OUTBOUND) as s:
        s.phones["anna"].behaviour = Reject(486)
        s.phones["bob"].behaviour = Answer()
        await promised(s)
        await s.engine.post("/api/agents/anna/ready")
        await s.engine.agent("anna", "back-off", "rejected")
        await s.waiting(1)
        assert kept(s)[0]["attempts"] == 0
        await s.engine.post("/api/agents/bob/ready")
        customer = await s.rings(CUSTOMER, timeout_s=10)
        customer.answer()
        await customer.answered()
        await customer.hang_up()
        await s.empty()


async def test_a_number_that_may_not_be_dialled_keeps_the_caller_waiting(stage: OpenStage) -> None:
    async with stage(agents=ANNA, start="not-ready", queues=QUEUES, routing=OUTBOUND) as s:
        s.phones["anna"].behaviour = Answer()
        call = await s.place(CallPlan("200", caller_number="+881999"))

        async def is_refused() -> bool:
            return bool(s.engine.logged("no callback to this number"))

        await eventually(is_refused, "refused")
        await s.waiting(1)
        await s.engine.post("/api/agents/anna/ready")
        await s.talking(1)
        await call.hang_up()
        await s.empty()
        assert kept(s) == []

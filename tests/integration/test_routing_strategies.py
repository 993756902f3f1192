"""Who gets the call, on the real Asterisk: each strategy, relaxed skills, sticky agents, priority over two queues."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from acd.lab.callers import CallPlan
from acd.lab.phones import Answer
from tests.integration.conftest import OpenStage
from tests.integration.stage import Stage
from tests.integration.test_routing_agents import set_agent
from tests.integration.test_routing_reload import acd

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

TO_CARDS = CallPlan("200")
THREE = {"anna": ["cards"], "bob": ["cards"], "chen": ["cards"]}
SHORT = Answer(talk_s=0.05)
SKILL = {"skills": {"speed": "Speed"}}


def strategy(name: str, **more: Any) -> dict[str, dict[str, Any]]:
    return {"cards": {"strategy": name, **more}, "general": {}}


async def serve(s: Stage, calls: int) -> list[str]:
    """Let so many callers call, one after the other, and name the agents who had them."""
    before = len(s.phones.calls)
    for _ in range(calls):
        call = await s.place(TO_CARDS)
        await call.ended(10)
        await s.empty()
    return [call.phone.name for call in s.phones.calls[before:]]


@pytest.mark.parametrize(
    ("name", "served"),
    [
        ("hunt", ["anna", "anna", "anna"]),
        ("linear", ["anna", "anna", "anna"]),
        ("circular-hunt", ["anna", "bob", "chen", "anna"]),
        ("fewest-calls", ["anna", "bob", "chen"]),
    ],
)
async def test_strategies_of_order_and_count(stage: OpenStage, name: str, served: list[str]) -> None:
    async with stage(agents=THREE, queues=strategy(name), behaviour=SHORT) as s:
        assert await serve(s, len(served)) == served


async def test_longest_idle(stage: OpenStage) -> None:
    async with stage(agents=THREE, queues=strategy("longest-idle"), behaviour=SHORT) as s:
        for action in ("not-ready", "ready"):
            await s.engine.post(f"/api/agents/bob/{action}")
        assert await serve(s, 4) == ["anna", "chen", "bob", "anna"]


async def test_least_talk_time(stage: OpenStage) -> None:
    async with stage(agents=THREE, queues=strategy("least-talk-time"), behaviour=SHORT) as s:
        s.phones["anna"].script([Answer(talk_s=0.9)])
        s.phones["bob"].script([Answer(talk_s=0.5)])
        assert await serve(s, 4) == ["anna", "bob", "chen", "chen"]


async def test_random_is_not_always_the_same(stage: OpenStage) -> None:
    async with stage(agents=THREE, queues=strategy("random"), behaviour=SHORT) as s:
        assert len(set(await serve(s, 12))) > 1, "by chance once in 180,000 runs"


async def test_weighted_random_goes_by_weight(stage: OpenStage) -> None:
    async with stage(agents=THREE, queues=strategy("weighted-random"), behaviour=SHORT) as s:
        await set_agent(s, "bob", weight="1000")
        for agent in ("anna", "chen"):
            await set_agent(s, agent, weight="0.01")
        assert await serve(s, 5) == ["bob"] * 5, "otherwise by chance once in 10,000 runs"


@pytest.mark.parametrize(("name", "served"), [("most-proficient", "chen"), ("least-proficient", "bob")])
async def test_by_proficiency(stage: OpenStage, name: str, served: str) -> None:
    queues = strategy(name, requires={"speed": "2"})
    async with stage(agents=THREE, queues=queues, routing=SKILL, behaviour=SHORT) as s:
        for agent, level in (("anna", "1"), ("bob", "3"), ("chen", "9")):
            await set_agent(s, agent, skills={"speed": level})
        assert await serve(s, 2) == [served] * 2


async def test_skills_are_relaxed_as_the_caller_waits(stage: OpenStage) -> None:
    queues = strategy("hunt", requires={"speed": "5"}, relax=[{"after_s": "1", "requires": {"speed": "2"}}])
    async with stage(agents=THREE, queues=queues, routing=SKILL) as s:
        await set_agent(s, "anna", skills={"speed": "1"})
        await set_agent(s, "bob", skills={"speed": "2"})
        call = await s.place(TO_CARDS)
        status = await s.waiting(1)
        offer = await s.rings("bob")
        assert call.answered_at is not None
        assert 0.9 < offer.offered_at - call.answered_at < 1.5
        assert not s.phones["anna"].calls
        code, said = await acd(s, "explain", status["calls"][0]["id"])
        assert code == 0, said
        assert "relaxed to speed>=2" in said, said
        code, said = await acd(s, "explain", status["calls"][0]["id"], "--json")
        offered = [line["decision"] for line in json.loads(said)["story"] if "decision" in line]
        assert offered[0]["offered_to"] == ["bob"]
        assert any("anna" in reason["agents"] for reason in offered[0]["ruled_out"])
        await call.hang_up()
        await s.empty()


async def test_the_customer_gets_the_last_agent_again_and_after_a_restart(stage: OpenStage) -> None:
    sticky: Mapping[str, Any] = {"sticky": {"hold_s": "5"}}
    async with stage(agents=THREE, queues=strategy("longest-idle", **sticky), behaviour=SHORT) as s:
        assert await serve(s, 3) == ["anna", "anna", "anna"]
        s.engine.terminate()
        await s.engine.wait()
        await s.engine.start()
        await s.engine.ready()
        await s.engine.post("/api/agents/anna/not-ready")
        await s.engine.post("/api/agents/anna/ready")
        assert await serve(s, 1) == ["anna"], "although idle for the shortest time"
        await s.engine.post("/api/agents/anna/not-ready")
        assert await serve(s, 1) == ["bob"], "only if ready"


async def test_a_named_agent_comes_first(stage: OpenStage) -> None:
    routing = {"customers": {TO_CARDS.caller_number: {"name": "Important Ltd", "agent": "chen"}}}
    queues = strategy("longest-idle", sticky={"hold_s": "5"})
    async with stage(agents=THREE, queues=queues, routing=routing, behaviour=SHORT) as s:
        assert await serve(s, 2) == ["chen", "chen"]


async def test_priority_holds_over_two_queues(stage: OpenStage) -> None:
    queues = {"cards": {"priority": "100"}, "general": {}}
    async with stage(agents={"anna": ["cards", "general"]}, start="not-ready", queues=queues, behaviour=SHORT) as s:
        plans = [CallPlan("300", caller_number="+49301"), CallPlan("200", caller_number="+49302")]
        calls = []
        for number, plan in enumerate(plans, start=1):
            calls.append(await s.place(plan))
            await s.waiting(number)
        await s.engine.post("/api/agents/anna/ready")
        for call in calls:
            await call.ended(10)
        assert [call.invite.from_user for call in s.phones.calls] == ["+49302", "+49301"]
        await s.empty()


async def test_a_customer_with_points_is_served_first(stage: OpenStage) -> None:
    routing = {"customers": {"+49302": {"name": "Important Ltd", "priority": "50"}}}
    async with stage(agents={"anna": ["cards"]}, start="not-ready", routing=routing, behaviour=SHORT) as s:
        calls = []
        for number in (1, 2):
            calls.append(await s.place(CallPlan("200", caller_number=f"+4930{number}")))
            await s.waiting(number)
        await s.engine.post("/api/agents/anna/ready")
        for call in calls:
            await call.ended(10)
        assert [call.invite.from_user for call in s.phones.calls] == ["+49302", "+49301"]
        await s.empty()

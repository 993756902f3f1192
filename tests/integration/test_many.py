"""Many callers: all served, in order, by few phones; and agents who serve two queues."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest

from acd.lab.callers import CallPlan
from acd.lab.phones import Answer
from tests.integration.conftest import AGENTS, OpenStage

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


def plans(number: str, first: int, count: int) -> list[CallPlan]:
    return [CallPlan(number, caller_number=f"+4930{index:04d}") for index in range(first, first + count)]


def serving(agents: Iterable[str], queue: str = "cards") -> dict[str, list[str]]:
    return {agent: [queue] for agent in agents}


@pytest.mark.alone
async def test_thirty_callers_on_five_phones_are_served_in_order(stage: OpenStage) -> None:
    async with stage(agents=serving(AGENTS), behaviour=Answer(talk_s=0.5)) as s:
        callers = await s.place_all(plans("200", 0, 30), rate_per_s=40)
        await callers.finished(60)
        served = [call.invite.from_user for call in s.phones.calls]
        assert sorted(served) == sorted(plan.caller_number for plan in plans("200", 0, 30)), "each of them once"
        arrived = {call.plan.caller_number: call.messages[0].time_s for call in callers.calls}
        overtaken = [
            (earlier, later) for earlier, later in pairwise(served) if arrived[earlier] - arrived[later] > 0.02
        ]
        assert not overtaken, "nobody is served before somebody who called earlier"
        assert all(call.answered_at is not None and not call.hung_up_by_caller for call in callers.calls)
        assert all(len(s.phones[name].calls) >= 4 for name in AGENTS), "longest idle: the work is shared"
        await s.empty()
        assert await s.engine.metric('acd_calls_total{queue="cards",result="served"}') == 30
        assert await s.engine.metric('acd_wait_seconds_count{queue="cards"}') == 30
        assert await s.engine.metric("acd_faults_total") == 0


@pytest.mark.alone
async def test_the_agents_end_is_the_next_callers_ring(stage: OpenStage) -> None:
    """No agent waits while somebody is in the queue: each phone's next INVITE follows its last BYE at once."""
    async with stage(agents=serving(AGENTS[:2]), behaviour=Answer(talk_s=0.4)) as s:
        callers = await s.place_all(plans("200", 0, 12), rate_per_s=50)
        await callers.finished(60)
        gaps = []
        for name in AGENTS[:2]:
            for before, after in pairwise(s.phones[name].calls):
                ended_at = before.ended_at
                assert ended_at is not None
                gaps.append(after.offered_at - ended_at)
        assert len(gaps) == 10
        assert sorted(gaps)[len(gaps) // 2] < 0.1, gaps
        await s.empty()


async def test_two_queues_share_their_agents_by_the_time_of_entry(stage: OpenStage) -> None:
    """Anna serves both queues: whoever has waited longer comes first, whatever queue it is."""
    async with stage(agents={"anna": ["cards", "general"]}, start="not-ready", behaviour=Answer(talk_s=0.2)) as s:
        order = []
        for index, number in enumerate(("200", "300", "300", "200", "300", "200")):
            caller = f"+4940{index}"
            order.append(caller)
            await s.place(CallPlan(number, caller_number=caller))
            await s.waiting(index + 1)
        status, _ = await s.engine.post("/api/agents/anna/ready")
        assert status == 200
        await s.phones["anna"].offered(6, timeout_s=20)
        assert [call.invite.from_user for call in s.phones["anna"].calls] == order
        await s.empty(timeout_s=10)


async def test_priority_goes_before_the_time_of_entry_over_all_queues(stage: OpenStage) -> None:
    queues = {"cards": {"priority": "50"}, "general": {}}
    async with stage(
        agents={"anna": ["cards", "general"]}, start="not-ready", queues=queues, behaviour=Answer(talk_s=0.2)
    ) as s:
        for index, (number, caller) in enumerate((("300", "first"), ("300", "second"), ("200", "card"))):
            await s.place(CallPlan(number, caller_number=f"+{index}{caller}"))
            await s.waiting(index + 1)
        await s.engine.post("/api/agents/anna/ready")
        await s.phones["anna"].offered(3, timeout_s=20)
        assert [call.invite.from_user[2:] for call in s.phones["anna"].calls] == ["card", "first", "second"]
        await s.empty(timeout_s=10)


async def test_a_second_queues_calls_go_only_to_its_own_agents(stage: OpenStage) -> None:
    agents = {"anna": ["cards"], "bob": ["cards", "general"], "chen": ["general"]}
    async with stage(agents=agents, behaviour=Answer(talk_s=0.3)) as s:
        callers = await s.place_all([*plans("200", 0, 8), *plans("300", 100, 8)], rate_per_s=40)
        await callers.finished(60)
        cards = {plan.caller_number for plan in plans("200", 0, 8)}
        assert all(call.invite.from_user in cards for call in s.phones["anna"].calls)
        assert not any(call.invite.from_user in cards for call in s.phones["chen"].calls)
        assert len(s.phones.calls) == 16
        await s.empty()

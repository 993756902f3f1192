"""Phones that begin to ring while others ring already, on the real Asterisk: one winner, whatever the timing."""

from __future__ import annotations

import pytest

from acd.lab.callers import CallPlan
from acd.lab.phones import Answer, PhoneCall, Reject
from tests.integration.conftest import OpenStage
from tests.integration.stage import Stage, by_id, eventually, no_channels

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

TWO = {"anna": ["cards"], "bob": ["cards"]}
THREE = {**TWO, "chen": ["cards"]}
PROGRESSIVE = {
    "cards": {"strategy": {"name": "progressive-ring", "options": {"step_s": "1"}}, "ring_timeout_s": "6"},
    "general": {},
}
RING_ALL = {"cards": {"strategy": "ring-all", "ring_timeout_s": "6"}, "general": {}}
LISTENER = CallPlan("200", listens=True, caller_name="Eve, &(x) Miller")


async def one_talk(s: Stage, winner: str, losers: list[PhoneCall]) -> None:
    """Exactly one agent talks, the others are ready, and their phones are silent."""
    status = await s.talking(1)
    assert by_id(status["agents"], winner)["state"] == "talking"
    for loser in losers:
        await loser.ended()
    others = [loser.phone.name for loser in losers]
    status = await s.engine.until(
        lambda status: all(by_id(status["agents"], name)["state"] == "ready" for name in others)
    )
    assert [agent["id"] for agent in status["agents"] if agent["state"] == "talking"] == [winner]


@pytest.mark.parametrize("who_hangs_up", ["agent", "caller"])
async def test_the_second_phone_of_progressive_ring_wins(stage: OpenStage, who_hangs_up: str) -> None:
    async with stage(agents=TWO, queues=PROGRESSIVE) as s:
        s.phones["bob"].behaviour = Answer(listens=True, steady_media=True)
        call = await s.place(LISTENER)
        first = await s.phones["anna"].offered()
        second = await s.phones["bob"].offered()
        assert 0.8 < second.offered_at - first.offered_at < 2.0
        assert second.invite.from_user == LISTENER.caller_number
        await one_talk(s, "bob", [first])
        assert first.cancelled
        assert call.rtp is not None
        if who_hangs_up == "agent":
            await second.hang_up()
            await call.ended()
            assert not call.hung_up_by_caller
        else:
            await call.hang_up()
            await second.ended()
        await s.empty()
        assert await s.engine.metric('acd_calls_total{queue="cards",result="served"}') == 1


async def test_the_first_phone_wins_and_the_late_one_stops(stage: OpenStage) -> None:
    async with stage(agents=TWO, queues=PROGRESSIVE) as s:
        call = await s.place(CallPlan("200"))
        first = await s.phones["anna"].offered()
        second = await s.phones["bob"].offered()
        first.answer()
        await one_talk(s, "anna", [second])
        await call.hang_up()
        await s.empty()


@pytest.mark.parametrize("attempt", range(3))
async def test_both_are_picked_up_in_the_same_millisecond(stage: OpenStage, attempt: int) -> None:
    async with stage(agents=TWO, queues=PROGRESSIVE) as s:
        call = await s.place(CallPlan("200"))
        phones = [await s.phones[name].offered() for name in TWO]
        for phone in phones if attempt % 2 else reversed(phones):
            phone.answer()
        status = await s.talking(1)
        (winner,) = [agent["id"] for agent in status["agents"] if agent["state"] == "talking"]
        loser = phones[0] if winner == "bob" else phones[1]
        await one_talk(s, winner, [loser])
        talk = next(phone for phone in phones if phone is not loser)
        assert talk.end is None
        await talk.hang_up()
        await call.ended()
        await s.empty()


@pytest.mark.parametrize("attempt", range(3))
async def test_ring_all_picked_up_in_the_same_millisecond(stage: OpenStage, attempt: int) -> None:
    async with stage(agents=THREE, queues=RING_ALL) as s:
        call = await s.place(CallPlan("200"))
        phones = [await s.rings(name) for name in THREE]
        for phone in phones[attempt:] + phones[:attempt]:
            phone.answer()
        status = await s.talking(1)
        (winner,) = [agent["id"] for agent in status["agents"] if agent["state"] == "talking"]
        losers = [phone for phone in phones if phone.phone.name != winner]
        await one_talk(s, winner, losers)
        await call.hang_up()
        await s.empty()


async def test_an_agent_who_becomes_idle_joins_ring_all_and_wins(stage: OpenStage) -> None:
    async with stage(agents=THREE, queues=RING_ALL) as s:
        await s.engine.post("/api/agents/chen/not-ready")
        call = await s.place(CallPlan("200"))
        early = [await s.rings(name) for name in TWO]
        await s.engine.post("/api/agents/chen/ready")
        late = await s.rings("chen")
        late.answer()
        await one_talk(s, "chen", early)
        await late.hang_up()
        await call.ended()
        await s.empty()
        await eventually(lambda: no_channels(s.pbx), "the stand-in of the late phone's channel has ended, too")


@pytest.mark.parametrize(("status", "reason"), [(486, "rejected"), (603, "rejected"), (503, "unreachable")])
async def test_a_late_phone_that_does_not_take_it_is_out(stage: OpenStage, status: int, reason: str) -> None:
    async with stage(agents=TWO, queues=PROGRESSIVE) as s:
        s.phones["bob"].behaviour = Reject(status)
        call = await s.place(CallPlan("200"))
        first = await s.phones["anna"].offered()
        await s.engine.agent("bob", "back-off", reason)
        first.answer()
        await s.talking(1)
        await call.hang_up()
        await s.empty()


async def test_the_first_phone_rejects_and_the_late_one_rings_on(stage: OpenStage) -> None:
    async with stage(agents=TWO, queues=PROGRESSIVE) as s:
        s.phones["anna"].script([Reject(603, after_s=1.5)])
        call = await s.place(LISTENER)
        late = await s.rings("bob")
        await s.engine.agent("anna", "back-off", "rejected")
        assert late.end is None
        late.answer()
        await s.talking(1)
        await late.hang_up()
        await call.ended()
        await s.empty()
        assert len(s.phones["bob"].calls) == 1


async def test_nobody_answers_and_all_missed_it(stage: OpenStage) -> None:
    queues = {**PROGRESSIVE, "cards": {**PROGRESSIVE["cards"], "ring_timeout_s": "3"}}
    async with stage(agents=TWO, queues=queues) as s:
        call = await s.place(CallPlan("200"))
        late = await s.phones["bob"].offered()
        await s.engine.agent("anna", "back-off", "missed")
        await s.engine.until(lambda status: by_id(status["agents"], "bob")["state"] != "reserved")
        await late.ended()
        await s.waiting(1)
        await call.hang_up()
        await s.empty()


async def test_the_caller_gives_up_while_two_ring(stage: OpenStage) -> None:
    async with stage(agents=TWO, queues=PROGRESSIVE) as s:
        call = await s.place(CallPlan("200"))
        phones = [await s.rings(name) for name in TWO]
        await call.hang_up()
        for phone in phones:
            await phone.wait_for(lambda message: message.is_request("CANCEL"))
        await s.empty()
        for name in TWO:
            await s.engine.agent(name, "ready")


async def test_the_late_agent_goes_not_ready_while_it_rings(stage: OpenStage) -> None:
    async with stage(agents=TWO, queues=PROGRESSIVE) as s:
        call = await s.place(CallPlan("200"))
        late = await s.rings("bob")
        await s.engine.post("/api/agents/bob/not-ready")
        await late.ended()
        first = s.phones["anna"].calls[0]
        assert first.end is None
        first.answer()
        await s.talking(1)
        await call.hang_up()
        await s.empty()


async def test_an_engine_that_is_killed_leaves_the_talk_alone(stage: OpenStage) -> None:
    async with stage(agents=TWO, queues=PROGRESSIVE) as s:
        call = await s.place(CallPlan("200"))
        late = await s.rings("bob")
        late.answer()
        await s.talking(1)
        s.engine.kill()
        await s.engine.wait()
        await s.engine.start()
        await s.engine.ready()
        status = await s.talking(1)
        assert by_id(status["agents"], "bob")["state"] == "talking"
        assert late.end is None
        await late.hang_up()
        await call.ended()
        assert not call.hung_up_by_caller, "served: not put into the queue again"
        await s.empty()
        assert not s.phones["anna"].calls[1:]

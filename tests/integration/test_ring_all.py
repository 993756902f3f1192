"""Several phones at once for one caller."""

from __future__ import annotations

import pytest

from acd.lab.callers import CallPlan
from acd.lab.phones import Answer, Reject
from tests.integration.conftest import OpenStage
from tests.integration.stage import by_id

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

QUEUES = {"cards": {"strategy": "ring-all"}, "general": {}}
THREE = {"anna": ["cards"], "bob": ["cards"], "chen": ["cards"]}


async def test_one_answers_and_the_others_are_free_at_once(stage: OpenStage) -> None:
    async with stage(agents=THREE, queues=QUEUES) as s:
        call = await s.place(CallPlan("200"))
        offers = [await s.rings(name) for name in THREE]
        offers[1].answer()
        await s.talking(1)
        for loser in (offers[0], offers[2]):
            await loser.wait_for(lambda message: message.is_request("CANCEL"))
        status = await s.engine.status()
        assert by_id(status["agents"], "bob")["state"] == "talking"
        assert [by_id(status["agents"], name)["state"] for name in ("anna", "chen")] == ["ready", "ready"]
        await offers[1].hang_up()
        await call.ended()
        await s.empty()
        assert [len(s.phones[name].calls) for name in THREE] == [1, 1, 1], "nobody is rung for a call that is taken"


async def test_one_rejects_and_the_others_ring_on(stage: OpenStage) -> None:
    async with stage(agents=THREE, queues=QUEUES) as s:
        s.phones["anna"].script([Reject(486)])
        call = await s.place(CallPlan("200"))
        await s.engine.agent("anna", "back-off", "rejected")
        offer = await s.rings("chen")
        assert offer.end is None
        offer.answer()
        await s.talking(1)
        await call.hang_up()
        await s.empty()


async def test_nobody_answers_and_it_rings_again(stage: OpenStage) -> None:
    async with stage(
        agents={"anna": ["cards"]},
        queues=QUEUES,
        defaults={"ring_timeout_s": "1"},
        routing={"missed_ring": {"back_off_s": "0"}},
    ) as s:
        call = await s.place(CallPlan("200"))
        again = await s.phones["anna"].offered(2)
        assert again.offered_at - s.phones["anna"].calls[0].offered_at > 0.9
        await call.hang_up()
        await s.empty()


async def test_an_agent_who_becomes_ready_meanwhile_is_not_lost(stage: OpenStage) -> None:
    async with stage(
        agents={"anna": ["cards"], "bob": ["cards"]},
        queues=QUEUES,
        defaults={"ring_timeout_s": "2"},
        routing={"missed_ring": {"back_off_s": "30"}},
    ) as s:
        await s.engine.post("/api/agents/bob/not-ready")
        call = await s.place(CallPlan("200"))
        await s.phones["anna"].offered()
        await s.engine.post("/api/agents/bob/ready")
        s.phones["bob"].behaviour = Answer()
        await s.phones["bob"].offered(timeout_s=6)
        await s.talking(1)
        await call.hang_up()
        await s.empty()

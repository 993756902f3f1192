"""How a phone's answers come out of Asterisk's Dial: the table in ``ami_bridge.translation``, seen on the wire."""

from __future__ import annotations

import pytest

from acd.lab.callers import CallPlan
from acd.lab.lab import Lab
from acd.lab.phones import Answer, Reject, Ring
from tests.integration.conftest import OpenStage
from tests.integration.proxy import Proxy

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

RESULTS = [
    (480, "missed"),
    (486, "rejected"),
    (600, "rejected"),
    (603, "rejected"),
    (403, "rejected"),
    (404, "unreachable"),
    (408, "unreachable"),
    (500, "unreachable"),
    (503, "unreachable"),
]


async def test_what_each_refusal_means_as_ami_tells_it(stage: OpenStage) -> None:
    """One phone for each answer in turn; its back-off tells what was made of it."""
    async with stage(agents={"anna": ["cards"]}, routing=NO_BACK_OFF) as s:
        s.phones["anna"].script([Reject(status) for status, _ in RESULTS])
        call = await s.place(CallPlan("200"))
        await s.phones["anna"].offered(len(RESULTS) + 1)
        for reason in ("missed", "rejected", "unreachable"):
            expected = sum(1 for _, wanted in RESULTS if wanted == reason)
            assert await s.engine.metric(f'acd_offers_total{{queue="cards",result="{reason}"}}') == expected
        await call.hang_up()


NO_BACK_OFF = {
    "missed_ring": {"back_off_s": "0"},
    "rejected": {"back_off_s": "0"},
    "unreachable": {"back_off_s": "0"},
}


@pytest.mark.parametrize(("status", "reason"), RESULTS)
async def test_what_a_refusal_means_as_the_channel_tells_it(
    stage: OpenStage, lab: Lab, status: int, reason: str
) -> None:
    """The same without AMI."""
    async with (
        Proxy(lab.pbx.ami_port) as proxy,
        stage(agents={"anna": ["cards"]}, behaviour=Reject(status), env={"ACD_AMI_PORT": str(proxy.port)}) as s,
    ):
        await proxy.cut()
        call = await s.place(CallPlan("200"))
        await s.engine.agent("anna", "back-off", reason)
        await call.hang_up()


async def test_a_missed_ring_and_an_answer_without_ami(stage: OpenStage, lab: Lab) -> None:
    async with (
        Proxy(lab.pbx.ami_port) as proxy,
        stage(
            agents={"anna": ["cards"], "bob": ["cards"]},
            behaviour=Ring(),
            defaults={"ring_timeout_s": "1"},
            env={"ACD_AMI_PORT": str(proxy.port)},
        ) as s,
    ):
        await proxy.cut()
        s.phones["bob"].behaviour = Answer(talk_s=0.5)
        call = await s.place(CallPlan("200"))
        await s.engine.agent("anna", "back-off", "missed")
        await call.ended()
        assert not call.hung_up_by_caller
        await s.empty()
        await s.engine.agent("bob", "ready")
        assert await s.engine.metric('acd_calls_total{queue="cards",result="served"}') == 1

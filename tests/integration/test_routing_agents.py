"""What agents' phones are asked for, and agents' codes, on the real Asterisk: auto-answer, a key to press, wrap-up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from acd.lab.callers import CallPlan
from acd.lab.phones import Answer
from tests.integration.conftest import OpenStage
from tests.integration.stage import Stage

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

TO_CARDS = CallPlan("200")
PICKED_UP = Answer(after_s=0.2, listens=True, steady_media=True)


async def set_agent(s: Stage, agent: str, **settings: object) -> None:
    """Change an agent while the engine runs."""
    _edit(s.engine.site / "agents.yaml", agent, settings)
    code, body = await s.engine.post("/api/configuration/reload")
    assert code == 200, body


def _edit(path: Path, agent: str, settings: Mapping[str, object]) -> None:
    site = yaml.safe_load(path.read_text())
    site["agents"][agent].update(settings)
    path.write_text(yaml.safe_dump(site))


async def test_a_phone_is_asked_to_answer_by_itself(stage: OpenStage) -> None:
    queues = {"cards": {"strategy": "ring-all"}, "general": {}}
    async with stage(agents={"anna": ["cards"], "bob": ["cards"]}, queues=queues) as s:
        await set_agent(s, "anna", auto_answer="yes")
        call = await s.place(TO_CARDS)
        asked, plain = await s.rings("anna"), await s.rings("bob")
        assert asked.invite.header("call-info").endswith(";answer-after=0")
        assert "info=alert-autoanswer" in asked.invite.header("alert-info")
        assert "answer-after" not in str(plain.invite)
        assert asked.invite.from_user == TO_CARDS.caller_number
        await call.hang_up()
        await s.empty()


async def test_a_mobile_counts_as_answered_only_with_the_key(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"]}, behaviour=PICKED_UP) as s:
        await set_agent(s, "anna", confirm="yes")
        call = await s.place(CallPlan("200", listens=True))
        offer = await s.rings("anna")
        await offer.answered()
        status = await s.engine.until(lambda status: status["agents"][0]["state"] == "reserved")
        assert [c["state"] for c in status["calls"]] == ["offered"], "picked up, not confirmed yet"
        assert offer.rtp is not None
        await offer.rtp.press("1")
        await s.talking(1)
        await offer.hang_up()
        await call.ended()
        assert not call.hung_up_by_caller
        await s.empty()
        await s.engine.agent("anna", "ready")


async def test_a_mailbox_that_picks_up_has_rejected(stage: OpenStage) -> None:
    async with stage(
        agents={"anna": ["cards"], "bob": ["cards"]}, behaviour=PICKED_UP, defaults={"ring_timeout_s": "10"}
    ) as s:
        await set_agent(s, "anna", confirm="yes")
        call = await s.place(CallPlan("200", listens=True))
        mailbox = await s.rings("anna")
        await mailbox.answered()
        assert mailbox.rtp is not None
        await mailbox.rtp.press("7")
        taken = await s.phones["bob"].offered(timeout_s=15)
        await taken.answered()
        await s.talking(1)
        await mailbox.ended()
        await s.engine.agent("anna", "back-off", "rejected")
        await call.hang_up()
        await s.empty()


async def test_the_caller_gives_up_before_the_key(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"]}, behaviour=PICKED_UP) as s:
        await set_agent(s, "anna", confirm="yes")
        call = await s.place(CallPlan("200", listens=True))
        offer = await s.rings("anna")
        await offer.answered()
        await call.hang_up()
        await offer.ended()
        await s.empty()
        await s.engine.agent("anna", "ready")


async def test_wrap_up_is_extended_once(stage: OpenStage) -> None:
    wrap_up = {"wrap_up": {"mode": "capped", "seconds": "60", "extension_s": "30"}}
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer(talk_s=0.1), defaults=wrap_up) as s:
        await (await s.place(TO_CARDS)).ended()
        await s.engine.agent("anna", "wrap-up")
        for done in (True, False):
            code = await s.place(CallPlan("*26", caller_number="anna"))
            await code.ended()
            assert s.engine.logged("feature code")[-1]["done"] is done
        status = await s.engine.status()
        assert 75 < status["agents"][0]["until_s"] < 90
        await s.empty()

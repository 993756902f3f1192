"""Every overflow action on the real Asterisk, join rules, opening hours, and messages to those who wait."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from acd.lab.callers import CallPlan
from acd.lab.phones import Answer, Reject
from tests.integration.conftest import OUTSIDE, TRUNK, OpenStage
from tests.integration.stage import Stage, eventually
from tests.service.sites import MAIN

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

TO_CARDS = CallPlan("200")
OUTBOUND = {"outbound": {"allowed": ["+4930"], "trunk": TRUNK}}
NIGHT = {"zone": "Europe/Berlin", "hours": {}}
TREES: dict[str, Any] = {
    "main": {
        **MAIN,
        "prompts": {**MAIN["prompts"], "closed": {"en": {"text": "We are closed. Please call tomorrow."}}},
    }
}


def rules(*overflow: dict[str, Any], **more: Any) -> dict[str, dict[str, Any]]:
    return {"cards": {"overflow": list(overflow), **more}, "general": {}}


async def overflowed(s: Stage, to: str, call_number: int = 1) -> dict[str, Any]:
    """Wait for a log line that tells of an overflow there."""

    async def told() -> bool:
        return len(s.engine.logged("call overflows", to)) >= call_number

    await eventually(told, f"overflow to {to}")
    return s.engine.logged("call overflows", to)[call_number - 1]


async def test_to_another_queue_with_the_time_waited(stage: OpenStage) -> None:
    queues = rules({"when": {"waiting_s": "0.5"}, "then": {"queue": "general"}})
    async with stage(agents={"anna": ["cards"], "bob": ["general"]}, queues=queues, behaviour=Answer()) as s:
        await s.engine.post("/api/agents/anna/not-ready")
        await s.engine.post("/api/agents/bob/not-ready")
        call = await s.place(TO_CARDS)
        status = await s.engine.until(lambda status: [c["queue"] for c in status["calls"]] == ["general"])
        assert status["calls"][0]["state"] == "waiting"
        late = await s.place(CallPlan("300", caller_number="+49301"))
        await s.waiting(2)
        s.engine.kill()
        await s.engine.wait()
        await s.engine.start()
        await s.engine.ready()
        await s.waiting(2)
        assert {c["queue"] for c in (await s.engine.status())["calls"]} == {"general"}, "its channel knows where it is"
        await s.engine.post("/api/agents/bob/ready")
        offer = await s.phones["bob"].offered()
        assert offer.invite.from_user == TO_CARDS.caller_number, "the time waited counts"
        await s.talking(1)
        await call.hang_up()
        await (await s.phones["bob"].offered(2)).answered()
        await late.hang_up()
        await s.empty()


async def test_to_a_menu(stage: OpenStage) -> None:
    queues = rules({"when": {"waiting_s": "0.3"}, "then": {"menu": "main"}})
    async with stage(agents={"anna": ["general"]}, queues=queues) as s:
        call = await s.place(CallPlan("200", listens=True))
        await overflowed(s, "menu main.menu")
        await s.engine.until(lambda status: [c["state"] for c in status["calls"]] == ["menu"])
        await call.press("2")
        offer = await s.phones["anna"].offered()
        await call.hang_up()
        await offer.ended()
        await s.empty()


async def test_to_voicemail(stage: OpenStage) -> None:
    queues = rules({"when": {"waiting_s": "0.3"}, "then": {"voicemail": "100"}})
    async with stage(agents={"anna": ["general"]}, queues=queues) as s:
        inbox = Path(s.pbx.run_dir) / "spool" / "voicemail" / "default" / "100" / "INBOX"
        before = set(inbox.glob("*.wav"))
        call = await s.place(CallPlan("200", listens=True, steady_media=True))
        await overflowed(s, "voicemail 100")
        await call.press("#")  # past the greeting

        async def recording() -> bool:
            return any("Record" in line or "VoiceMail" in line for line in [await s.pbx.cli("core show channels")])

        await eventually(recording, "VoiceMail is running")

        async def is_written() -> bool:
            return any(path.stat().st_size > 16_000 for path in set(inbox.parent.rglob("*.wav")) - before)

        await eventually(is_written, "a second of message", timeout_s=25)
        await call.hang_up()

        async def is_kept() -> bool:
            return len(set(inbox.glob("msg*.wav")) - before) == 1

        await eventually(is_kept, "the message is in the box")
        await s.empty()
        assert await s.engine.metric('acd_calls_total{queue="cards",result="overflowed"}') == 1


async def test_a_box_that_is_not_there_keeps_the_caller_waiting(stage: OpenStage) -> None:
    queues = rules({"when": {"waiting_s": "0.3"}, "then": {"voicemail": "999"}})
    async with stage(agents={"anna": ["cards"]}, start="not-ready", queues=queues, behaviour=Answer()) as s:
        call = await s.place(TO_CARDS)
        await overflowed(s, "voicemail 999")
        await s.waiting(1)
        await s.engine.post("/api/agents/anna/ready")
        await s.talking(1)
        await call.hang_up()
        await s.empty()


async def test_to_an_outside_number(stage: OpenStage) -> None:
    queues = rules({"when": {"waiting_s": "0.3"}, "then": {"number": OUTSIDE[0]}})
    async with stage(agents={"anna": ["general"]}, queues=queues, routing=OUTBOUND) as s:
        s.phones[OUTSIDE[0]].behaviour = Answer()
        call = await s.place(TO_CARDS)
        outside = await s.phones[OUTSIDE[0]].offered()
        await outside.answered()
        await s.engine.until(lambda status: [c["state"] for c in status["calls"]] == ["menu"])
        await outside.hang_up()
        await call.ended()
        assert not call.hung_up_by_caller
        await s.empty()


async def test_an_outside_number_that_is_busy_or_not_allowed_keeps_the_caller_waiting(stage: OpenStage) -> None:
    queues = rules(
        {"when": {"waiting_s": "0.3"}, "then": {"number": OUTSIDE[0]}},
        {"when": {"waiting_s": "0.6"}, "then": {"number": OUTSIDE[1]}},
    )
    async with stage(agents={"anna": ["cards"]}, start="not-ready", queues=queues, routing=OUTBOUND) as s:
        s.phones[OUTSIDE[0]].behaviour = Reject(486)
        s.phones[OUTSIDE[1]].behaviour = Answer()
        call = await s.place(TO_CARDS)
        await overflowed(s, OUTSIDE[0])
        outside = await s.phones[OUTSIDE[1]].offered()
        await outside.answered()
        await call.hang_up()
        await outside.ended()
        await s.empty()

        async def told() -> bool:
            dialled = [line["status"] for line in s.engine.logged("outside number dialled")]
            return dialled == ["BUSY", "ANSWER"]

        await eventually(told, "what came of both numbers, also where the caller hung up")


async def test_a_closing_message(stage: OpenStage) -> None:
    queues = rules({"when": {"waiting_s": "0.3"}, "then": {"closing": "closed"}})
    async with stage(agents={"anna": ["general"]}, queues=queues, trees=TREES) as s:
        call = await s.place(CallPlan("200", listens=True))
        line = await overflowed(s, "closing closed")
        assert line["call_id"]
        await call.ended(15)
        assert not call.hung_up_by_caller
        assert call.ended_at is not None
        assert call.answered_at is not None
        assert call.ended_at - call.answered_at > 1.5, "the message was played"
        await s.empty()


async def test_join_rules_and_opening_hours(stage: OpenStage, tmp_path: Path) -> None:
    queues = {
        "cards": {
            "opening_hours": "never",
            "join": [{"when": {"out_of_hours": "yes"}, "then": {"closing": "closed"}}],
        },
        "general": {"join": [{"when": {"calls_waiting": "2"}, "then": {"closing": "closed"}}]},
    }
    folder = tmp_path / "site"
    folder.mkdir()
    calendars = {"calendars": {"never": NIGHT}}
    (folder / "calendars.yaml").write_text(yaml.safe_dump(calendars))
    async with stage(agents={"anna": ["cards", "general"]}, start="not-ready", queues=queues, trees=TREES) as s:
        closed = await s.place(TO_CARDS)
        await closed.ended(15)
        assert not closed.hung_up_by_caller
        first = await s.place(CallPlan("300"))
        await s.waiting(1)
        second = await s.place(CallPlan("300"))
        await second.ended(15)
        assert not second.hung_up_by_caller
        always = [{"zone": "Europe/Berlin", "hours": {"mon-sun": ["00:00-24:00"]}}]
        (folder / "calendars.yaml").write_text(yaml.safe_dump({"calendars": {"never": always[0]}}))
        code, body = await s.engine.post("/api/configuration/reload")
        assert code == 200, body
        now_open = await s.place(TO_CARDS)
        await s.waiting(2)
        await now_open.hang_up()
        await first.hang_up()
        await s.empty()


@pytest.mark.alone
async def test_a_message_is_cut_off_by_an_offer(stage: OpenStage) -> None:
    """The offer reaches the phone within 50 ms although the caller is being told something."""
    messages = [{"say": "position", "after_s": "0.2"}, {"play": "closed", "after_s": "0.3"}]
    async with stage(
        agents={"anna": ["cards"]}, start="not-ready", queues=rules(while_waiting=messages), trees=TREES
    ) as s:
        call = await s.place(CallPlan("200", listens=True))
        await s.waiting(1)

        await eventually(lambda: _plays(s), "the message is being played")
        code, _ = await s.engine.post("/api/agents/anna/ready")
        assert code == 200
        offer = await s.phones["anna"].offered()
        offered = s.engine.logged("call offered")[0]
        assert offered["call_id"]
        gap_s = offer.offered_at - _seconds(offered["timestamp"])
        assert gap_s < 0.05
        await call.hang_up()
        await s.empty()


async def _plays(s: Stage) -> bool:
    """Whether a sound file of the engine's is open in Asterisk."""
    pid = s.pbx.pid
    assert pid is not None
    return any("prompts" in name for name in _open_files(pid))


def _open_files(pid: int) -> list[str]:
    names = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed a moment ago
            names.append(str(path.readlink()))
    return names


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()

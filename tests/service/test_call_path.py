"""A call's way through the menus in its explanation: nodes, keys and outcomes, and no data that were keyed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from acd.core.events import MenuStepped
from acd.service.call_path import told_step
from ivr.context import CallContext
from ivr.outcome import NodeId
from ivr.record import Problem, ProblemKind, StepRecord
from tests.service.fake_channel import FakeChannel
from tests.service.process import Site, run
from tests.service.sites import write_site

ACCOUNT, PIN = "835164907213", "7264018359"  # too long to be part of a moment

TREE = {
    "start": "account",
    "prompts": {name: {"en": {"text": f"{name}?"}} for name in ("account", "pin", "choose")},
    "nodes": {
        "account": {"type": "collect", "prompt": "account", "name": "account", "max_digits": "12", "next": "pin"},
        "pin": {"type": "pin", "prompt": "pin", "name": "pin", "max_digits": "10", "next": "choose"},
        "choose": {"type": "menu", "prompt": "choose", "choices": {"1": "one", "2": "queue"}},
        "one": {"type": "agent", "agent": "bob", "on_not_ready": "choose"},
        "queue": {"type": "enqueue", "queue": "cards"},
    },
}  # fmt: skip


def record(**changed: Any) -> StepRecord:
    given: dict[str, Any] = {
        "call_id": "c1",
        "number": 1,
        "node": NodeId("main.a"),
        "type": "menu",
        "language": "en",
        "outcome": "choice",
        "key": "12",
        "to": NodeId("main.b"),
    }
    return StepRecord(**(given | changed))


def test_keys_are_told_where_they_choose() -> None:
    call = CallContext(call_id="c1")
    assert told_step(record(), call) == MenuStepped("c1", "main.a", "choice", "12", "main.b")
    assert told_step(record(type="play", outcome="back", key="*"), call).key == "*"
    for asks in ("collect", "pin", "callback", "survey", "voicemail-access"):
        assert told_step(record(type=asks, outcome="entered"), call).key == "", asks


def test_what_a_calendar_said_and_what_was_amiss_stand_beside_it() -> None:
    call = CallContext(call_id="c1", hours={"calendar": "office", "why": "fire drill"})
    problems = (Problem(ProblemKind.SPEECH_MISSING, "4711"),)
    assert told_step(record(type="hours", problems=problems), call).detail == (
        "calendar office: fire drill; speech-missing"
    )
    assert told_step(record(type="play"), call).detail == "", "the calendar was asked before"


async def press(channel: FakeChannel, keys: str) -> None:
    for key in keys:
        await channel.until("WAIT FOR DIGIT")
        channel.reply(f"200 result={ord(key)}")


def steps(site: Site, call_id: str) -> list[tuple[str, str, str, str]]:
    explanation = site.parts.backend.explain_call(call_id)
    assert explanation is not None
    story: Any = explanation["story"]
    told = [line["step"] for line in story if "step" in line]
    return [(step["node"], step["outcome"], step["key"], step["to"]) for step in told]


async def test_the_way_of_a_live_call_without_what_it_keyed_in(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site", agents={"anna": ["cards"], "bob": ["general"]}, trees={"main": TREE},
                        routing={"numbers": {"default": "main"}}, start="not-ready")  # fmt: skip
    async with run(folder) as site:
        channel = await site.enter(extension="100")
        await press(channel, ACCOUNT)  # the account
        await press(channel, PIN)  # the PIN
        await press(channel, "1")
        await press(channel, "2")
        await channel.until("SET MUSIC")
        call_id = site.call.id
        assert steps(site, call_id) == [
            ("main.account", "entered", "", "main.pin"),
            ("main.pin", "entered", "", "main.choose"),
            ("main.choose", "choice", "1", "main.one"),
            ("main.one", "agent", "", ""),
            ("main.one", "not-ready", "", "main.choose"),
            ("main.choose", "choice", "2", "main.queue"),
            ("main.queue", "enqueue", "", ""),
        ]
        site.parts.close()
        written = "".join(file.read_text() for file in (folder / "state" / "journal").iterdir())
        assert call_id in written
        assert ACCOUNT not in written
        assert PIN not in written


async def test_the_hang_up_of_a_caller_is_told_and_being_let_go_is_none(tmp_path: Path) -> None:
    async with run(write_site(tmp_path / "site")) as site:
        channel = await site.enter(extension="100")
        await channel.until("WAIT FOR DIGIT")
        call_id = site.call.id
        channel.hang_up()
        await site.until(lambda: bool(steps(site, call_id)))
        assert steps(site, call_id) == [("main.menu", "caller-gone", "", "")]

        channel = await site.enter("1.2", extension="100")
        await channel.until("WAIT FOR DIGIT")
        call_id = site.call.id
        assert site.parts.sessions.let_go_waiting() == 0
        await channel.closed()
        assert steps(site, call_id) == []


async def test_a_call_taken_over_says_so(tmp_path: Path) -> None:
    async with run(write_site(tmp_path / "site")) as site:
        channel = await site.enter(extension="100")
        await channel.until("WAIT FOR DIGIT")
        call_id, state = site.call.id, channel.variables["ACD_STATE"]
    (tmp_path / "next").mkdir()
    async with run(write_site(tmp_path / "next" / "site")) as site:
        channel = await site.enter(extension="100", call_id=call_id)
        channel.variables["ACD_STATE"] = state
        await channel.until("WAIT FOR DIGIT")
        explanation: Any = site.parts.backend.explain_call(call_id)
        assert [line["what"] for line in explanation["story"]] == ["taken over"]

"""Overflow and announcements command by command, on a scripted channel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from acd.core.events import AgentReady
from acd.core.transitions import CallState
from acd.service.call_state import CallPhase, StoredCall
from acd.service.prompts import Resolved
from tests.service.process import Site, run
from tests.service.sites import write_site

NOBODY = {"anna": ["cards"]}
OUTBOUND = {"outbound": {"allowed": ["+4930"], "trunk": "PJSIP/{number}@trunk"}}


def rule(then: Mapping[str, object], waiting_s: str = "0.1") -> dict[str, object]:
    return {"overflow": [{"when": {"waiting_s": waiting_s}, "then": dict(then)}]}


def folder_of(tmp_path: Path, queue: Mapping[str, object], **more: object) -> Path:
    queues = {"cards": queue, "general": {"music": "jazz"}}
    return write_site(tmp_path / "site", agents=NOBODY, start="not-ready", queues=queues, routing=more)


async def test_another_queue_has_other_music_and_the_channel_knows(tmp_path: Path) -> None:
    async with run(folder_of(tmp_path, rule({"queue": "general"}))) as site:
        channel = await site.enter(extension="200")
        assert await channel.until("SET MUSIC") == "SET MUSIC ON default"
        assert await channel.until("SET MUSIC") == "SET MUSIC ON jazz"
        stored = StoredCall.decode(channel.variables["ACD_STATE"])
        assert (stored.phase, stored.queue) == (CallPhase.QUEUE, "general")
        assert site.call.queue is not None
        assert site.call.queue.spec.id == "general"


async def test_voicemail_is_told_before_it_begins_that_the_call_ends_with_it(tmp_path: Path) -> None:
    async with run(folder_of(tmp_path, rule({"voicemail": "100@sales"}))) as site:
        channel = await site.enter(extension="200")
        assert await channel.until("EXEC VoiceMail") == 'EXEC VoiceMail "100@sales,u"'
        assert (channel.variables["ACD_DONE"], channel.variables["ACD_STATE"]) == ("hangup", "")
        assert "SET MUSIC OFF" in channel.commands
        channel.variables["VMSTATUS"] = "SUCCESS"
        channel.reply("200 result=0")
        await channel.closed()
        assert not site.parts.engine.calls


async def test_a_number_that_does_not_answer_keeps_the_caller_waiting_in_the_old_place(tmp_path: Path) -> None:
    async with run(folder_of(tmp_path, rule({"number": "+493012"}), **OUTBOUND)) as site:
        channel = await site.enter(extension="200")
        dial = await channel.until("EXEC Dial")
        assert dial == 'EXEC Dial "PJSIP/+493012@trunk,60,grL(14400000)"'
        entered_at = site.call.entered_at
        channel.ended_dial("BUSY")
        assert await channel.until("SET MUSIC") == "SET MUSIC ON default"
        assert channel.variables["ACD_DONE"] == ""
        assert StoredCall.decode(channel.variables["ACD_STATE"]).queue == "cards"
        assert site.call.state is CallState.WAITING
        assert site.call.entered_at == pytest.approx(entered_at, abs=0.05)
        site.parts.host.post(AgentReady("anna"))
        assert (await channel.until("EXEC Dial")).startswith('EXEC Dial "PJSIP/anna,')


def told(site: Site, call_id: str) -> list[tuple[str, str]]:
    """Steps without a node, of the call's story."""
    story: Any = (site.parts.backend.explain_call(call_id) or {})["story"]
    return [
        (line["step"]["outcome"], line["step"]["detail"]) for line in story if not line.get("step", {"node": 1})["node"]
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [("ANSWER", "answered"), ("BUSY", "busy"), ("NOANSWER", "no answer"), ("CONGESTION", "failed"), ("", "failed")],
)
async def test_what_came_of_an_outside_number_is_told(tmp_path: Path, status: str, words: str) -> None:
    async with run(folder_of(tmp_path, rule({"number": "+493012"}), **OUTBOUND)) as site:
        channel = await site.enter(extension="200")
        await channel.until("EXEC Dial")
        call_id = site.call.id
        channel.ended_dial(status)
        await (channel.closed() if status == "ANSWER" else channel.until("SET MUSIC"))
        assert told(site, call_id) == [("outside number", f"+493012: {words}")]


@pytest.mark.parametrize(
    ("status", "words"), [("ANSWER", "answered"), ("CANCEL", "the caller hung up before an answer")]
)
async def test_an_outside_number_that_the_caller_leaves_is_told_as_well(
    tmp_path: Path, status: str, words: str
) -> None:
    async with run(folder_of(tmp_path, rule({"number": "+493012"}), **OUTBOUND)) as site:
        channel = await site.enter(extension="200")
        await channel.until("EXEC Dial")
        call_id = site.call.id
        channel.variables["DIALSTATUS"] = status
        channel.reply("200 result=-1")
        channel.hang_up()
        await channel.closed()
        assert told(site, call_id) == [("outside number", f"+493012: {words}")]


@pytest.mark.parametrize(("stays", "words"), [(True, "heard to its end"), (False, "the caller hung up before its end")])
async def test_what_came_of_a_closing_prompt_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stays: bool, words: str
) -> None:
    async with run(folder_of(tmp_path, rule({"closing": "goodbye"}))) as site:
        monkeypatch.setattr(site.parts.prompts, "resolve_all", Voice().resolve_all)
        channel = await site.enter(extension="200")
        channel.rules.pop("STREAM FILE")
        await channel.until("STREAM FILE")
        call_id = site.call.id
        channel.reply("200 result=0 endpos=100" if stays else "200 result=-1 endpos=50")
        await channel.closed()
        assert told(site, call_id) == [("closing prompt", f"goodbye: {words}")]


async def test_a_join_rule_that_comes_to_nothing_is_followed_by_the_next_and_then_by_waiting(tmp_path: Path) -> None:
    when = {"nobody_ready": "yes"}
    queue = {"join": [{"when": when, "then": {"number": "+493012"}}, {"when": when, "then": {"number": "+493013"}}]}
    async with run(folder_of(tmp_path, queue, **OUTBOUND)) as site:
        channel = await site.enter(extension="200")
        for number in ("+493012", "+493013"):
            assert (await channel.until("EXEC Dial")).startswith(f'EXEC Dial "PJSIP/{number}@trunk')
            channel.ended_dial("BUSY")
        assert await channel.until("SET MUSIC") == "SET MUSIC ON default"
        assert site.call.state is CallState.WAITING


async def test_join_rules_are_not_for_those_who_wait_already(tmp_path: Path) -> None:
    """Neither for whom a way out led back, nor for whom an engine that ended left in the queue."""
    refused = {"join": [{"when": {"calls_waiting": "1"}, "then": {"number": "+493012"}}]}
    async with run(folder_of(tmp_path, refused, **OUTBOUND)) as site:
        waits = StoredCall(
            phase=CallPhase.QUEUE, arrived_at=time.time(), dialled="200", queue="cards", entered_at=time.time()
        )
        channel = await site.enter(call_id="before")
        channel.variables["ACD_STATE"] = waits.encode()
        assert await channel.until("SET MUSIC") == "SET MUSIC ON default"
        assert site.call.state is CallState.WAITING
        await (await site.enter("1.2", extension="200")).until('EXEC Dial "PJSIP/+493012@trunk')


async def test_rules_that_send_the_caller_to_and_fro_stop_acting_and_the_caller_waits(tmp_path: Path) -> None:
    queue = {"overflow": [{"when": {"nobody_ready": "yes"}, "then": {"number": "+493012"}, "repeat": "yes"}]}
    async with run(folder_of(tmp_path, queue, **OUTBOUND)) as site:
        channel = await site.enter(extension="200")
        for _ in range(4):
            await channel.until("EXEC Dial")
            channel.ended_dial("NOANSWER")
        assert await channel.until("SET MUSIC") == "SET MUSIC ON default"
        site.parts.host.post(AgentReady("anna"))
        await channel.until("EXEC Dial")
        assert site.call.state is CallState.OFFERED


class Voice:
    """Says everything with one file, after a while."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self._takes_s = takes_s

    async def resolve_all(self, speech: object, language: str) -> Resolved:
        await asyncio.sleep(self._takes_s)
        return Resolved(("/sounds/file",), ())


async def announced(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.parts.prompts, "resolve_all", Voice().resolve_all)
    monkeypatch.setattr(type(site.parts.link), "connected", True)


POSITION = {"while_waiting": [{"say": "position", "after_s": "0.1"}]}


async def test_an_announcement_is_stopped_until_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asterisk may not have begun the sound when the first stop arrives."""
    async with run(folder_of(tmp_path, POSITION)) as site:
        await announced(site, monkeypatch)
        channel = await site.enter(extension="200")
        channel.rules.pop("STREAM FILE")
        assert await channel.until("STREAM FILE") == "STREAM FILE /sounds/file 0123456789*#ABCD 0"
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len([1 for name, _ in site.sent if name == "ControlPlayback"]) >= 3)
        assert dict(site.sent[0][1]) == {"Channel": "PJSIP/trunk-00000001", "Control": "stop"}
        channel.reply("200 result=0 endpos=100")
        assert (await channel.next_command()).startswith('EXEC Dial "PJSIP/anna,'), "nothing more is said first"


async def test_without_ami_nothing_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not be stopped for an offer."""
    async with run(folder_of(tmp_path, POSITION)) as site:
        await announced(site, monkeypatch)
        monkeypatch.setattr(type(site.parts.link), "connected", False)
        channel = await site.enter(extension="200")
        await channel.until("SET MUSIC")
        said_at = site.call.entered_at + 0.15
        await site.until(lambda: site.parts.host.now() > said_at)
        site.parts.host.post(AgentReady("anna"))
        assert (await channel.next_command()).startswith('EXEC Dial "PJSIP/anna,')


async def test_music_comes_back_after_an_announcement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with run(folder_of(tmp_path, POSITION)) as site:
        await announced(site, monkeypatch)
        channel = await site.enter(extension="200")
        await channel.until("SET MUSIC")
        assert (await channel.next_command()).startswith("STREAM FILE"), "in one file, however many parts it has"
        assert await channel.next_command() == "SET MUSIC ON default"

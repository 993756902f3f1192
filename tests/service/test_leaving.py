"""Leaving menus and queues step by step: keys told by AMI and by the line, one agent alone, dials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acd.core.events import AgentNotReady, AgentReady
from acd.core.transitions import AgentState, CallState
from acd.service import one_agent
from acd.service.asterisk_link import AsteriskLink
from acd.service.call_state import CallPhase, StoredCall
from tests.service.fake_channel import FakeChannel, dial_without_place
from tests.service.process import UNIQUEID, Site, run
from tests.service.sites import MAIN, write_site

NODES: dict[str, Any] = {
    **MAIN["nodes"],
    "anna": {"type": "agent", "agent": "anna", "next": "bye", "on_busy": "busy", "on_failure": "failed"},
    "patient": {"type": "agent", "agent": "anna", "wait_s": "30", "on_failure": "failed"},
    "branch": {"type": "transfer", "number": "+493098765", "next": "bye", "on_failure": "failed"},
    "bye": {"type": "hangup"},
    "busy": {"type": "hangup"},
    "failed": {"type": "hangup"},
}
ROUTING: dict[str, Any] = {
    "numbers": {
        "200": "main.cards",
        "401": "main.anna",
        "402": "main.patient",
        "404": "main.branch",
        "default": "main",
    },
    "outbound": {"allowed": ["+4930"], "trunk": "PJSIP/{number}@trunk"},
    "callbacks": {"home_country": "DE"},
}
QUEUES: dict[str, Any] = {
    "cards": {"keys": {"1": {"menu": "main.bye"}, "2": {"queue": "general"}, "3": {"menu": "main.cards"}}},
    "general": {},
}


@pytest.fixture(autouse=True)
def in_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AsteriskLink, "connected", True)


@asynccontextmanager
async def opened(tmp_path: Path, start: str = "not-ready", **agents: list[str]) -> AsyncIterator[Site]:
    folder = write_site(
        tmp_path / "site",
        agents=agents or {"anna": ["cards"], "bob": ["cards"]},
        start=start,
        queues=QUEUES,
        routing=ROUTING,
        trees={"main": {**MAIN, "nodes": NODES}},
    )
    async with run(folder) as site:
        yield site


async def waiting(site: Site, extension: str = "200") -> FakeChannel:
    channel = await site.enter(extension=extension)
    await channel.until("SET MUSIC ON")
    assert site.call.state is CallState.WAITING
    return channel


def pressed(site: Site, key: str, uniqueid: str = UNIQUEID) -> None:
    site.ami("DTMFEnd", Uniqueid=uniqueid, Digit=key, Direction="Received")


async def test_a_key_leads_out_of_the_queue(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await waiting(site)
        site.ami("DTMFEnd", Uniqueid=UNIQUEID, Digit="1", Direction="Sent")
        pressed(site, "7")
        pressed(site, "1", uniqueid="another")
        states = [site.call.state]
        pressed(site, "1")
        states.append(site.call.state)
        assert states == [CallState.WAITING, CallState.MENU], "the engine knows before anything else can happen"
        await channel.closed()
        assert channel.variables["ACD_DONE"] == "hangup"


async def test_a_caller_who_leaves_is_offered_to_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await waiting(site)
        pressed(site, "1")
        site.parts.host.post(AgentReady("anna"))
        await channel.closed()
        assert not any("Dial" in command for command in channel.commands)
        assert site.agent("anna") is AgentState.READY


async def test_a_phone_that_rings_wins_over_the_key(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await waiting(site)
        site.parts.host.post(AgentReady("anna"))
        pressed(site, "1")
        await channel.until("EXEC Dial")
        assert site.call.state is CallState.OFFERED
        site.dial_begins("anna", "L1")
        site.bridged("L1")
        assert site.agent("anna") is AgentState.TALKING


async def test_another_queue_keeps_the_time_waited(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await waiting(site)
        entered_at = site.call.entered_at
        pressed(site, "2")
        await channel.until("EXEC MSet")
        await site.until(lambda: site.call.state is CallState.WAITING)
        assert site.call.queue is not None
        assert site.call.queue.spec.id == "general"
        assert site.call.entered_at == pytest.approx(entered_at, abs=0.05)


async def test_the_way_through_a_menu_and_back_keeps_it_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await waiting(site)
        entered_at = site.call.entered_at
        pressed(site, "3")
        await channel.until("EXEC MSet")
        await site.until(lambda: site.call.state is CallState.WAITING)
        assert site.call.entered_at == pytest.approx(entered_at, abs=0.05)


async def test_one_agent_alone_is_offered_the_call(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        site.parts.host.post(AgentReady("bob"))
        site.parts.host.post(AgentReady("anna"))
        channel = await site.enter(extension="401")
        assert dial_without_place(await channel.until("EXEC Dial")) == 'EXEC Dial "PJSIP/anna,2,gim(default)"'
        assert site.agent("bob") is AgentState.READY
        site.dial_begins("anna", "L1")
        site.bridged("L1")
        channel.ended_dial("ANSWER")
        await channel.closed()
        assert site.agent("anna") is AgentState.READY


@pytest.mark.parametrize(
    ("status", "cause", "why", "to"),
    [
        ("BUSY", "17", "busy", "busy"),
        ("NOANSWER", "19", "no-answer", "failed"),
        ("CHANUNAVAIL", "20", "not-ready", "failed"),
    ],
)
async def test_when_her_phone_does_not_take_it_the_caller_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str, cause: str, why: str, to: str
) -> None:
    async with opened(tmp_path, start="ready") as site:
        channel = await site.enter(extension="401")
        await channel.until("EXEC Dial")
        channel.ended_dial(status, HANGUPCAUSE=cause)
        await channel.closed()
        assert site.agent("anna") is AgentState.BACK_OFF
        told = capsys.readouterr().out
        assert f"why={why}" in told
        assert f"main.{to}" in told
        assert site.agent("bob") is AgentState.READY, "and nobody else is asked"
        assert len([command for command in channel.commands if "Dial" in command]) == 1


async def test_who_is_not_there_is_not_waited_for(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await site.enter(extension="402")
        await channel.closed()
        assert not any("MUSIC" in command for command in channel.commands)


async def test_who_goes_away_is_waited_for_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acd.service.waiting._LOOK_AGAIN_S", 0.02)
    async with opened(tmp_path) as site:
        site.parts.host.post(AgentReady("anna"))
        first = await site.enter("1.1", extension="401")
        await first.until("EXEC Dial")
        site.dial_begins("anna", "L1", "1.1")
        site.bridged("L1", "1.1")
        second = await site.enter("1.2", extension="402")
        await second.until("SET MUSIC ON")
        site.parts.host.post(AgentNotReady("anna"))  # after this talk
        first.ended_dial("ANSWER")
        await second.closed()
        assert site.agent("anna") is AgentState.NOT_READY


async def test_offers_that_are_suspended_for_a_moment_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_agent, "_ABOUT_TO_RING_S", 0.0)
    monkeypatch.setattr("acd.service.waiting._LOOK_AGAIN_S", 0.02)
    async with opened(tmp_path, start="ready") as site:
        site.parts.engine.world.suspended = "a test"
        channel = await site.enter(extension="401")
        await channel.closed()
        assert site.agent("anna") is AgentState.READY


async def test_the_channel_remembers_a_dial_and_the_engine_goes_on_behind_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await site.enter(extension="404")
        dial = await channel.until("EXEC Dial")
        assert dial == 'EXEC Dial "PJSIP/+493098765@trunk,30,girL(14400000)"'
        state = StoredCall.decode(channel.variables["ACD_STATE"])
        assert (state.phase, state.node, state.again) == (CallPhase.DIALLED, "main.bye", "main.branch")
        call_id = channel.variables["ACD_CALL"]
        await channel.close()
        answered = await site.enter("1.3", call_id=call_id)
        answered.variables |= {"ACD_STATE": state.encode(), "DIALSTATUS": "ANSWER", "ANSWEREDTIME": "3"}
        await answered.closed()
        assert not any("Dial" in command for command in answered.commands), "they have talked"
        again = await site.enter("1.4", call_id=call_id)
        again.variables |= {"ACD_STATE": state.encode(), "DIALSTATUS": "CANCEL"}
        await again.until("EXEC Dial")


async def test_an_agent_who_was_asked_for_is_asked_again_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path, start="ready") as site:
        channel = await site.enter(extension="401")
        await channel.until("EXEC Dial")
        state = StoredCall.decode(channel.variables["ACD_STATE"])
        assert (state.phase, state.again, state.node) == (CallPhase.QUEUE, "main.anna", "main.bye")
        channel.hang_up()
        channel.reply("200 result=-1")
        await channel.closed()
        again = await site.enter("1.3", call_id="20260101T000000-abcd")
        again.variables |= {"ACD_STATE": replace(state, entered_at=state.entered_at - 60).encode()}
        assert "PJSIP/anna" in await again.until("EXEC Dial")
        waited_s = site.parts.host.now() - site.parts.engine.calls["20260101T000000-abcd"].entered_at
        assert waited_s >= 60, "in the old place"

"""Calls through the whole process but Asterisk: a scripted channel and scripted AMI events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from acd.core.commands import FaultFound
from acd.core.events import CallLeftQueue, CallQueued
from acd.core.specs import RoutingSpec
from acd.core.transitions import AgentState, CallState
from tests.service.fake_channel import dial_without_place
from tests.service.process import Site, run
from tests.service.sites import write_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with run(write_site(tmp_path / "site")) as site:
        yield site


# The way through.


async def test_a_call_from_the_menu_to_the_agent_and_back(site: Site) -> None:
    channel = await site.enter(extension="100")
    assert await channel.until("EXEC Answer") == 'EXEC Answer ",i"'
    await channel.until("WAIT FOR DIGIT")
    channel.reply("200 result=49")
    dial = await channel.until("EXEC Dial")
    assert dial_without_place(dial) == 'EXEC Dial "PJSIP/anna,2,gim(default)"'
    assert site.call.state is CallState.OFFERED
    site.dial_begins("anna", "L1")
    site.bridged("L1")
    assert site.agent("anna") is AgentState.TALKING
    channel.ended_dial("ANSWER", ANSWEREDTIME="1", DIALEDPEERNAME="PJSIP/anna-0000000a")
    assert await channel.next_command() == "SET VARIABLE ACD_DONE hangup"
    await channel.closed()
    assert site.agent("anna") is AgentState.READY
    assert not site.parts.engine.calls
    assert not [command for command in channel.commands if "DIALSTATUS|" in command], "AMI had told all"


async def test_the_agents_end_reaches_the_next_caller_without_a_question(site: Site) -> None:
    first = await site.enter("1.1", extension="200")
    await first.until("EXEC Dial")
    second = await site.enter("1.2", extension="200")
    await second.until("EXEC Dial")
    third = await site.enter("1.3", extension="200")
    assert await third.until("SET MUSIC ON") == "SET MUSIC ON default"
    site.dial_begins("anna", "L1", "1.1")
    site.bridged("L1", "1.1")
    first.ended_dial("ANSWER")
    assert dial_without_place(await third.next_command()) == 'EXEC Dial "PJSIP/anna,2,gim(default)"'


async def test_without_ami_the_channel_is_asked(site: Site) -> None:
    channel = await site.enter()
    await channel.until("EXEC Dial")
    channel.ended_dial("ANSWER", ANSWEREDTIME="3", DIALEDPEERNAME="PJSIP/anna-0000000a")
    await channel.closed()
    assert "GET FULL VARIABLE" in " ".join(channel.commands)
    assert site.agent("anna") is AgentState.READY
    assert site.parts.engine.agents["anna"].counts.calls == 1


@pytest.mark.parametrize(
    ("status", "cause", "reason"),
    [
        ("NOANSWER", "0", "missed"),
        ("BUSY", "17", "rejected"),
        ("NOANSWER", "21", "rejected"),
        ("CHANUNAVAIL", "20", "unreachable"),
    ],
)
async def test_a_failed_offer_goes_to_the_next_agent_at_once(site: Site, status: str, cause: str, reason: str) -> None:
    channel = await site.enter()
    await channel.until("EXEC Dial")
    channel.ended_dial(status, HANGUPCAUSE=cause)
    assert dial_without_place(await channel.until("EXEC Dial")) == 'EXEC Dial "PJSIP/bob,2,gim(default)"'
    assert (site.agent("anna"), site.parts.engine.agents["anna"].reason) == (AgentState.BACK_OFF, reason)
    assert channel.commands.count("SET MUSIC ON default") == 0, (
        "no music between two dials: the next one brings its own"
    )


async def test_music_comes_back_when_nobody_is_left(site: Site) -> None:
    channel = await site.enter()
    for _ in range(2):
        await channel.until("EXEC Dial")
        channel.ended_dial("BUSY", HANGUPCAUSE="17")
    assert await channel.until("SET MUSIC") == "SET MUSIC ON default"
    assert site.call.state is CallState.WAITING


async def test_ringing_tone_instead_of_music(tmp_path: Path) -> None:
    queues = {"cards": {"while_ringing": "ringing", "music": "jazz"}, "general": {}}
    async with run(write_site(tmp_path / "site", queues=queues)) as site:
        channel = await site.enter()
        assert dial_without_place(await channel.until("EXEC Dial")) == 'EXEC Dial "PJSIP/anna,2,gir"'
        channel.ended_dial("BUSY", HANGUPCAUSE="17")
        await channel.until("EXEC Dial")
        channel.ended_dial("BUSY", HANGUPCAUSE="17")
        assert await channel.until("SET MUSIC") == "SET MUSIC ON jazz"


# The caller's end.


async def test_the_caller_hangs_up_while_waiting(site: Site) -> None:
    site.parts.engine.world.suspended = "nobody is offered in this test"
    channel = await site.enter()
    await channel.until("SET MUSIC")
    await site.until(lambda: site.call.state is CallState.WAITING)
    channel.hang_up()
    await channel.closed()
    assert not site.parts.engine.calls
    assert len(site.parts.sessions) == 0


@pytest.mark.parametrize("how", ["hang_up", "tear"])
async def test_the_caller_is_gone_while_ringing(site: Site, how: str) -> None:
    channel = await site.enter()
    await channel.until("EXEC Dial")
    getattr(channel, how)()
    await site.until(lambda: not site.parts.engine.calls)
    assert site.agent("anna") is AgentState.READY
    assert len(site.parts.sessions) == 0


async def test_the_caller_is_gone_at_the_moment_of_the_answer(site: Site) -> None:
    channel = await site.enter()
    await channel.until("EXEC Dial")
    site.dial_begins("anna", "L1")
    site.dial_ends("L1", "ANSWER")
    channel.reply("200 result=-1")
    channel.hang_up()
    await channel.closed()
    assert site.agent("anna") is AgentState.READY
    assert not site.parts.engine.calls


async def test_a_blind_transfer_frees_the_agent_and_closes_the_line(site: Site) -> None:
    channel = await site.enter()
    await channel.until("EXEC Dial")
    site.dial_begins("anna", "L1")
    site.bridged("L1")
    before = len(channel.commands)
    channel.reply("200 result=0\nHANGUP")
    await channel.closed()
    assert channel.commands[before:] == [], "nothing is set on a channel that is somebody else's now"
    assert site.agent("anna") is AgentState.READY


async def test_an_attended_transfer_frees_the_agent_while_the_caller_stays_in_dial(site: Site) -> None:
    channel = await site.enter()
    await channel.until("EXEC Dial")
    site.dial_begins("anna", "L1")
    site.bridged("L1")
    site.ami("Hangup", Uniqueid="L1", Cause="16", Channel="PJSIP/anna-0000000a")
    assert site.agent("anna") is AgentState.READY
    assert len(site.parts.sessions) == 1
    channel.reply("200 result=-1")
    channel.hang_up()
    await channel.closed()
    assert not site.parts.engine.calls


# What the engine wants.


async def test_a_cancelled_offer_stops_the_phone(site: Site) -> None:
    channel = await site.enter()
    await channel.until("EXEC Dial")
    site.dial_begins("anna", "L1")
    site.parts.host.post(CallLeftQueue(site.call.id))
    assert site.sent == [("Hangup", {"Channel": "PJSIP/anna-0000000a", "Cause": "26"})]
    assert site.agent("anna") is AgentState.READY


async def test_a_call_that_the_engine_lost_is_queued_again_in_its_place(site: Site) -> None:
    site.parts.engine.world.suspended = "nobody is offered in this test"
    channel = await site.enter()
    await channel.until("SET MUSIC")
    await site.until(lambda: site.call.state is CallState.WAITING)
    lost = site.call
    del site.parts.engine.world.calls[lost.id]
    lost.queue.waiting.clear() if lost.queue is not None else None
    site.parts.sessions.dispatch(FaultFound(1, f"call {lost.id}", "made up", ()))
    await site.until(lambda: bool(site.parts.engine.calls))
    assert site.call.id == lost.id
    assert site.call.entered_at == pytest.approx(lost.entered_at, abs=0.5)


async def test_the_engine_believing_in_a_caller_who_is_not_there_is_put_right(site: Site) -> None:
    """And does not go round offering him for ever."""
    site.parts.host.post(CallQueued("nobody", "cards"))
    assert not site.parts.engine.calls
    channel = await site.enter()
    await channel.until("EXEC Dial")


async def test_an_offer_that_outlives_its_time_was_answered(tmp_path: Path) -> None:
    """AMI tells nothing, and the dial does not return: the two must be talking."""
    async with run(write_site(tmp_path / "site", defaults={"ring_timeout_s": "1"})) as site:
        site.parts.engine.world.routing = _with_lease(site, 0.2)
        channel = await site.enter()
        await channel.until("EXEC Dial")
        await site.until(lambda: site.agent("anna") is AgentState.TALKING)
        assert site.call.state is CallState.TALKING


def _with_lease(site: Site, margin_s: float) -> RoutingSpec:
    return replace(site.parts.engine.world.routing, lease_margin_s=margin_s)


# Agents.


@pytest.mark.parametrize(
    ("verb", "state"),
    [("not-ready", AgentState.NOT_READY), ("logout", AgentState.LOGGED_OUT), ("ready", AgentState.READY)],
)
async def test_feature_codes(site: Site, verb: str, state: AgentState) -> None:
    channel = await site.dial_code(verb, "PJSIP/anna-00000007")
    await channel.until("SET VARIABLE ACD_DONE")
    await channel.closed()
    assert site.agent("anna") is state


async def test_a_phone_that_is_no_agents_changes_nothing(site: Site) -> None:
    channel = await site.dial_code("logout", "PJSIP/trunk-00000007")
    await channel.until("SET VARIABLE ACD_DONE")
    await channel.closed()
    assert [agent.state for agent in site.parts.engine.agents.values()] == [AgentState.READY, AgentState.READY]


async def test_states_survive_a_restart(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site")
    async with run(folder) as site:
        writer = asyncio.create_task(site.parts.agent_states.run())
        channel = await site.dial_code("not-ready", "PJSIP/anna-00000007")
        await channel.until("SET VARIABLE ACD_DONE")
        await site.parts.agent_states.flush()
        writer.cancel()
    async with run(folder) as site:
        assert site.agent("anna") is AgentState.NOT_READY
        assert site.agent("bob") is AgentState.READY


# Ending.


async def test_draining_gives_waiting_callers_back_and_keeps_talks(site: Site) -> None:
    talking = await site.enter("1.1")
    await talking.until("EXEC Dial")
    site.dial_begins("anna", "L1", "1.1")
    site.bridged("L1", "1.1")
    site.parts.engine.world.suspended = "draining"
    waiting = await site.enter("1.2")
    await waiting.until("SET MUSIC")
    menu = await site.enter("1.3", extension="100")
    await menu.until("WAIT FOR DIGIT")
    assert site.parts.sessions.let_go_waiting() == 1
    await waiting.closed()
    await menu.closed()
    assert "ACD_DONE" not in waiting.variables
    assert "ACD_DONE" not in menu.variables
    assert site.agent("anna") is AgentState.TALKING
    late = await site.enter("1.4")
    await late.closed()
    assert late.commands == []
    talking.ended_dial("ANSWER")
    await talking.until("SET VARIABLE ACD_DONE")
    await talking.closed()
    assert site.parts.sessions.let_go_waiting() == 0


@pytest.mark.parametrize(
    ("technology", "handed_over", "name"),
    [
        ("PJSIP", r"Ann \"Bo\" Li", 'Ann "Bo" Li'),
        ("PJSIP", r"a \\ b", r"a \ b"),
        ("PJSIP", "李安娜", "李安娜"),
        ("PJSIP", "\\", "\\"),
        ("SIP", r"C:\Ann", r"C:\Ann"),  # chan_sip takes them out itself
    ],
)
async def test_a_name_from_a_sip_display_name_is_known_without_its_escapes(
    site: Site, technology: str, handed_over: str, name: str
) -> None:
    channel = await site.enter(type=technology, calleridname=handed_over, extension="200")
    await channel.until("EXEC Dial")
    context = site.parts.sessions.context_of(site.call.id)
    assert context is not None
    assert context.caller_name == name


# Hostile callers.


async def test_hostile_names_reach_no_command(site: Site) -> None:
    name = '"; CR LF Action: Originate ${SHELL(reboot)}' + "x" * 10_000
    channel = await site.enter(calleridname=name, callerid="${SHELL(reboot)}", extension="200")
    await channel.until("EXEC Dial")
    assert not [command for command in channel.commands if "SHELL" in command or "Originate" in command]
    assert len(site.call.caller) <= 80

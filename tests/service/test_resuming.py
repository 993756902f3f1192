"""Callers who come back from an engine before: where they go on, by what their channel remembers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from acd.core.events import OffersResumed
from acd.core.transitions import CallState
from acd.service.call_state import CallPhase, StoredCall
from tests.service.fake_channel import FakeChannel, dial_without_place
from tests.service.process import UNIQUEID, Site, run
from tests.service.sites import write_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with run(write_site(tmp_path / "site")) as site:
        yield site


def stored(**changes: object) -> str:
    values: dict[str, object] = {
        "phase": CallPhase.QUEUE,
        "arrived_at": time.time() - 100,
        "queue": "cards",
        "entered_at": time.time() - 60,
        "dialled": "200",
    }
    return StoredCall(**{**values, **changes}).encode()  # type: ignore[arg-type]


async def enter_again(site: Site, call_id: str, uniqueid: str, state: str, **variables: str) -> FakeChannel:
    channel = await site.enter(uniqueid, call_id=call_id)
    channel.variables |= {"ACD_STATE": state, **variables}
    return channel


async def test_what_is_written_on_the_channel_is_enough_to_go_on(site: Site) -> None:
    channel = await site.enter(extension="200")
    await channel.until("EXEC Dial")
    assert not any("ACD_STATE=" in command for command in channel.commands), "told by the dial, not beside it"
    call_id, state = channel.variables["ACD_CALL"], channel.variables["ACD_STATE"]
    channel.tear()
    await site.until(lambda: not site.parts.engine.calls)
    again = await enter_again(site, call_id, UNIQUEID, state)
    await again.until("EXEC Dial")
    assert site.call.id == call_id
    assert StoredCall.decode(again.variables["ACD_STATE"]) == StoredCall.decode(state)


async def test_a_place_that_the_dial_has_no_room_for_is_told_before_it(tmp_path: Path) -> None:
    phones = {f"{'a' * 30}{number}": ["cards"] for number in range(28)}
    nodes = {
        "menu": {"type": "set", "data": {f"note{number}": "n" * 200 for number in range(4)}, "next": "cards"},
        "cards": {"type": "enqueue", "queue": "cards"},
        "general": {"type": "enqueue", "queue": "general"},
    }
    queues = {"cards": {"strategy": "ring-all"}, "general": {}}
    folder = write_site(
        tmp_path / "site", agents=phones, queues=queues, trees={"main": {"start": "menu", "nodes": nodes}}
    )
    async with run(folder) as site:
        channel = await site.enter(extension="100", version="18.9.0")  # takes lines of 2,000 bytes
        dial = await channel.until("EXEC Dial")
        assert dial_without_place(dial) == dial
        assert dial.count("PJSIP/") == len(phones)
        assert StoredCall.decode(channel.variables["ACD_STATE"]).queue == "cards"


@pytest.mark.parametrize(
    "changes",
    [
        {"phase": CallPhase.MENU, "queue": "", "node": "main.gone"},
        {"phase": CallPhase.DIALLED, "queue": "", "again": "main.gone"},
        {"phase": CallPhase.MENU, "queue": "", "node": "main.cards", "menus": ("gone.menu",)},
    ],
)
async def test_who_was_at_a_node_that_the_site_has_no_longer_begins_anew(
    site: Site, changes: dict[str, object]
) -> None:
    again = await enter_again(site, "before", UNIQUEID, stored(dialled="100", **changes))
    await again.until("WAIT FOR DIGIT")


async def test_who_waited_in_a_queue_that_is_no_more_begins_anew_with_the_time_waited(site: Site) -> None:
    again = await enter_again(site, "before", UNIQUEID, stored(dialled="100", queue="gone"))
    await again.until("WAIT FOR DIGIT")
    again.reply("200 result=49")
    await again.until("EXEC Dial")
    assert site.call.entered_at == pytest.approx(site.parts.host.now() - 60, abs=1)


async def test_who_waits_goes_on_although_the_menus_have_changed(site: Site) -> None:
    again = await enter_again(site, "before", UNIQUEID, stored(node="main.gone", menus=("gone.menu",)))
    await again.until("EXEC Dial")
    again.ended_dial("ANSWER", ANSWEREDTIME="1", DIALEDPEERNAME="PJSIP/anna-0000000a")
    await again.until("SET VARIABLE ACD_DONE")
    await again.closed()


async def test_callers_get_their_old_order(site: Site) -> None:
    site.parts.engine.world.suspended = "not in step yet"
    late = await enter_again(site, "late", "1.2", stored(entered_at=time.time() - 10))
    await late.until("SET MUSIC")
    early = await enter_again(site, "early", "1.1", stored(entered_at=time.time() - 60))
    await early.until("SET MUSIC")
    new = await site.enter("1.3")
    await new.until("SET MUSIC")
    site.parts.host.post(OffersResumed())
    assert dial_without_place(await early.next_command()) == 'EXEC Dial "PJSIP/anna,2,gim(default)"'
    assert dial_without_place(await late.next_command()) == 'EXEC Dial "PJSIP/bob,2,gim(default)"'
    assert site.parts.engine.calls["early"].entered_at == pytest.approx(site.parts.host.now() - 60, abs=1)


async def test_a_caller_who_was_served_meanwhile_is_not_queued_again(site: Site) -> None:
    again = await enter_again(
        site, "served", UNIQUEID, stored(), DIALSTATUS="ANSWER", ANSWEREDTIME="12", DIALEDPEERNAME="PJSIP/anna-0000000a"
    )
    await again.until("SET VARIABLE ACD_DONE")
    await again.closed()


async def test_a_caller_who_was_connected_with_a_phone_beside_the_dial_is_served(site: Site) -> None:
    again = await enter_again(site, "served", UNIQUEID, stored(), DIALSTATUS="NOANSWER", BRIDGERESULT="SUCCESS")
    await again.until("SET VARIABLE ACD_DONE")
    await again.closed()


async def test_a_caller_who_was_answered_but_not_connected_keeps_the_place(site: Site) -> None:
    again = await enter_again(
        site, "dropped", UNIQUEID, stored(), DIALSTATUS="ANSWER", DIALEDPEERNAME="PJSIP/anna-0000000a"
    )
    await again.until("EXEC Dial")


async def test_a_caller_whom_the_agent_transferred_to_us_is_a_new_call(site: Site) -> None:
    peer = "PJSIP/anna-0000000a"
    again = await enter_again(
        site,
        "before",
        UNIQUEID,
        stored(),
        DIALSTATUS="ANSWER",
        DIALEDPEERNAME=peer,
        BLINDTRANSFER=peer,
    )
    await again.until("EXEC Dial")
    assert site.call.id != "before"


async def test_a_caller_in_the_menus_goes_on_at_the_same_node(site: Site) -> None:
    channel = await site.enter(extension="100")
    await channel.until("WAIT FOR DIGIT")
    state, call_id = channel.variables["ACD_STATE"], channel.variables["ACD_CALL"]
    assert StoredCall.decode(state).node == "main.menu"
    channel.tear()
    await site.until(lambda: not site.parts.engine.calls)
    again = await enter_again(site, call_id, UNIQUEID, state)
    await again.until("WAIT FOR DIGIT")
    again.reply("200 result=50")
    await again.until("EXEC Dial")
    assert site.call.queue is not None
    assert site.call.queue.spec.id == "general"


@pytest.mark.parametrize("state", ["", "rubbish", "9&ph=queue", "${SHELL(reboot)}"])
async def test_a_state_that_cannot_be_read_makes_a_new_call(site: Site, state: str) -> None:
    again = await enter_again(site, "before", UNIQUEID, state)
    await again.until("EXEC Dial")
    assert site.call.id != "before"


async def test_one_caller_on_two_lines_the_newer_one_counts(site: Site) -> None:
    first = await site.enter()
    await first.until("EXEC Dial")
    again = await enter_again(site, site.call.id, UNIQUEID, first.variables["ACD_STATE"])
    await again.until("EXEC Dial")
    await first.closed()
    assert len(site.parts.sessions) == 1
    assert site.call.state is CallState.OFFERED

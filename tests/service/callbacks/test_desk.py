"""Callbacks step by step: what is promised, what is rung and dialled, what is kept."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from acd.core.events import AgentReady, CallEnded, TalkRestored
from acd.core.transitions import AgentState, CallState
from acd.service.asterisk_link import AsteriskLink
from acd.service.callbacks import agents_turn, desk, runs
from acd.service.callbacks.entries import Stage
from tests.service.fake_channel import FakeChannel
from tests.service.process import Site, run
from tests.service.sites import MAIN, write_site

NUMBER = "+4930200100"
TRUNK: dict[str, Any] = {"allowed": ["+4930"], "trunk": "PJSIP/{number}@trunk"}
UNASKED: dict[str, Any] = {"home_country": "DE", "confirm": "no", "other_number": "no", "pause_s": "1"}
QUEUES: dict[str, Any] = {
    "cards": {"overflow": [{"when": {"waiting_s": "0.1"}, "then": {"callback": "general"}}]},
    "general": {"overflow": [{"when": {"waiting_s": "0.2"}, "then": {"voicemail": "100"}}]},
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "BEGINS_AFTER_S", 0.0)
    monkeypatch.setattr(AsteriskLink, "connected", True)


@asynccontextmanager
async def opened(
    tmp_path: Path,
    *,
    state: object = None,
    calendars: Mapping[str, Any] | None = None,
    queues: Mapping[str, Any] = QUEUES,
    **settings: Any,
) -> AsyncIterator[Site]:
    routing = {"outbound": TRUNK, "callbacks": {**UNASKED, **settings}}
    numbers = {"200": "main.cards", "300": "main.general", "500": "main.other", "default": "main"}
    other = {"type": "enqueue", "queue": "other"}
    folder = write_site(
        tmp_path / "site",
        agents={"anna": ["general"], "bob": ["general"], "carl": ["other"]},
        start="not-ready",
        queues={**queues, "other": {}},
        routing={"numbers": numbers, **routing},
        trees={"main": {**MAIN, "nodes": {**MAIN["nodes"], "other": other}}},
    )
    if calendars is not None:
        (folder / "calendars.yaml").write_text(json.dumps({"calendars": calendars}))
    if state is not None:
        (folder / "state").mkdir()
        (folder / "state" / "callbacks.json").write_bytes(orjson.dumps(state))
    async with run(folder) as site:
        yield site


async def promised(site: Site, caller: str = NUMBER) -> str:
    channel = await site.enter(extension="200", callerid=caller)
    await channel.closed()
    assert channel.variables["ACD_DONE"] == "hangup"
    assert channel.variables["ACD_STATE"] == "", "nobody is to take the caller for a waiting one"
    await site.until(lambda: any(call.state is CallState.WAITING for call in site.parts.engine.calls.values()))
    return site.call.id


async def agents_line(site: Site, number: int = 1) -> FakeChannel:
    """The agent's phone is rung for the ``number``-th time, and picked up."""
    await site.until(lambda: len(originated(site)) >= number)
    return await site.enter(str(originated(site)[-1]["ChannelId"]), script="acd/leg", channel="PJSIP/anna-00000001")


def originated(site: Site) -> list[dict[str, Any]]:
    return [headers for name, headers in site.sent if name == "Originate"]


def stages(site: Site) -> list[Stage]:
    return [shown.stage for shown in site.parts.callbacks]


async def test_the_place_is_kept_and_no_rule_moves_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await site.enter(extension="200")
        await channel.until("SET MUSIC ON")
        entered_at = site.call.entered_at
        await channel.closed()
        await site.until(lambda: stages(site) == [Stage.WAITING])
        later = site.parts.host.now() + 0.3
        await site.until(lambda: site.parts.host.now() > later)
        call = site.call
        assert (call.state, call.caller, call.stays) == (CallState.WAITING, NUMBER, True)
        assert call.entered_at == pytest.approx(entered_at, abs=0.05)


async def test_the_customer_is_dialled_on_the_agents_line(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        call_id = await promised(site)
        site.parts.host.post(AgentReady("anna"))
        line = await agents_line(site)
        dial = await line.until("EXEC Dial")
        assert dial == 'EXEC Dial "PJSIP/+4930200100@trunk,45,grL(14400000)"'
        assert 'SET VARIABLE "CALLERID(num)" 200' in line.commands, "the number that was called"
        assert site.agent("anna") is AgentState.RESERVED, "nobody has answered yet"
        leg = str(originated(site)[-1]["ChannelId"])
        site.ami("BridgeEnter", Uniqueid=leg, BridgeUniqueid="b")
        assert site.agent("anna") is AgentState.TALKING
        line.ended_dial("ANSWER")
        await line.closed()
        assert site.agent("anna") is AgentState.READY
        assert not site.parts.callbacks
        assert site.parts.callbacks.results["general", "reached"] == 1
        assert site.parts.engine.world.ended[call_id].answered_at is not None


async def test_attempts_are_bounded_and_none_counts_as_served(tmp_path: Path) -> None:
    async with opened(tmp_path, attempts="2") as site:
        call_id = await promised(site)
        site.parts.host.post(AgentReady("anna"))
        for attempt in (1, 2):
            line = await agents_line(site, attempt)
            await line.until("EXEC Dial")
            line.ended_dial("BUSY")
            await line.closed()
            assert site.agent("anna") is AgentState.READY
        assert not site.parts.callbacks
        assert not site.parts.engine.calls
        assert site.parts.callbacks.results["general", "unreached"] == 1
        assert site.parts.engine.world.ended[call_id].answered_at is None
        results = [
            (sample.labels["result"], sample.value)
            for family in site.parts.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "acd_calls_total" and sample.labels["queue"] == "general"
        ]
        assert results == []


async def test_an_agent_who_hangs_up_first_has_not_reached_anybody(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await promised(site)
        site.parts.host.post(AgentReady("anna"))
        line = await agents_line(site)
        await line.until("EXEC Dial")
        line.hang_up()
        line.reply("200 result=-1")
        assert await line.until("GET VARIABLE") == "GET VARIABLE DIALSTATUS"
        line.reply("200 result=1 (CANCEL)")
        await line.closed()
        assert stages(site) == [Stage.SLEEPING]
        assert site.agent("anna") is AgentState.READY


@pytest.mark.parametrize(("key", "accepted"), [("49", True), ("50", False)])
async def test_the_agent_accepts_with_a_key(tmp_path: Path, key: str, accepted: bool) -> None:
    async with opened(tmp_path, accept="yes") as site:
        await promised(site)
        site.parts.host.post(AgentReady("anna"))
        line = await agents_line(site)
        await line.until("WAIT FOR DIGIT")
        line.reply(f"200 result={key}")
        if accepted:
            await line.until("EXEC Dial")
        else:
            await line.closed()
            assert not any("Dial" in command for command in line.commands)
            assert site.agent("anna") is AgentState.BACK_OFF
            assert stages(site) == [Stage.WAITING], "for the next agent"
            assert next(iter(site.parts.callbacks)).entry.attempts == 0


async def test_without_ami_the_place_is_kept_and_nothing_goes_in_circles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents_turn, "NO_LINE_PAUSE_S", 0.05)
    async with opened(tmp_path) as site:
        await promised(site)
        monkeypatch.setattr(AsteriskLink, "connected", False)
        site.parts.host.post(AgentReady("anna"))
        assert not site.parts.engine.calls
        monkeypatch.setattr(AsteriskLink, "connected", True)
        line = await agents_line(site)
        await line.until("EXEC Dial")


@pytest.mark.parametrize("caller", ["+881123456", "+33142685300", "110", "anonymous", "", '1"&PJSIP/x'])
async def test_who_cannot_be_called_waits_on(tmp_path: Path, caller: str) -> None:
    async with opened(tmp_path) as site:
        channel = await site.enter(extension="200", callerid=caller)
        await channel.until("SET MUSIC ON")
        assert await channel.until("SET MUSIC ON") == "SET MUSIC ON default"
        assert site.call.state is CallState.WAITING
        assert not site.parts.callbacks


async def test_who_does_without_at_the_door_is_asked_once_and_goes_where_the_next_rule_leads(tmp_path: Path) -> None:
    door = [
        {"when": {"nobody_ready": "yes"}, "then": then} for then in ({"callback": "general"}, {"closing": "choose"})
    ]
    async with opened(tmp_path, confirm="yes", queues={"cards": {"join": door}, "general": {}}) as site:
        channel = await site.enter(extension="200")
        await channel.until("WAIT FOR DIGIT")
        channel.reply("200 result=42")  # *
        await channel.closed()
        assert [command.split()[0] for command in channel.commands].count("WAIT") == 1
        assert channel.variables["ACD_DONE"] == "hangup"
        assert not site.parts.callbacks


async def test_one_for_each_number_however_it_is_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await promised(site)
        first = next(iter(site.parts.callbacks)).entry
        again = await site.enter("1.2", extension="200", callerid="030 200 100")
        await again.closed()
        await site.until(lambda: len(site.parts.engine.calls) == 1)
        (kept,) = site.parts.callbacks
        assert kept.entry == first, "the first place counts"
        assert site.parts.callbacks.results["general", "repeated"] == 1


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"open_limit": "1"}, "open-limit"),
        ({"per_day_limit": "1"}, "per-day-limit"),
    ],
)
async def test_no_more_than_the_site_allows(tmp_path: Path, limits: dict[str, Any], why: str) -> None:
    async with opened(tmp_path, **limits) as site:
        await promised(site)
        other = await site.enter("1.2", extension="200", callerid="+4930555100")
        await other.until("SET MUSIC ON")
        await other.until("SET MUSIC ON")
        assert len(site.parts.callbacks) == 1
        assert site.parts.callbacks.results["general", f"refused-{why}"] == 1


async def test_the_limit_of_a_number_holds_over_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path, per_number_per_day_limit="1") as site:
        call_id = await promised(site)
        assert site.parts.callbacks.cancel(call_id) == "waiting"
        assert not site.parts.engine.calls
        task = asyncio.create_task(site.parts.callbacks.run())
        path = tmp_path / "site" / "state" / "callbacks.json"
        await site.until(_holds(path, 0))
        task.cancel()
        await asyncio.wait({task})
    async with run(tmp_path / "site") as site:
        again = await site.enter("1.2", extension="200")
        await again.until("SET MUSIC ON")
        await again.until("SET MUSIC ON")
        assert not site.parts.callbacks
        assert site.parts.callbacks.results["general", "refused-per-number-limit"] == 1


def entry(**more: object) -> dict[str, object]:
    known = {"id": "20260101T000000-abcd", "number": NUMBER, "queue": "general", "entered_at": 1000.0, "requires": []}
    return {**known, **more}


async def test_what_was_promised_is_there_after_a_restart(tmp_path: Path) -> None:
    state = {"format": 1, "callbacks": [entry(priority=5), entry(id="later", number="+49302", not_before=9e9)]}
    async with opened(tmp_path, state=state) as site:
        assert len(site.parts.callbacks) == 2
        assert (site.call.id, site.call.extra_priority) == ("20260101T000000-abcd", 5)


@pytest.mark.parametrize(
    "state", [[], {"format": 3}, {"format": 1, "callbacks": [{}]}, {"format": 1, "callbacks": [1]}]
)
async def test_a_damaged_file_means_nobody(tmp_path: Path, state: object) -> None:
    async with opened(tmp_path, state=state) as site:
        assert not site.parts.callbacks


async def test_a_queue_that_is_gone_ends_the_callback(tmp_path: Path) -> None:
    async with opened(tmp_path, state={"format": 1, "callbacks": [entry(queue="gone")]}) as site:
        await site.until(lambda: not site.parts.callbacks)
        assert not site.parts.engine.calls


async def test_one_that_has_expired_is_given_up(tmp_path: Path) -> None:
    state = {"format": 2, "callbacks": [entry(expires_at=time.time() - 1)]}
    async with opened(tmp_path, state=state) as site:
        assert not site.parts.callbacks
        assert not site.parts.engine.calls
        assert site.parts.callbacks.results["general", "expired"] == 1


@pytest.mark.parametrize(
    ("promised_at", "expires_at"),
    [
        # Friday evening, for a day: the weekend does not count.
        (datetime(2026, 11, 20, 19, 0, tzinfo=UTC), datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
        # Through the night in which clocks go back, which has 11 hours between 18:00 and 04:00 by the clock.
        (datetime(2026, 10, 24, 16, 0, tzinfo=UTC), datetime(2026, 10, 27, 8, 0, tzinfo=UTC)),
    ],
)
async def test_time_outside_the_hours_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promised_at: datetime, expires_at: datetime
) -> None:
    monkeypatch.setattr(time, "time", promised_at.timestamp)
    office: dict[str, Any] = {"office": {"zone": "Europe/Berlin", "hours": {"mon-fri": ["09:00-18:00"]}}}
    day_s = 86_400.0
    state = {"format": 2, "callbacks": [entry(expires_at=promised_at.timestamp() + day_s)]}
    async with opened(tmp_path, hours="office", calendars=office, state=state) as site:
        (shown,) = site.parts.callbacks
        assert shown.stage is Stage.SLEEPING
        assert datetime.fromtimestamp(shown.entry.expires_at, UTC) == expires_at
        monkeypatch.setattr(time, "time", lambda: promised_at.timestamp() + 2 * 3600)
        site.parts.callbacks._runs.begin(shown.entry.id)
        (shown,) = site.parts.callbacks
        assert datetime.fromtimestamp(shown.entry.expires_at, UTC) == expires_at, "added once"


async def test_one_that_may_never_be_rung_is_given_up_all_the_same(tmp_path: Path) -> None:
    never: dict[str, Any] = {"never": {"zone": "Europe/Berlin", "hours": {}}}
    state = {"format": 2, "callbacks": [entry(expires_at=time.time() - 1)]}
    async with opened(tmp_path, hours="never", calendars=never, state=state) as site:
        assert not site.parts.callbacks


async def test_nobody_is_called_back_outside_the_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "LOOK_AGAIN_S", 0.05)
    never: dict[str, Any] = {"never": {"zone": "Europe/Berlin", "hours": {}}}
    async with opened(tmp_path, hours="never", calendars=never) as site:
        channel = await site.enter(extension="200")
        await channel.closed()
        await site.until(lambda: stages(site) == [Stage.SLEEPING])
        site.parts.host.post(AgentReady("anna"))
        assert not site.parts.engine.calls
        assert not originated(site)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 7, 4, 0, 0, tzinfo=UTC), datetime(2026, 7, 4, 0, 30, tzinfo=UTC)),
    ],
)
async def test_hours_that_begin_in_the_hour_of_the_clock_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: datetime, opens: datetime
) -> None:
    monkeypatch.setattr(time, "time", at.timestamp)
    night: dict[str, Any] = {"night": {"zone": "Europe/Berlin", "hours": {"mon-sun": ["02:30-06:00"]}}}
    state = {"format": 2, "callbacks": [entry()]}
    async with opened(tmp_path, hours="night", calendars=night, state=state) as site:
        (shown,) = site.parts.callbacks
        assert shown.stage is Stage.SLEEPING
        assert datetime.fromtimestamp(shown.next_at, UTC) == opens


async def test_a_cancelled_callback_leaves_nobody_reserved(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        call_id = await promised(site)
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: bool(originated(site)))
        assert site.agent("anna") is AgentState.RESERVED
        assert site.parts.callbacks.cancel(call_id) == "waiting"
        assert site.agent("anna") is AgentState.READY
        assert ("Hangup", originated(site)[0]["ChannelId"]) in [
            (name, headers.get("Channel")) for name, headers in site.sent
        ]
        assert site.parts.callbacks.cancel(call_id) == ""


async def test_one_taken_back_while_the_caller_is_still_there_stays_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await site.enter(extension="200")
        while stages(site) != [Stage.PARKED]:
            await channel.next_command()
        (parked,) = site.parts.callbacks
        assert site.parts.callbacks.cancel(parked.entry.id) == "caller-still-here"
        await channel.closed()
        await site.until(lambda: not site.parts.engine.calls)
        assert not site.parts.callbacks
        assert site.parts.callbacks.results["general", "cancelled"] == 1


async def calls_in(site: Site, dialled: str = "300") -> FakeChannel:
    """The customer calls, too, and waits on the line."""
    line = await site.enter("1.2", extension=dialled, callerid="030 200100")
    await line.until("SET MUSIC ON")
    return line


async def talks_to_bob(site: Site, line: FakeChannel) -> None:
    site.parts.host.post(AgentReady("bob"))
    await line.until("EXEC Dial")
    site.dial_begins("bob", "L1", "1.2")
    site.bridged("L1", "1.2")


async def test_who_calls_in_has_the_place_that_was_promised(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await promised(site)
        (before,) = site.parts.callbacks
        line = await calls_in(site)
        assert stages(site) == [Stage.PARKED], "one place for one customer"
        assert site.parts.host.now() - site.call.entered_at == pytest.approx(
            time.time() - before.entry.entered_at, abs=0.05
        )
        overdue = site.parts.host.now() + 0.3
        await site.until(lambda: site.parts.host.now() > overdue)
        assert site.call.state is CallState.WAITING, "no rule moves a caller who was promised an agent"
        await talks_to_bob(site, line)
        assert not site.parts.callbacks
        assert site.parts.callbacks.results["general", "called-in"] == 1


async def test_who_calls_in_and_hangs_up_is_called_back_as_promised(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        call_id = await promised(site)
        entered_at = site.call.entered_at
        line = await calls_in(site)
        line.hang_up()
        await line.closed()
        await site.until(lambda: stages(site) == [Stage.WAITING])
        assert site.call.id == call_id
        assert site.call.entered_at == pytest.approx(entered_at, abs=0.05)


async def test_outside_the_hours_a_caller_has_no_place_before_others(tmp_path: Path) -> None:
    never: dict[str, Any] = {"never": {"zone": "Europe/Berlin", "hours": {}}}
    async with opened(tmp_path, hours="never", calendars=never) as site:
        await (await site.enter(extension="200")).closed()
        await site.until(lambda: stages(site) == [Stage.SLEEPING])
        await calls_in(site)
        assert stages(site) == [Stage.SLEEPING]
        assert not site.call.stays


async def test_a_talk_by_another_queue_takes_no_promise_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await promised(site)
        line = await calls_in(site, "500")
        assert stages(site) == [Stage.WAITING]
        site.parts.host.post(AgentReady("carl"))
        await line.until("EXEC Dial")
        site.dial_begins("carl", "L1", "1.2")
        site.bridged("L1", "1.2")
        assert len(site.parts.callbacks) == 1


async def test_a_talk_found_after_a_restart_is_no_longer_owed(tmp_path: Path) -> None:
    async with opened(tmp_path, state={"format": 2, "callbacks": [entry()]}) as site:
        await site.until(lambda: stages(site) == [Stage.WAITING])
        call_id = site.call.id
        site.parts.host.post(TalkRestored(call_id, "anna", "general", site.parts.host.now()))
        assert not site.parts.callbacks
        assert site.agent("anna") is AgentState.TALKING
        site.parts.host.post(CallEnded(call_id))
        assert not site.parts.engine.calls


async def test_who_calls_in_while_the_callback_dials_is_rung_no_longer(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await promised(site)
        site.parts.host.post(AgentReady("anna"))
        agent = await agents_line(site)
        await agent.until("EXEC Dial")
        await talks_to_bob(site, await calls_in(site))
        leg = str(originated(site)[0]["ChannelId"])
        assert ("Hangup", leg) in [(name, headers.get("Channel")) for name, headers in site.sent]
        await site.until(lambda: not site.parts.callbacks)
        assert site.parts.callbacks.results["general", "called-in"] == 1
        assert site.agent("anna") is AgentState.READY


async def test_who_is_told_of_the_end_learns_of_all_attempts(tmp_path: Path) -> None:
    told: list[tuple[int, str]] = []
    async with opened(tmp_path) as site:
        site.parts.callbacks.watch(lambda entry, result: told.append((entry.attempts, result)))
        await promised(site)
        site.parts.host.post(AgentReady("anna"))
        line = await agents_line(site)
        await line.until("EXEC Dial")
        site.ami("BridgeEnter", Uniqueid=str(originated(site)[-1]["ChannelId"]), BridgeUniqueid="b")
        line.ended_dial("ANSWER")
        await line.closed()
        assert told == [(1, "reached")]


async def test_the_file_follows(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        path = tmp_path / "site" / "state" / "callbacks.json"
        await promised(site)
        (kept,) = orjson.loads(path.read_bytes())["callbacks"]
        assert (kept["number"], kept["queue"]) == (NUMBER, "general"), "on disk before the caller is told"
        assert path.stat().st_mode & 0o077 == 0, "it names callers"


def _holds(path: Path, number: int) -> Callable[[], bool]:
    return lambda: path.exists() and len(orjson.loads(path.read_bytes())["callbacks"]) == number

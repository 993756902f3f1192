"""Callbacks step by step: what is promised, what is rung and dialled, what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from acd.core.events import AgentReady
from acd.core.transitions import AgentState, CallState
from acd.service import call_session
from acd.service.asterisk_link import AsteriskLink
from acd.service.callbacks import desk as callbacks
from acd.service.callbacks.desk import Callback
from tests.service.fake_channel import FakeChannel
from tests.service.sites import write_site
from tests.service.test_calls import Site, run

NUMBER = "+4930200100"
OUTBOUND: dict[str, Any] = {"outbound": {"allowed": ["+4930"], "trunk": "PJSIP/{number}@trunk"}}
QUEUES: dict[str, Any] = {
    "cards": {"overflow": [{"when": {"waiting_s": "0.1"}, "then": {"callback": "general"}}]},
    "general": {"overflow": [{"when": {"waiting_s": "0.2"}, "then": {"voicemail": "100"}}]},
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_session, "CALLBACK_BEGINS_S", 0.0)
    monkeypatch.setattr(callbacks, "PAUSE_S", 0.05)
    monkeypatch.setattr(AsteriskLink, "connected", True)


@asynccontextmanager
async def opened(tmp_path: Path, *, state: object = None) -> AsyncIterator[Site]:
    agents = {"anna": ["general"]}
    folder = write_site(tmp_path / "site", agents=agents, start="not-ready", queues=QUEUES, routing=OUTBOUND)
    if state is not None:
        (folder / "state").mkdir()
        (folder / "state" / "callbacks.json").write_bytes(orjson.dumps(state))
    async with run(folder) as site:
        yield site


async def promised(site: Site, caller: str = NUMBER) -> str:
    channel = await site.enter(extension="200", callerid=caller)
    await channel.closed()
    assert channel.variables["ACD_DONE"] == "hangup"
    await site.until(lambda: any(call.state is CallState.WAITING for call in site.parts.engine.calls.values()))
    return site.call.id


async def agents_line(site: Site, number: int = 1) -> FakeChannel:
    """The agent's phone is rung for the ``number``-th time, and picked up."""
    await site.until(lambda: len(originated(site)) >= number)
    return await site.enter(str(originated(site)[-1]["ChannelId"]), script="acd/leg", channel="PJSIP/anna-00000001")


def originated(site: Site) -> list[dict[str, Any]]:
    return [headers for name, headers in site.sent if name == "Originate"]


async def test_the_place_is_kept_and_no_rule_moves_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        channel = await site.enter(extension="200")
        await channel.until("SET MUSIC ON")
        entered_at = site.call.entered_at
        await channel.closed()
        await site.until(lambda: bool(site.parts.callbacks) and bool(site.parts.engine.calls))
        later = site.parts.host.now() + 0.3
        await site.until(lambda: site.parts.host.now() > later)
        call = site.call
        assert (call.state, call.caller, call.stays) == (CallState.WAITING, NUMBER, True)
        assert call.entered_at == pytest.approx(entered_at, abs=0.05)


async def test_the_customer_is_dialled_on_the_agents_line(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await promised(site)
        site.parts.host.post(AgentReady("anna"))
        line = await agents_line(site)
        dial = await line.until("EXEC Dial")
        assert dial == 'EXEC Dial "PJSIP/+4930200100@trunk,45,grL(14400000)"'
        assert 'SET VARIABLE "CALLERID(num)" 200' in line.commands, "the number that was called"
        assert site.agent("anna") is AgentState.TALKING
        line.ended_dial("ANSWER")
        await line.closed()
        assert site.agent("anna") is AgentState.READY
        assert not site.parts.callbacks
        assert not site.parts.engine.calls


async def test_three_attempts_and_no_more(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await promised(site)
        site.parts.host.post(AgentReady("anna"))
        for attempt in (1, 2, 3):
            line = await agents_line(site, attempt)
            await line.until("EXEC Dial")
            line.ended_dial("BUSY")
            await line.closed()
        assert not site.parts.callbacks
        assert not site.parts.engine.calls


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
        assert len(site.parts.callbacks) == 1


async def test_without_ami_the_place_is_kept_and_nothing_goes_in_circles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "_NO_LINE_PAUSE_S", 0.05)
    async with opened(tmp_path) as site:
        await promised(site)
        monkeypatch.setattr(AsteriskLink, "connected", False)
        site.parts.host.post(AgentReady("anna"))
        assert not site.parts.engine.calls
        monkeypatch.setattr(AsteriskLink, "connected", True)
        line = await agents_line(site)
        await line.until("EXEC Dial")


@pytest.mark.parametrize("caller", ["+881123456", "anonymous", "", '1"&PJSIP/x'])
async def test_who_cannot_be_called_waits_on(tmp_path: Path, caller: str) -> None:
    async with opened(tmp_path) as site:
        channel = await site.enter(extension="200", callerid=caller)
        await channel.until("SET MUSIC ON")
        assert await channel.until("SET MUSIC ON") == "SET MUSIC ON default"
        assert site.call.state is CallState.WAITING
        assert not site.parts.callbacks


async def test_one_for_each_number(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        await promised(site)
        again = await site.enter("1.2", extension="200")
        await again.closed()
        assert len(site.parts.callbacks) == 1
        await site.until(lambda: len(site.parts.engine.calls) == 1)


def entry(**more: object) -> dict[str, object]:
    known = {"id": "20260101T000000-abcd", "number": NUMBER, "queue": "general", "entered_at": 1000.0, "requires": []}
    return {**known, **more}


async def test_what_was_promised_is_there_after_a_restart(tmp_path: Path) -> None:
    state = {"format": 1, "callbacks": [entry(priority=5), entry(id="later", number="+49302", not_before=9e9)]}
    async with opened(tmp_path, state=state) as site:
        assert len(site.parts.callbacks) == 2
        assert (site.call.id, site.call.extra_priority) == ("20260101T000000-abcd", 5)


@pytest.mark.parametrize(
    "state", [[], {"format": 2}, {"format": 1, "callbacks": [{}]}, {"format": 1, "callbacks": [1]}]
)
async def test_a_damaged_file_means_nobody(tmp_path: Path, state: object) -> None:
    async with opened(tmp_path, state=state) as site:
        assert not site.parts.callbacks


async def test_a_queue_that_is_gone_ends_the_callback(tmp_path: Path) -> None:
    async with opened(tmp_path, state={"format": 1, "callbacks": [entry(queue="gone")]}) as site:
        await site.until(lambda: not site.parts.callbacks)
        assert not site.parts.engine.calls


async def test_the_file_follows(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        task = asyncio.create_task(site.parts.callbacks.run())
        path = tmp_path / "site" / "state" / "callbacks.json"
        wanted = Callback(id="", number=NUMBER, queue="general", entered_at=1.0, requires=(("speed", 2),))
        kept = site.parts.callbacks.promise(wanted)
        assert kept is not None
        await site.until(_holds(path, 1))
        assert orjson.loads(path.read_bytes())["callbacks"][0]["requires"] == [["speed", 2]]
        assert path.stat().st_mode & 0o077 == 0, "it names callers"
        task.cancel()
        await asyncio.wait({task})


def _holds(path: Path, number: int) -> Callable[[], bool]:
    return lambda: path.exists() and len(orjson.loads(path.read_bytes())["callbacks"]) == number

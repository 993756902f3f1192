"""Messages that are offered to agents like calls: when, to whom, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from acd.core.events import AgentReady, LegFailed, LegFailure
from acd.core.transitions import AgentState, CallState
from acd.service.asterisk_link import AsteriskLink
from acd.service.voicemail.message import CallFacts, MessageState, StoredMessage
from tests.service.fake_channel import FakeChannel
from tests.service.process import Site, run
from tests.service.sites import write_site
from tests.service.voicemail.sounds import wav

TRUNK: dict[str, Any] = {"outbound": {"allowed": ["+4930"], "trunk": "PJSIP/{number}@trunk"}}


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AsteriskLink, "connected", True)


@asynccontextmanager
async def opened(
    tmp_path: Path, start: str = "not-ready", queues: tuple[str, ...] = ("general",)
) -> AsyncIterator[Site]:
    folder = write_site(tmp_path / "site", agents={"anna": queues}, start=start, routing=TRUNK)
    boxes = {"boxes": {"desk": {"agents": ["anna"], "queue": "general"}}}
    (folder / "voicemail.yaml").write_text(yaml.safe_dump(boxes))
    async with run(folder) as site:
        yield site


async def left(site: Site, number: int = 1, *, urgent: bool = False) -> str:
    """A message lies in the box; its id."""
    store = site.parts.voicemail.store
    sound = store.folder / f"source-{number}.wav"
    await asyncio.to_thread(store.folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(sound.write_bytes, wav(2.0))
    message = StoredMessage(
        id=f"m{number}",
        box="desk",
        left_at=1000.0 + number,
        seconds=2.0,
        size_bytes=32_044,
        call=CallFacts(call_id=f"c{number}", caller="+4930123"),
        urgent=urgent,
    )
    await store.add(message, sound)
    return message.id


def originated(site: Site) -> list[dict[str, Any]]:
    return [headers for name, headers in site.sent if name == "Originate" and "acd-leg" in str(headers)]


async def picked_up(site: Site, number: int = 1) -> FakeChannel:
    site.parts.voicemail_items.look()
    await site.until(lambda: len(originated(site)) >= number)
    return await site.enter(str(originated(site)[-1]["ChannelId"]), script="acd/leg", channel="PJSIP/anna-00000001")


def state(site: Site, message_id: str) -> MessageState | None:
    message = site.parts.voicemail.store.get(message_id)
    return message.state if message is not None else None


async def to_the_keys(phone: FakeChannel) -> None:
    """The agent hears what it is and the message; returns while the keys are asked for."""
    phone.rules["WAIT FOR DIGIT 1\n"] = "200 result=0"
    while not (await phone.until("WAIT FOR DIGIT")).endswith("8000"):
        phone.reply("200 result=0")


async def test_an_idle_agent_is_offered_the_message_and_closes_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        message_id = await left(site)
        site.parts.voicemail_items.look()
        assert originated(site) == [], "nobody is idle"
        site.parts.host.post(AgentReady("anna"))
        phone = await picked_up(site)
        await to_the_keys(phone)
        played = [command for command in phone.commands if "play-m1" in command]
        assert played, "the message was played"
        assert state(site, message_id) is MessageState.ASSIGNED
        assert site.parts.engine.agents["anna"].state is AgentState.TALKING
        phone.reply("200 result=49")
        await phone.closed()
        await site.until(lambda: state(site, message_id) is MessageState.CLOSED)
        message = site.parts.voicemail.store.get(message_id)
        assert message is not None
        assert message.agent == "anna"
        await site.until(lambda: not site.parts.engine.calls)
        assert list((tmp_path / "site" / "recordings").glob("play-*")) == []


async def test_kept_for_oneself(tmp_path: Path) -> None:
    async with opened(tmp_path, "ready") as site:
        message_id = await left(site)
        phone = await picked_up(site)
        await to_the_keys(phone)
        phone.reply("200 result=57")
        await phone.closed()
        assert state(site, message_id) is MessageState.ASSIGNED


async def test_the_sender_is_called_back_within_outbound(tmp_path: Path) -> None:
    async with opened(tmp_path, "ready") as site:
        await left(site)
        phone = await picked_up(site)
        await to_the_keys(phone)
        phone.reply("200 result=56")
        dial = await phone.until("EXEC Dial")
        assert "PJSIP/+4930123@trunk" in dial
        phone.ended_dial("ANSWER")
        await to_the_keys(phone)
        phone.reply("200 result=49")
        await phone.closed()


async def test_an_agent_who_hangs_up_before_it_was_heard_has_not_taken_it(tmp_path: Path) -> None:
    async with opened(tmp_path, "ready") as site:
        message_id = await left(site)
        phone = await picked_up(site)
        phone.rules.pop("STREAM FILE")
        await phone.until("STREAM FILE")
        phone.hang_up()
        phone.reply("200 result=-1")
        await site.until(lambda: state(site, message_id) is MessageState.NEW)
        message = site.parts.voicemail.store.get(message_id)
        assert message is not None
        assert message.agent == ""


async def test_a_caller_comes_first(tmp_path: Path) -> None:
    """While somebody waits no message is offered, and an agent who becomes ready is the caller's."""
    async with opened(tmp_path) as site:
        caller = await site.enter(extension="300")
        await caller.until("SET MUSIC ON")
        assert [call.state for call in site.parts.engine.calls.values()] == [CallState.WAITING]
        await left(site)
        site.parts.voicemail_items.look()
        assert len(site.parts.engine.calls) == 1, "the message does not even wait"
        site.parts.host.post(AgentReady("anna"))
        await caller.until("EXEC Dial")
        assert originated(site) == []


@pytest.mark.parametrize("extension", ["300", "200"], ids=["of the same queue", "of another queue of the agent"])
async def test_a_ringing_message_makes_room_for_a_caller(tmp_path: Path, extension: str) -> None:
    async with opened(tmp_path, "ready", queues=("general", "cards")) as site:
        message_id = await left(site)
        site.parts.voicemail_items.look()
        assert [call.state for call in site.parts.engine.calls.values()] == [CallState.OFFERED]
        caller = await site.enter(extension=extension)
        await caller.until("SET MUSIC ON")
        site.parts.voicemail_items.look()
        await caller.until("EXEC Dial")
        assert state(site, message_id) is MessageState.NEW
        assert [call.id for call in site.parts.engine.calls.values() if call.id.startswith("voicemail-")] == []


async def test_urgent_ones_first(tmp_path: Path) -> None:
    async with opened(tmp_path, "not-ready") as site:
        await left(site, 1)
        await left(site, 2, urgent=True)
        site.parts.host.post(AgentReady("anna"))
        site.parts.voicemail_items.look()
        assert originated(site)
        assert list(site.parts.engine.calls) == ["voicemail-m2"]


async def test_taken_back_when_a_caller_comes(tmp_path: Path) -> None:
    """The agent goes away while the message waits; a caller comes: the message makes room."""
    async with opened(tmp_path, "ready") as site:
        message_id = await left(site)
        site.parts.voicemail_items.look()
        assert originated(site)
        (offer,) = site.parts.engine.offers
        site.parts.host.post(LegFailed(offer, "anna", LegFailure.REJECTED))
        (waits,) = site.parts.engine.calls.values()
        assert waits.state is CallState.WAITING
        caller = await site.enter(extension="300")
        await caller.until("SET MUSIC ON")
        site.parts.voicemail_items.look()
        waiting = [call.id for call in site.parts.engine.calls.values() if call.state is CallState.WAITING]
        assert len(waiting) == 1
        assert not waiting[0].startswith("voicemail-")
        assert state(site, message_id) is MessageState.NEW

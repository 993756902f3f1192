"""The bench's scripted Asterisk, against the real FastAGI server."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ami_bridge.agi_codec import AgiReply
from ami_bridge.agi_server import AgiServer
from ami_bridge.agi_session import AgiDeadChannel, AgiError, AgiRefused, AgiSession
from bench import menus_callers
from bench.menus_callers import Exchange
from tests.ami_bridge.fake_asterisk import FakeManager

LIMIT_S = 10.0
NEVER_S = 1000.0
Story = Callable[[AgiSession], Awaitable[None]]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(menus_callers, "RAMP_S", 0.01)


@pytest.fixture
def sound(tmp_path: Path) -> str:
    """A sound of a quarter of a second."""
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 2000))
    return str(tmp_path / "sound")


@pytest.fixture
def endless(tmp_path: Path) -> str:
    """A sound of a quarter of an hour, without any content on the disk."""
    with (tmp_path / "endless.wav").open("wb") as file:
        file.truncate(2 * 8000 * 900)
    return str(tmp_path / "endless")


@asynccontextmanager
async def exchange_for(story: Story) -> AsyncIterator[Exchange]:
    """An exchange whose callers are served by ``story``."""
    server = AgiServer("127.0.0.1", 0, story, scripts=("acd/call",))
    await server.start()
    try:
        yield Exchange(server.port, FakeManager(), 1)
    finally:
        await server.close()


async def told(story: Callable[[AgiSession], Awaitable[object]], interval_s: float = NEVER_S) -> Any:
    """What a story comes to with one caller."""
    results: asyncio.Queue[object] = asyncio.Queue()

    async def serve(agi: AgiSession) -> None:
        try:
            results.put_nowait(await story(agi))
        except AgiError as error:
            results.put_nowait(error)
        await asyncio.Event().wait()

    async with exchange_for(serve) as exchange, asyncio.timeout(LIMIT_S):
        await exchange.have(1, interval_s, 1000)
        return await results.get()


def only(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Let callers press this key alone."""
    monkeypatch.setattr(menus_callers, "KEYS", {key: 1})


async def test_the_environment_is_one_that_asterisk_writes() -> None:
    async def story(agi: AgiSession) -> object:
        return agi.script, agi.args, agi.env["agi_extension"], agi.env["agi_uniqueid"]

    assert await told(story) == ("acd/call", ("",), "100", "1767225600.1")


async def test_a_sound_plays_for_its_time(sound: str) -> None:
    async def story(agi: AgiSession) -> object:
        began = asyncio.get_running_loop().time()
        reply = await agi.command("STREAM FILE", sound, "123", "1000")
        return reply, asyncio.get_running_loop().time() - began

    reply, took_s = await told(story)
    assert (reply.digit, reply.endpos) == ("", 2000)
    assert took_s >= 0.12


async def test_a_key_ends_a_sound_where_it_is(sound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "3")

    async def story(agi: AgiSession) -> object:
        return await agi.command("STREAM FILE", sound, "123", "0")

    reply = await told(story, 0.1)
    assert isinstance(reply, AgiReply)
    assert reply.digit == "3"
    assert reply.endpos is not None
    assert 0 <= reply.endpos <= 2000


async def test_a_key_pressed_while_nothing_listens_is_heard_next(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "7")

    async def story(agi: AgiSession) -> object:
        await asyncio.sleep(0.15)  # the first key comes within an interval
        began = asyncio.get_running_loop().time()
        reply = await agi.command("WAIT FOR DIGIT", "8000")
        return reply.digit, asyncio.get_running_loop().time() - began < 4

    assert await told(story, 0.1) == ("7", True)


async def test_no_key_in_time() -> None:
    async def story(agi: AgiSession) -> object:
        return (await agi.command("WAIT FOR DIGIT", "50")).digit

    assert await told(story) == ""


async def test_variables_are_kept() -> None:
    async def story(agi: AgiSession) -> object:
        unset = await agi.command("GET FULL VARIABLE", "${ACD_STATE}")
        await agi.exec("MSet", "ACD_CALL=a-1", "ACD_STATE=1&ph=menu")
        await agi.command("SET VARIABLE", "ACD_DONE", "two words")
        found = await agi.command("GET FULL VARIABLE", "${ACD_CALL}|${ACD_STATE}|${OTHER}|${ACD_DONE}")
        return unset.value, found.value

    assert await told(story) == (None, "a-1|1&ph=menu||two words")


async def test_what_it_does_not_know_is_counted() -> None:
    answers: list[object] = []

    async def story(agi: AgiSession) -> None:
        answers.append((await agi.exec("Frobnicate")).number)
        answers.append((await agi.command("STREAM FILE", "/no/such/sound", "", "0")).endpos)
        try:
            await agi.command("TDD MODE", "on")
        except AgiRefused as refused:
            answers.append(refused.reply.code)
        await agi.command("SET VARIABLE", "ACD_DONE", "hangup")

    async with exchange_for(story) as exchange, asyncio.timeout(LIMIT_S):
        await exchange.have(1, NEVER_S, 1000)
        await exchange.see_ended(1)
        assert dict(exchange.window.not_understood)["EXEC Frobnicate"] >= 1
        assert dict(exchange.window.not_understood)["no sound /no/such/sound"] >= 1
        assert dict(exchange.window.not_understood)["TDD MODE"] >= 1
    assert answers[:3] == [-2, 0, 510]


async def test_a_caller_who_gives_up(endless: str) -> None:
    seen: asyncio.Queue[object] = asyncio.Queue()

    async def story(agi: AgiSession) -> None:
        reply = await agi.command("STREAM FILE", endless, "1", "0")
        seen.put_nowait(reply.number)
        try:
            await agi.command("WAIT FOR DIGIT", "50", even_if_dead=True)
        except AgiDeadChannel:
            seen.put_nowait(agi.hangup_seen)

    async with exchange_for(story) as exchange, asyncio.timeout(LIMIT_S):
        await exchange.have(1, NEVER_S, 1000)
        while not exchange.window.commands["STREAM FILE"]:  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0.005)
        await exchange.have(0, NEVER_S, 1000)
        assert [await seen.get(), await seen.get()] == [-1, True]
        assert (exchange.ended, exchange.window.dropped) == (1, 0)


async def test_who_ends_is_replaced_and_a_call_let_go_without_a_word_is_counted() -> None:
    calls = 0

    async def story(agi: AgiSession) -> None:
        nonlocal calls
        calls += 1
        if calls <= 5:
            await agi.command("SET VARIABLE", "ACD_DONE", "hangup")
        elif calls > 6:
            await asyncio.Event().wait()

    async with exchange_for(story) as exchange, asyncio.timeout(LIMIT_S):
        await exchange.have(3, NEVER_S, 1000)
        while exchange.ended < 6:  # noqa: ASYNC110 - its own condition counts from when it is asked
            await asyncio.sleep(0.005)
        await exchange.have(3, NEVER_S, 1000)
        assert exchange.window.dropped == 1
        assert exchange.window.calls == 9


async def test_the_time_from_a_key_to_what_follows(endless: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "2")

    async def story(agi: AgiSession) -> None:
        while True:
            await agi.command("STREAM FILE", endless, "2", "0")
            await agi.exec("MSet", "a=b")
            await asyncio.sleep(0.02)

    async with exchange_for(story) as exchange, asyncio.timeout(LIMIT_S):
        await exchange.have(2, 0.1, 1000)
        window = await exchange.measure(0.6)
        assert window.keys >= 6
        assert len(window.next_command_ms) >= len(window.next_sound_ms) >= 4
        assert min(window.next_sound_ms) >= 20
        assert min(window.next_command_ms) > 0
        assert window.commands["EXEC MSet"] >= 4
        await exchange.have(0, 0.1, 1000)


async def test_the_manager_hears_of_calls_and_keys(endless: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "5")
    sent: list[bytes] = []

    async def story(agi: AgiSession) -> None:
        await agi.exec("Answer")
        await agi.command("STREAM FILE", endless, "5", "0")
        await agi.command("SET VARIABLE", "ACD_DONE", "hangup")

    async with exchange_for(story) as exchange, asyncio.timeout(LIMIT_S):
        monkeypatch.setattr(exchange.manager, "send", sent.append)
        await exchange.have(1, 0.1, 1000)
        await exchange.see_ended(1)
        await exchange.have(0, 0.1, 1000)
    names = [data.split(b"\r\n")[0].decode() for data in sent if b"Uniqueid: 1767225600.1\r\n" in data]
    assert names == ["Event: Newchannel", "Event: Newstate", "Event: DTMFEnd", "Event: Hangup"]


async def test_an_engine_that_refuses_calls_is_counted() -> None:
    exchange = Exchange(9, FakeManager(), 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await exchange.have(1, NEVER_S, 1000)
    assert exchange.window.dropped == 1

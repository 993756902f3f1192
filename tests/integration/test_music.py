"""A caller who waits is never in silence: while waiting, ringing, between two offers, and through an engine's death."""

from __future__ import annotations

import asyncio
import time

import pytest

from acd.lab.callers import Call, CallPlan
from acd.lab.phones import Reject, Ring
from tests.integration.conftest import OpenStage
from tests.integration.stage import eventually

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

LISTENER = CallPlan("200", listens=True)
MOST_S = 0.5
"""Longest time without sound that still counts as music: pauses in the piece itself, and a loaded machine."""


def silence_s(call: Call, since: float, until: float | None = None) -> float:
    assert call.rtp is not None
    return call.rtp.longest_silence_s(since, until if until is not None else time.time())


async def hears(call: Call) -> float:
    """Wait until the caller hears something; the moment."""

    async def sound() -> bool:
        return call.rtp is not None and any(packet.sound for packet in call.rtp.heard)

    await eventually(sound, "the caller hears something")
    return time.time()


async def test_music_while_waiting(stage: OpenStage) -> None:
    async with stage(start="not-ready") as s:
        call = await s.place(LISTENER)
        since = await hears(call)
        await asyncio.sleep(3)
        assert silence_s(call, since) < MOST_S
        answered_at = call.answered_at
        assert answered_at is not None
        assert silence_s(call, answered_at) < 2 * MOST_S, "from the very answer on"
        await call.hang_up()


async def test_music_while_ringing_and_between_two_offers(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["cards"]}, defaults={"ring_timeout_s": "1"}) as s:
        s.phones["anna"].behaviour = Ring()
        s.phones["bob"].behaviour = Reject(486, after_s=0.5)
        call = await s.place(LISTENER)
        since = await hears(call)
        await s.engine.agent("bob", "back-off")
        await asyncio.sleep(1)
        assert silence_s(call, since) < MOST_S
        assert [len(phone.calls) for phone in (s.phones["anna"], s.phones["bob"])] == [1, 1]
        await call.hang_up()


async def test_a_ringing_tone_if_the_queue_wants_one(stage: OpenStage) -> None:
    queues = {"cards": {"while_ringing": "ringing"}, "general": {}}
    async with stage(agents={"anna": ["cards"]}, queues=queues) as s:
        call = await s.place(LISTENER)
        await s.phones["anna"].offered()
        await hears(call)
        await call.hang_up()


@pytest.mark.parametrize("agents", [{}, {"anna": ["cards"]}], ids=["waiting", "ringing"])
async def test_music_through_the_death_of_the_engine(stage: OpenStage, agents: dict[str, list[str]]) -> None:
    """Two seconds without any engine, then a new one: the caller hears nothing of it."""
    served = agents or {"anna": ["cards"]}
    async with stage(agents=served, start="ready" if agents else "not-ready", defaults={"ring_timeout_s": "1"}) as s:
        call = await s.place(LISTENER)
        since = await hears(call)
        if agents:
            await s.phones["anna"].offered()
        else:
            await s.waiting(1)
        s.engine.kill()
        await s.engine.wait()
        await asyncio.sleep(2)
        await s.engine.start()
        await s.engine.until(lambda status: [call["state"] for call in status["calls"]] in (["waiting"], ["offered"]))
        await asyncio.sleep(0.5)
        assert silence_s(call, since) < MOST_S
        assert call.end is None
        await call.hang_up()


async def test_music_through_a_drain(stage: OpenStage) -> None:
    async with stage(start="not-ready") as s:
        call = await s.place(LISTENER)
        since = await hears(call)
        s.engine.terminate()
        await s.engine.wait()
        await s.engine.start()
        await s.waiting(1, timeout_s=10)
        assert silence_s(call, since) < MOST_S
        await call.hang_up()

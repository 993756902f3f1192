from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from acd.service.prompts import audio as prompts_audio
from acd.service.prompts.audio import convert, write_wav
from acd.service.prompts.converting import Converters
from acd.service.prompts.tools import ToolError
from tests.service.prompts.sounds import tone, wav_file

WAV = write_wav(tone(500, 22050))


@asynccontextmanager
async def opened(**more: float) -> AsyncIterator[Converters]:
    """Converters that are closed however the test ends."""
    converters = Converters(**more)
    try:
        yield converters
    finally:
        await converters.close()


@pytest.fixture(params=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if request.param == "uvloop" else None) as runner:
        yield runner


def children() -> set[int]:
    """The converters that run as our children."""
    found = set()
    for path in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for pid in path.read_text().split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if prompts_audio.__file__.encode() in words:
                found.add(int(pid))
    return found


async def started() -> set[int]:
    async with asyncio.timeout(30):
        while True:
            if found := children():
                return found
            await asyncio.sleep(0.01)


async def gone(pids: set[int]) -> None:
    async with asyncio.timeout(30):
        while True:
            if not children() & pids:
                return
            await asyncio.sleep(0.01)


def test_one_process_serves_one_sound_after_the_other(runner: asyncio.Runner) -> None:
    async def work() -> None:
        async with opened() as converters:
            wanted = {
                (rate_hz, speech): convert(WAV, rate_hz, speech=speech)
                for rate_hz in (8000, 16000)
                for speech in (False, True)
            }
            seen = set()
            for (rate_hz, speech), sound in wanted.items():
                assert await converters.convert(WAV, rate_hz, speech=speech) == sound
                seen |= children()
            assert len(seen) == 1
            await converters.close()
            assert not children()

    runner.run(work())


def test_as_many_processes_as_sounds_at_once(runner: asyncio.Runner) -> None:
    async def work() -> None:
        async with opened() as converters:
            sounds = await asyncio.gather(*(converters.convert(WAV, 8000, speech=True) for _ in range(2)))
            assert sounds == [convert(WAV, 8000, speech=True)] * 2
            assert len(children()) == 2
            await converters.close()
            assert not children()

    runner.run(work())


def test_a_sound_that_cannot_be_used_is_told_and_the_next_one_converted(runner: asyncio.Runner) -> None:
    async def work() -> None:
        async with opened() as converters:
            with pytest.raises(ToolError, match=r"^the sound cannot be used: it is not a WAV file$"):
                await converters.convert(b"ID3", 8000, speech=True)
            before = children()
            assert await converters.convert(WAV, 8000, speech=True) == convert(WAV, 8000, speech=True)
            assert children() == before
            await converters.close()

    runner.run(work())


def test_a_process_that_has_nothing_to_do_ends(runner: asyncio.Runner) -> None:
    async def work() -> None:
        async with opened(idle_s=0.0) as converters:
            assert await converters.convert(WAV, 8000, speech=True)
            await gone(children())
            assert await converters.convert(WAV, 8000, speech=True)
            await gone(children())
            await converters.close()

    runner.run(work())


def test_a_process_that_was_killed_is_replaced(runner: asyncio.Runner) -> None:
    async def work() -> None:
        async with opened() as converters:
            assert await converters.convert(WAV, 8000, speech=True)
            before = children()
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            await gone(before)
            assert await converters.convert(WAV, 8000, speech=True)
            assert not children() & before
            await converters.close()

    runner.run(work())


def test_a_process_that_does_not_answer_is_ended(runner: asyncio.Runner) -> None:
    async def work() -> None:
        async with opened(timeout_s=0.0) as converters:
            with pytest.raises(ToolError, match="took longer than 0 s"):
                await converters.convert(WAV, 8000, speech=True)
            assert not children()
            await converters.close()

    runner.run(work())


def test_a_process_ends_with_whoever_wanted_its_sound(runner: asyncio.Runner) -> None:
    async def work() -> None:
        async with opened() as converters:
            # Ten minutes, which take seconds.
            long = wav_file(1, 1, 22050, 16, bytes(2 * 22050 * 600))
            task = asyncio.create_task(converters.convert(long, 8000, speech=True))
            running = await started()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await gone(running)
            await converters.close()

    runner.run(work())


def test_a_process_that_dies_of_a_sound_tells_why(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import sys\nsys.stdin.buffer.read(9)\nsys.exit('there is no memory left')\n")
    monkeypatch.setattr(prompts_audio, "__file__", str(broken))

    async def work() -> None:
        async with opened() as converters:
            for wav in (WAV, WAV * 100):
                with pytest.raises(ToolError, match=r"^the sound converter has ended: there is no memory left$"):
                    await converters.convert(wav, 8000, speech=True)
            assert not children()
            await converters.close()

    runner.run(work())

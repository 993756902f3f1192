"""Converting sounds in processes beside the engine, so that the computing does not hold up the calls.

A process serves one sound at a time and is kept for a little while for the next one: starting it, and working out its
filters, costs more than most sounds do.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE

from acd.service.prompts import audio
from acd.service.prompts.tools import ERROR_TEXT_MAX, ToolError, bare_environment, end_process, pipes

__all__ = ["Converters"]

CONVERT_TIMEOUT_S = 60.0
IDLE_S = 10.0
LEAVE_TIMEOUT_S = 5.0


class _EndedError(ToolError):
    """A converter has ended without an answer."""


class Converters:
    """Processes that convert sounds: as many as are used at once. One event loop uses them.

    Args:
        idle_s: how long a process is kept that has nothing to do.
        timeout_s: a sound that takes longer counts as failed.
    """

    def __init__(self, *, idle_s: float = IDLE_S, timeout_s: float = CONVERT_TIMEOUT_S) -> None:
        self._idle_s = idle_s
        self._timeout_s = timeout_s
        self._idle: dict[asyncio.subprocess.Process, asyncio.TimerHandle] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def convert(self, wav: bytes, rate_hz: int, *, speech: bool) -> bytes:
        """`acd.service.prompts.audio.convert` in another process.

        Raises:
            ToolError: the sound cannot be used.
        """
        kept = self._take()
        if kept is not None:
            try:
                return await self._converted(kept, wav, rate_hz, speech=speech)
            except _EndedError:
                # It may have ended before it was asked, if somebody has killed it.
                pass
        return await self._converted(await _start(), wav, rate_hz, speech=speech)

    async def close(self) -> None:
        """End the processes that are not in use."""
        for process in list(self._idle):
            self._dismiss(process)
        await asyncio.gather(*self._leaving)

    async def _converted(self, process: asyncio.subprocess.Process, wav: bytes, rate_hz: int, *, speech: bool) -> bytes:
        answered = False
        try:
            async with asyncio.timeout(self._timeout_s):
                good, content = await _ask(process, wav, rate_hz, speech=speech)
            answered = True
        except TimeoutError:
            raise ToolError(f"the sound converter took longer than {self._timeout_s:g} s") from None
        finally:
            # One that was left in the middle of a sound would give its answer to the next one.
            if answered:
                self._keep(process)
            else:
                await end_process(process)
        if not good:
            raise ToolError(f"the sound cannot be used: {content.decode(errors='replace')}")
        return content

    def _take(self) -> asyncio.subprocess.Process | None:
        while self._idle:
            process, timer = self._idle.popitem()
            timer.cancel()
            if process.returncode is None:
                return process
        return None

    def _keep(self, process: asyncio.subprocess.Process) -> None:
        loop = asyncio.get_running_loop()
        self._idle[process] = loop.call_later(self._idle_s, self._dismiss, process)

    def _dismiss(self, process: asyncio.subprocess.Process) -> None:
        self._idle.pop(process).cancel()
        leaving = asyncio.create_task(_leave(process))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


async def _leave(process: asyncio.subprocess.Process) -> None:
    """Let a process end, which it does when there is nothing more to read."""
    stdin, _, _ = pipes(process)
    stdin.close()
    try:
        async with asyncio.timeout(LEAVE_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        await end_process(process)


async def _start() -> asyncio.subprocess.Process:
    # -I -S: the program needs the standard library alone, and starts three times as fast without site-packages.
    argv = [sys.executable, "-I", "-S", str(audio.__file__)]
    try:
        return await asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=bare_environment(), cwd="/"
        )
    except OSError as error:
        raise ToolError(f"the sound converter cannot be run: {error}") from error


async def _ask(process: asyncio.subprocess.Process, wav: bytes, rate_hz: int, *, speech: bool) -> tuple[bool, bytes]:
    """Whether the sound could be converted, and the new sound or the reason."""
    stdin, stdout, stderr = pipes(process)
    try:
        stdin.write(audio.REQUEST.pack(rate_hz, speech, len(wav)))
        stdin.write(wav)
        await stdin.drain()
        good, length = audio.ANSWER.unpack(await stdout.readexactly(audio.ANSWER.size))
        return bool(good), await stdout.readexactly(length)
    # A pipe that has been closed since is a RuntimeError under uvloop.
    except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError, RuntimeError):
        complaint = (await stderr.read()).decode(errors="replace").strip()[-ERROR_TEXT_MAX:]
        raise _EndedError(f"the sound converter has ended: {complaint or 'it says nothing'}") from None

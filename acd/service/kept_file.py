"""A file of the state folder that follows something in memory: written by a thread, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from acd.service.files import write_atomically

__all__ = ["KeptFile"]

log = structlog.get_logger(__name__)


class KeptFile:
    """Keeps ``path`` at what ``content`` gives, ``gather_s`` seconds after a change at the latest.

    ``content`` is called in the event loop; the writing waits for no disk there. ``what`` names the content in the
    log. A write that fails is logged and tried again with the next change.
    """

    def __init__(self, path: Path, what: str, content: Callable[[], bytes], gather_s: float = 0.0) -> None:
        self.path = path
        self._what = what
        self._content = content
        self._gather_s = gather_s
        self._changed = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    def read(self) -> bytes | None:
        """Return what was kept; None where there is nothing."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning(f"{self._what} are not known", file=str(self.path), why=str(error))
            return None

    def unusable(self, why: Exception) -> None:
        """Say that what was read cannot be used, and put it aside for people to look at: the next write is anew."""
        aside = self.path.with_suffix(".damaged")
        try:
            self.path.replace(aside)
        except OSError as error:
            log.warning("a damaged file cannot be put aside", file=str(self.path), why=str(error))
        log.warning(f"{self._what} are not known", file=str(self.path), why=str(why), kept_as=str(aside))

    def changed(self) -> None:
        """The content is no longer what it was."""
        self._changed.set()

    async def write_now(self) -> bool:
        """Write at once; returns whether the present content is kept. It is whatever becomes of the process then."""
        return await self._write_in_thread()

    async def flush(self) -> None:
        """Wait until every change so far is kept, or its write has failed."""
        if self._changed.is_set():
            await self._write_in_thread()
        else:
            async with self._one_at_a_time:
                pass  # the write that is under way has ended

    async def run(self) -> None:
        """Write changes as they come, until cancelled; what is still unwritten then is written first."""
        try:
            while True:
                await self._changed.wait()
                await asyncio.sleep(self._gather_s)
                if self._changed.is_set():
                    await self._write_in_thread()
        finally:
            if self._changed.is_set():
                self._write(self._content())

    async def _write_in_thread(self) -> bool:
        async with self._one_at_a_time:
            self._changed.clear()
            writing = asyncio.ensure_future(asyncio.to_thread(self._write, self._content()))
            try:
                return await asyncio.shield(writing)
            except asyncio.CancelledError:
                await writing  # a thread cannot be cancelled, and it must not overtake the last write
                raise

    def _write(self, content: bytes) -> bool:
        try:
            write_atomically(self.path, content)
        except OSError as error:
            log.error(f"{self._what} cannot be kept", file=str(self.path), why=str(error))  # noqa: TRY400
            return False
        return True

"""Sounds on the disk: named by what they are made of, written whole or not at all, bounded in size."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

TEMPORARY_PREFIX = ".new-"
TEMPORARY_AGE_MAX_S = 3600.0
"""Unfinished files older than this were left by a process that was killed."""

# Asterisk often runs as another user, and must read them.
FILE_MODE = 0o644
FOLDER_MODE = 0o755


class CacheError(Exception):
    """A sound could not be written; the text names the folder and the reason."""


class SoundCache:
    """A folder of sounds, each in one file for every rate: `KEY.wav` and, for 16 kHz, `KEY.wav16`.

    Sounds that are kept stay; of the others the least recently used go when there are more than `bytes_max`. One that
    was asked for within the last `idle_s` stays too, because Asterisk may not have opened it yet. Several processes
    may share a folder.

    Used by one event loop; whatever touches the disk for long is done in a thread.
    """

    def __init__(
        self, folder: Path, *, bytes_max: int, idle_s: float = 120.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._idle_s = idle_s
        self._clock = clock
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._used_at: dict[str, float] = {}
        self._kept: set[str] = set()

    @property
    def size_bytes(self) -> int:
        """What the known sounds take, all together."""
        return sum(self._sizes.values())

    async def open(self) -> None:
        """Make the folder and see what is in it, oldest first.

        Raises:
            CacheError: the folder cannot be made or read.
        """
        try:
            found = await asyncio.to_thread(_scan, self._folder)
        except OSError as error:
            raise CacheError(f"the prompt cache {self._folder} cannot be used: {error.strerror}") from error
        for key, size in found:
            self._sizes.setdefault(key, size)

    def base(self, key: str) -> Path:
        """The path of a sound without its ending, as Asterisk wants it."""
        return self._folder / key

    def use(self, key: str) -> bool:
        """Whether the sound is there. If so it counts as used now."""
        # One look at the disk, some microseconds: somebody may have cleared the folder.
        if not self.base(key).with_suffix(".wav").exists():
            self._sizes.pop(key, None)
            self._used_at.pop(key, None)
            return False
        self._sizes.setdefault(key, 0)
        self._sizes.move_to_end(key)
        self._used_at[key] = self._clock()
        return True

    def keep(self, keys: Iterable[str]) -> None:
        """From here on these sounds stay, and no others."""
        self._kept = set(keys)

    async def put(self, key: str, files: Mapping[str, bytes]) -> None:
        """Write a sound: content by file ending. If the disk is full, unneeded sounds make room first.

        Raises:
            CacheError: it could not be written.
        """
        try:
            await self._write(key, files)
        except OSError as error:
            raise CacheError(f"the prompt cache {self._folder} cannot be written: {error.strerror}") from error
        self._sizes[key] = sum(map(len, files.values()))
        self._sizes.move_to_end(key)
        self._used_at[key] = self._clock()
        await self._evict(self._surplus())

    async def _write(self, key: str, files: Mapping[str, bytes]) -> None:
        try:
            await asyncio.to_thread(_write_files, self._folder, key, files)
        except OSError as error:
            victims = self._evictable()
            if error.errno not in {errno.ENOSPC, errno.EDQUOT} or not victims:
                raise
            await self._evict(victims)
            await asyncio.to_thread(_write_files, self._folder, key, files)

    def _evictable(self) -> list[str]:
        recent = self._clock() - self._idle_s
        return [key for key in self._sizes if key not in self._kept and self._used_at.get(key, -1e18) <= recent]

    def _surplus(self) -> list[str]:
        excess = self.size_bytes - self._bytes_max
        victims = []
        for key in self._evictable() if excess > 0 else ():
            victims.append(key)
            excess -= self._sizes[key]
            if excess <= 0:
                break
        return victims

    async def _evict(self, keys: list[str]) -> None:
        for key in keys:
            del self._sizes[key]
            self._used_at.pop(key, None)
        if keys:
            await asyncio.to_thread(_remove, [self.base(key) for key in keys])


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        # Not by mkdir's own mode, which the umask narrows.
        folder.chmod(FOLDER_MODE)


def _scan(folder: Path) -> list[tuple[str, int]]:
    _make_folder(folder)
    sizes: dict[str, int] = {}
    ages: dict[str, float] = {}
    now = time.time()
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):  # another process cleared it away meanwhile
            status = entry.stat()
            if entry.name.startswith(TEMPORARY_PREFIX):
                if now - status.st_mtime > TEMPORARY_AGE_MAX_S:
                    Path(entry.path).unlink()
            elif entry.name.endswith((".wav", ".wav16")):
                key = entry.name.rpartition(".")[0]
                sizes[key] = sizes.get(key, 0) + status.st_size
                ages[key] = max(ages.get(key, 0.0), status.st_mtime)
    return [(key, sizes[key]) for key in sorted(sizes, key=ages.__getitem__)]


def _write_files(folder: Path, key: str, files: Mapping[str, bytes]) -> None:
    _make_folder(folder)
    # .wav last: where it is, the sound is complete.
    for ending in sorted(files, key=lambda ending: ending == ".wav"):
        handle, name = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=folder)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(files[ending])
                file.flush()
                os.fchmod(file.fileno(), FILE_MODE)
                # Without it a power cut can leave an empty file under the final name.
                os.fsync(file.fileno())
            temporary.replace(folder / f"{key}{ending}")
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _remove(bases: list[Path]) -> None:
    for base in bases:
        for ending in (".wav", ".wav16"):
            base.with_suffix(ending).unlink(missing_ok=True)

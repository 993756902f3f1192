"""Sounds on the disk: named by what they are made of, written whole or not at all, bounded in size.

Several processes may share a folder: the engine, and `acd prompts build` beside it. The disk is the truth: a file's
modification time is when its sound was last used, and each process keeps a list of the sounds that it needs, locked as
long as it lives, so that no other one removes them.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import tempfile
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TEMPORARY_PREFIX = ".new-"
TEMPORARY_AGE_MAX_S = 3600.0
"""Unfinished files older than this were left by a process that was killed."""
NEEDED_PREFIX = ".needed-"
"""Lists of the sounds that a process needs."""

USE_NOTED_EVERY_S = 60.0
"""A use is noted on the disk no more often than this."""
RECOUNTED_EVERY_S = 60.0
"""How often, at most, a process looks what others have put there, when it puts something there itself."""
ROOM = 0.95
"""Share of the limit that is left when room is made: so that it is made seldom."""

# Asterisk often runs as another user, and must read them.
FILE_MODE = 0o644
FOLDER_MODE = 0o755
_ENDINGS = (".wav", ".wav16")


class CacheError(Exception):
    """A sound could not be written; the text names the folder and the reason."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A sound on the disk."""

    size_bytes: int
    used_at: float
    """UNIX time."""


class SoundCache:
    """A folder of sounds, each in one file for every rate: `KEY.wav` and, for 16 kHz, `KEY.wav16`.

    Sounds that are kept stay; of the others the least recently used go when there are more than `bytes_max`. One that
    was asked for within the last `idle_s` stays too, because Asterisk may not have opened it yet.

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
        self._noted_at: dict[str, float] = {}
        self._kept: frozenset[str] = frozenset()
        self._counted_at: float | None = None
        self._full_until = float("-inf")
        self._list: _NeededList | None = None
        self._making_room = asyncio.Lock()

    @property
    def size_bytes(self) -> int:
        """What the known sounds take, all together."""
        return sum(self._sizes.values())

    def size_of(self, keys: Iterable[str]) -> int:
        """What these sounds take, those that are there."""
        return sum(self._sizes.get(key, 0) for key in keys)

    async def open(self) -> None:
        """Make the folder and see what is in it, oldest first.

        Raises:
            CacheError: the folder cannot be made or read.
        """
        try:
            found = await asyncio.to_thread(_scan, self._folder)
        except OSError as error:
            raise CacheError(f"the prompt cache {self._folder} cannot be used: {error.strerror}") from error
        self._count(found)
        if self._list is None:
            self.keep(self._kept)

    def base(self, key: str) -> Path:
        """The path of a sound without its ending, as Asterisk wants it."""
        return self._folder / key

    def use(self, key: str) -> bool:
        """Whether the sound is there. If so it counts as used now."""
        # One look at the disk, some microseconds: somebody may have cleared the folder, and a power cut can leave an
        # empty file.
        path = f"{self._folder}/{key}.wav"
        try:
            # Not by Path, which takes longer than the look itself: this is done for all that callers hear.
            there = os.stat(path).st_size > 0  # noqa: PTH116
        except OSError:
            there = False
        if not there:
            self._sizes.pop(key, None)
            self._used_at.pop(key, None)
            return False
        now = self._clock()
        self._sizes.setdefault(key, 0)
        self._sizes.move_to_end(key)
        self._used_at[key] = now
        if now - self._noted_at.get(key, float("-inf")) >= USE_NOTED_EVERY_S:
            self._noted_at[key] = now
            # For other processes and for the next start. In a folder that is only lent to us it cannot be noted.
            with suppress(OSError):
                os.utime(path)
        return True

    def has(self, key: str) -> bool:
        """Whether the sound is there; looking is no use."""
        try:
            return (self._folder / f"{key}.wav").stat().st_size > 0
        except OSError:
            return False

    def keep(self, keys: Iterable[str]) -> None:
        """From here on these sounds stay, and no others; for other processes, too, as long as this one lives."""
        self._kept = frozenset(keys)
        before = self._list
        with suppress(OSError):  # a folder that cannot be written is told of when a sound is
            self._list = _NeededList(self._folder, self._kept)
            if before is not None:
                before.close()

    def close(self) -> None:
        """Let other processes remove what this one has kept."""
        if self._list is not None:
            self._list.close()
            self._list = None

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
        self._used_at[key] = self._noted_at[key] = self._clock()
        if self._should_recount() or (self.size_bytes > self._bytes_max and self._clock() >= self._full_until):
            await self._make_room(self._bytes_max)

    async def _write(self, key: str, files: Mapping[str, bytes]) -> None:
        try:
            await asyncio.to_thread(_write_files, self._folder, key, files)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT} or not await self._make_room(0):
                raise
            await asyncio.to_thread(_write_files, self._folder, key, files)

    def _should_recount(self) -> bool:
        return self._counted_at is None or self._clock() - self._counted_at >= RECOUNTED_EVERY_S

    async def _make_room(self, bytes_max: int) -> int:
        """Look what is there, and remove what is too much; returns how many sounds went."""
        async with self._making_room:
            mine = self._kept | {key for key, used in self._used_at.items() if used > self._clock() - self._idle_s}
            found, removed = await asyncio.to_thread(
                _shrink, self._folder, bytes_max, mine, self._list.path if self._list else None, self._idle_s
            )
        self._count(found)
        if self.size_bytes > self._bytes_max:
            # All the rest is needed: no use in looking at each sound that is put.
            self._full_until = self._clock() + RECOUNTED_EVERY_S
        return removed

    def _count(self, found: Mapping[str, _Found]) -> None:
        self._counted_at = self._clock()
        self._sizes = OrderedDict((key, found[key].size_bytes) for key in sorted(found, key=lambda k: found[k].used_at))
        for times in (self._used_at, self._noted_at):
            for key in [key for key in times if key not in found]:
                del times[key]


class _NeededList:
    """The list of the sounds that a process needs, in a file that is locked while the process lives."""

    def __init__(self, folder: Path, keys: Collection[str]) -> None:
        """Write the list.

        Raises:
            OSError: it cannot be written.
        """
        _make_folder(folder)
        content = "".join(f"{key}\n" for key in sorted(keys)).encode()
        while True:
            handle, name = tempfile.mkstemp(prefix=NEEDED_PREFIX, dir=folder)
            self.path = Path(name)
            # A list that nobody closes is unlocked with its owner.
            self._unlock = weakref.finalize(self, os.close, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.write(handle, content)
                # Before it was locked another process may have taken it for that of a dead one, and removed it.
                if os.fstat(handle).st_nlink:
                    return
            except BlockingIOError:
                pass
            self._unlock()

    def close(self) -> None:
        """Others may remove these sounds from now on."""
        self.path.unlink(missing_ok=True)
        self._unlock()


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        # Not by mkdir's own mode, which the umask narrows.
        folder.chmod(FOLDER_MODE)


def _scan(folder: Path) -> dict[str, _Found]:
    _make_folder(folder)
    found: dict[str, _Found] = {}
    now = time.time()
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):  # another process cleared it away meanwhile
            status = entry.stat()
            if entry.name.startswith(TEMPORARY_PREFIX):
                if now - status.st_mtime > TEMPORARY_AGE_MAX_S:
                    Path(entry.path).unlink()
            elif entry.name.endswith(_ENDINGS):
                key = entry.name.rpartition(".")[0]
                before = found.get(key, _Found(0, 0.0))
                found[key] = _Found(before.size_bytes + status.st_size, max(before.used_at, status.st_mtime))
    return found


def _shrink(
    folder: Path, bytes_max: int, mine: Collection[str], own_list: Path | None, idle_s: float
) -> tuple[dict[str, _Found], int]:
    """Remove the sounds used longest ago that nobody needs, down to `bytes_max`; returns what is left."""
    found = _scan(folder)
    total = sum(sound.size_bytes for sound in found.values())
    if total <= bytes_max:
        return found, 0
    others = list(_needed_by_others(folder, own_list))
    needed = frozenset(mine).union(*others)
    # Another process notes on the disk when it used a sound; its caller may be about to hear it.
    recent = time.time() - idle_s - USE_NOTED_EVERY_S if others else float("inf")
    removed = 0
    for key in sorted(found, key=lambda key: found[key].used_at):
        if total <= bytes_max * ROOM:
            break
        if key not in needed and found[key].used_at < recent:
            _remove(folder, key)
            total -= found.pop(key).size_bytes
            removed += 1
    return found, removed


def _needed_by_others(folder: Path, own_list: Path | None) -> Iterator[frozenset[str]]:
    """What other processes need; lists of processes that have ended are removed."""
    for path in folder.glob(f"{NEEDED_PREFIX}*"):
        if path == own_list:
            continue
        with suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                yield frozenset(file.read().decode().split())
            else:
                path.unlink(missing_ok=True)


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


def _remove(folder: Path, key: str) -> None:
    # .wav first: where it is not, the sound is not.
    for ending in _ENDINGS:
        (folder / f"{key}{ending}").unlink(missing_ok=True)

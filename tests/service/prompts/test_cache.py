from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acd.service.prompts import cache as prompts_cache
from acd.service.prompts.cache import CacheError, SoundCache


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def cache(folder: Path, clock: Clock, bytes_max: int = 1000) -> SoundCache:
    return SoundCache(folder, bytes_max=bytes_max, idle_s=60, clock=clock)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(prompts_cache.NEEDED_PREFIX)}


async def test_a_sound_is_there_once_it_was_put(tmp_path: Path) -> None:
    sounds = cache(tmp_path / "a" / "b", Clock())
    await sounds.open()

    assert not sounds.use("one")
    await sounds.put("one", {".wav": b"8000", ".wav16": b"16000"})

    assert sounds.use("one")
    assert sounds.base("one") == tmp_path / "a" / "b" / "one"
    assert (tmp_path / "a" / "b" / "one.wav").read_bytes() == b"8000"
    assert (tmp_path / "a" / "b" / "one.wav16").read_bytes() == b"16000"
    assert sounds.size_bytes == 9


async def test_asterisk_may_read_it_whatever_our_umask_is(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        sounds = cache(tmp_path / "cache", Clock())
        await sounds.put("one", {".wav": b"x"})
    finally:
        os.umask(old)

    assert (tmp_path / "cache" / "one.wav").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o755


async def test_what_an_earlier_process_left_is_found(tmp_path: Path) -> None:
    await cache(tmp_path, Clock()).put("one", {".wav": b"x" * 10, ".wav16": b"x" * 20})

    sounds = cache(tmp_path, Clock())
    await sounds.open()

    assert sounds.size_bytes == 30
    assert sounds.use("one")


async def test_a_sound_that_somebody_removed_is_not_there(tmp_path: Path) -> None:
    sounds = cache(tmp_path, Clock())
    await sounds.put("one", {".wav": b"x"})
    (tmp_path / "one.wav").unlink()

    assert not sounds.use("one")
    assert sounds.size_bytes == 0


async def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    clock = Clock()
    sounds = cache(tmp_path, clock, bytes_max=32)
    for key in ("a", "b", "c"):
        await sounds.put(key, {".wav": b"x" * 10})
    clock.now_s += 61
    assert sounds.use("a")
    await sounds.put("d", {".wav": b"x" * 10})

    assert names(tmp_path) == {"a.wav", "c.wav", "d.wav"}
    assert sounds.size_bytes == 30


async def test_sounds_in_use_or_kept_stay_beyond_the_bound(tmp_path: Path) -> None:
    clock = Clock()
    sounds = cache(tmp_path, clock, bytes_max=10)
    for key in ("a", "b"):
        await sounds.put(key, {".wav": b"x" * 10})
    assert names(tmp_path) == {"a.wav", "b.wav"}, "both were just made, a caller may be about to hear them"

    sounds.keep({"a"})
    clock.now_s += 61
    await sounds.put("c", {".wav": b"x" * 10})

    assert names(tmp_path) == {"a.wav", "c.wav"}


async def test_unfinished_files_of_killed_processes_are_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".new-old").write_bytes(b"x")
    (tmp_path / ".new-young").write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    an_age_ago = time.time() - 7200
    os.utime(tmp_path / ".new-old", (an_age_ago, an_age_ago))

    sounds = cache(tmp_path, Clock())
    await sounds.open()

    assert names(tmp_path) == {".new-young", "notes.txt"}
    assert sounds.size_bytes == 0


async def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sounds = cache(tmp_path / "file" / "cache", Clock())

    with pytest.raises(CacheError, match=r"prompt cache .*/file/cache cannot be used: Not a directory"):
        await sounds.open()
    with pytest.raises(CacheError, match=r"prompt cache .*/file/cache cannot be written: Not a directory"):
        await sounds.put("one", {".wav": b"x"})
    assert not sounds.use("one")


class FullDisk:
    """Stands in for writing to a disk that has room for so many bytes in all."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, room: int) -> None:
        self._folder = folder
        self._room = room
        self._write = prompts_cache._write_files
        monkeypatch.setattr(prompts_cache, "_write_files", self.write)

    def write(self, folder: Path, key: str, files: dict[str, bytes]) -> None:
        taken = sum(path.stat().st_size for path in self._folder.glob("*.wav"))
        if taken + sum(map(len, files.values())) > self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._write(folder, key, files)


async def test_on_a_full_disk_unneeded_sounds_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    sounds = cache(tmp_path, clock)
    FullDisk(monkeypatch, tmp_path, 25)
    await sounds.put("a", {".wav": b"x" * 10})
    await sounds.put("b", {".wav": b"x" * 10})
    sounds.keep({"b"})
    clock.now_s += 61

    await sounds.put("c", {".wav": b"x" * 10})

    assert names(tmp_path) == {"b.wav", "c.wav"}


async def test_a_disk_that_stays_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sounds = cache(tmp_path, Clock())
    FullDisk(monkeypatch, tmp_path, 5)

    with pytest.raises(CacheError, match="cannot be written: No space left on device"):
        await sounds.put("a", {".wav": b"x" * 10})
    assert not sounds.use("a")


async def test_a_write_that_fails_midway_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    sounds = cache(tmp_path, Clock())

    with pytest.raises(CacheError, match="No space left on device"):
        await sounds.put("a", {".wav": b"x" * 10})
    assert names(tmp_path) == set()


def lists(folder: Path) -> int:
    return len(list(folder.glob(f"{prompts_cache.NEEDED_PREFIX}*")))


def long_ago(folder: Path, *files: str) -> None:
    for file in files:
        os.utime(folder / file, (time.time() - 7200, time.time() - 7200))


PROCESS = """
import asyncio, sys
from pathlib import Path
from acd.service.prompts.cache import SoundCache

async def main(folder, keys):
    sounds = SoundCache(Path(folder), bytes_max=100, idle_s=0)
    await sounds.open()
    for key in keys:
        await sounds.put(key, {".wav": b"x" * 50})
    sounds.keep(keys)
    print("ready", flush=True)
    sys.stdin.read()

asyncio.run(main(sys.argv[1], sys.argv[2:]))
"""


class OtherProcess:
    """A process that has put sounds into the folder and needs them."""

    def __init__(self, folder: Path, *keys: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(folder), *keys], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


async def test_what_another_process_needs_stays_until_that_process_has_gone(tmp_path: Path) -> None:
    other = OtherProcess(tmp_path, "theirs-1", "theirs-2")
    try:
        long_ago(tmp_path, "theirs-1.wav", "theirs-2.wav")
        clock = Clock()
        sounds = cache(tmp_path, clock, bytes_max=100)
        await sounds.open()

        await sounds.put("mine", {".wav": b"x" * 50})
        assert names(tmp_path) == {"mine.wav", "theirs-1.wav", "theirs-2.wav"}
    finally:
        other.kill()
    clock.now_s += 61
    await sounds.put("mine-2", {".wav": b"x" * 40})

    assert names(tmp_path) == {"mine.wav", "mine-2.wav"}
    assert lists(tmp_path) == 1, "the list of the dead process has gone"
    sounds.close()
    assert lists(tmp_path) == 0


async def test_what_another_process_has_just_used_stays(tmp_path: Path) -> None:
    clock = Clock()
    ours, theirs = cache(tmp_path, clock, bytes_max=100), cache(tmp_path, clock, bytes_max=100)
    await ours.open()
    await theirs.open()
    await theirs.put("theirs", {".wav": b"x" * 60})

    await ours.put("ours", {".wav": b"x" * 60})
    assert names(tmp_path) == {"ours.wav", "theirs.wav"}

    long_ago(tmp_path, "theirs.wav")
    clock.now_s += 61
    await ours.put("more", {".wav": b"x" * 30})
    assert names(tmp_path) == {"ours.wav", "more.wav"}


async def test_a_use_moves_a_sound_to_the_end_for_the_next_start(tmp_path: Path) -> None:
    for key, age_s in (("old", 300), ("older", 600)):
        (tmp_path / f"{key}.wav").write_bytes(b"x" * 10)
        os.utime(tmp_path / f"{key}.wav", (time.time() - age_s, time.time() - age_s))
    first = cache(tmp_path, Clock())
    await first.open()
    assert first.use("older")
    first.close()

    clock = Clock()
    second = cache(tmp_path, clock, bytes_max=22)
    await second.open()
    await second.put("new", {".wav": b"x" * 10})

    assert names(tmp_path) == {"older.wav", "new.wav"}


async def test_an_empty_file_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "lost.wav").touch()
    sounds = cache(tmp_path, Clock())
    await sounds.open()

    assert not sounds.use("lost")
    assert not sounds.has("lost")

from __future__ import annotations

import asyncio
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from acd.service.sound_files import SoundFile
from acd.service.voicemail.drafts import GRACE_S, Drafts, Note, Purpose
from acd.service.voicemail.message import CallFacts
from tests.service.voicemail.sounds import record

CALL = CallFacts(call_id="20261121T101500-ab12cd34", caller="+4930", data={"topic": "card"})
Usage = namedtuple("Usage", "total used free")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """Drafts with clocks of the test's, and what became of lost ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "recordings").mkdir()
        self.wall = Clock()
        self.rescued: list[tuple[str, float]] = []
        self.fails = False
        self.drafts = self.another()

    def another(self) -> Drafts:
        """The drafts of the next process."""
        drafts = Drafts(self.folder / ".drafts", self.folder / "recordings", wall=self.wall, clock=self.wall)
        drafts.rescue_by(Purpose.MESSAGE, self.rescue)
        drafts.load()
        return drafts

    async def rescue(self, note: Note, sound: Path, found: SoundFile) -> None:
        if self.fails:
            raise OSError(28, "no space left", str(sound))
        self.rescued.append((note.id, found.seconds))

    async def begin(self) -> Note:
        return await self.drafts.begin(Purpose.MESSAGE, "cards", CALL, longest_s=60.0, shortest_s=2.0)

    def record(self, note: Note, seconds: float, *, closed: bool = True, sample: int = 513) -> Path:
        path = record(str(self.drafts.base(note)), seconds, closed=closed, sample=sample)
        os.utime(path, (self.wall.now, self.wall.now))
        return path

    async def take_care(self, drafts: Drafts | None = None) -> None:
        """Let the next look at lost drafts be taken."""
        drafts = drafts or self.drafts
        task = asyncio.create_task(drafts.run())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def files(self) -> list[str]:
        return sorted(path.name for folder in (".drafts", "recordings") for path in (self.folder / folder).iterdir())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_what_is_finished_leaves_nothing(bench: Bench) -> None:
    note = await bench.begin()
    bench.record(note, 5.0)
    assert len(bench.files()) == 2
    await bench.drafts.end(note.id)
    assert bench.files() == []
    assert len(bench.drafts) == 0


async def test_what_the_process_before_was_recording_is_taken_after_a_moment(bench: Bench) -> None:
    note = await bench.begin()
    bench.record(note, 5.0)
    later = bench.another()
    await bench.take_care(later)
    assert bench.rescued == [], "the caller may come back"
    bench.wall.now += GRACE_S + 0.1
    await bench.take_care(later)
    assert bench.rescued == [(note.id, 5.0)]
    assert bench.files() == []


async def test_while_asterisk_records_on_it_is_waited_for(bench: Bench) -> None:
    note = await bench.begin()
    bench.record(note, 5.0, closed=False)
    later = bench.another()
    bench.wall.now += 30.0
    await bench.take_care(later)
    assert bench.rescued == []
    bench.record(note, 9.0)
    bench.wall.now += GRACE_S + 0.1
    await bench.take_care(later)
    assert bench.rescued == [(note.id, 9.0)]


async def test_an_asterisk_that_died_closes_nothing(bench: Bench) -> None:
    note = await bench.begin()
    bench.record(note, 5.0, closed=False)
    later = bench.another()
    bench.wall.now += note.longest_s + 11.0
    await bench.take_care(later)
    assert bench.rescued == [(note.id, 5.0)]


async def test_the_caller_comes_back(bench: Bench) -> None:
    note = await bench.begin()
    bench.record(note, 5.0)
    later = bench.another()
    assert later.resume("another-call", Purpose.MESSAGE, "cards") is None
    assert later.resume(CALL.call_id, Purpose.MESSAGE, "loans") is None
    assert later.resume(CALL.call_id, Purpose.MESSAGE, "cards") == note
    assert later.resume(CALL.call_id, Purpose.MESSAGE, "cards") is None, "one visit at a time"
    bench.wall.now += 100.0
    await bench.take_care(later)
    assert bench.rescued == []


async def test_a_visit_that_loses_its_line(bench: Bench) -> None:
    note = await bench.begin()
    bench.record(note, 5.0)
    await bench.take_care()
    bench.drafts.leave(note.id)
    bench.wall.now += GRACE_S + 0.1
    await bench.take_care()
    assert bench.rescued == [(note.id, 5.0)]


async def test_what_is_too_short_is_dropped_and_what_never_began_later(bench: Bench) -> None:
    short, never = await bench.begin(), await bench.begin()
    bench.record(short, 1.0)
    later = bench.another()
    bench.wall.now += GRACE_S + 0.1
    await bench.take_care(later)
    assert bench.files() == [f"{never.id}.json"]
    bench.wall.now += 60.0
    await bench.take_care(later)
    assert bench.files() == []
    assert bench.rescued == []


async def test_what_is_silent_is_dropped(bench: Bench) -> None:
    silent, spoken = await bench.begin(), await bench.begin()
    bench.record(silent, 10.0, sample=5)
    bench.record(spoken, 10.0)
    later = bench.another()
    bench.wall.now += GRACE_S + 0.1
    await bench.take_care(later)
    assert bench.files() == []
    assert [note_id for note_id, _ in bench.rescued] == [spoken.id]


async def test_who_hangs_up_before_the_tone_leaves_nothing(bench: Bench) -> None:
    note = await bench.begin()
    bench.drafts.leave(note.id)
    await bench.take_care()
    assert bench.files() == [f"{note.id}.json"], "the caller may have lost the line only"
    bench.wall.now += GRACE_S + 0.1
    await bench.take_care()
    assert bench.files() == []


async def test_what_cannot_be_taken_now_is_tried_again(bench: Bench) -> None:
    note = await bench.begin()
    bench.record(note, 5.0)
    bench.drafts.leave(note.id)
    bench.fails = True
    bench.wall.now += GRACE_S + 0.1
    await bench.take_care()
    assert len(bench.files()) == 2
    bench.fails = False
    bench.wall.now += 31.0
    await bench.take_care()
    assert bench.rescued == [(note.id, 5.0)]


async def test_a_full_disk_is_told_before_anything_is_recorded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 100, 0))
    with pytest.raises(OSError, match="the disk is full"):
        await bench.begin()
    assert not bench.drafts.has_room()
    assert len(bench.drafts) == 0


async def test_a_folder_that_is_not_there(bench: Bench) -> None:
    (bench.folder / "recordings").rmdir()
    with pytest.raises(OSError, match="cannot write there"):
        await bench.begin()
    assert not bench.drafts.has_room()


async def test_a_note_that_is_none_is_left_alone(bench: Bench) -> None:
    folder = bench.folder / ".drafts"
    folder.mkdir()
    (folder / "x.json").write_bytes(b"{")
    assert len(bench.another()) == 0
    assert (folder / "x.json").exists()

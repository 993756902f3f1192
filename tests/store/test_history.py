"""Calls of the past: a journal tells of them as the engine of that moment would have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from acd.core.events import CallArrived, CallEnded, CallQueued, MenuStepped, TimePassed
from acd.core.explain import explain_call
from acd.store.history import recall_call
from acd.store.journal import JournalLimits, segments
from acd.store.replay import JournalError
from tests.store.test_journal import Recorded

CALL = "20261122T101500-1a2b3c4d"


def a_call(recorded: Recorded, call_id: str = CALL) -> None:
    recorded.feed(CallArrived(call_id, "+4930", "100"))
    recorded.feed(MenuStepped(call_id, "main.choose", "choice", "1", "main.sales"))
    recorded.feed(CallQueued(call_id, "sales", requires=(("en", 9),)))


def whats(explanation: dict[str, Any]) -> list[str]:
    return [line["what"] for line in explanation["story"]]


def test_a_call_is_told_of_as_it_was_when_it_ended(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.busy_day(5)
    a_call(recorded)
    recorded.feed(CallEnded(CALL))
    recorded.feed(MenuStepped(CALL, "main.choose", "caller-gone"))  # the last word comes behind the end
    then = explain_call(recorded.engine.world, CALL, recorded.now)
    for number in range(1100):  # the engine's memory is full of others
        recorded.feed(CallArrived(f"x{number}"))
        recorded.feed(CallEnded(f"x{number}"))
    assert explain_call(recorded.engine.world, CALL, recorded.now) is None
    recorded.journal.close()
    (recalled,) = recall_call(tmp_path, CALL)
    assert recalled.explanation == then
    assert recalled.parts_at is None
    assert abs(recalled.wall_s - recalled.segment.path.stat().st_mtime) < 1000
    (alone,) = recall_call(recalled.segment.path, CALL)
    assert alone.explanation == then


def test_a_call_over_several_segments_is_told_of_once(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path, limits=JournalLimits(segment_bytes=6_000))
    a_call(recorded)
    recorded.busy_day(60)
    recorded.feed(CallEnded(CALL))
    recorded.journal.close()
    assert len(segments(tmp_path)) > 2
    (recalled,) = recall_call(tmp_path, CALL)
    assert recalled.segment.goes_on
    assert whats(recalled.explanation)[:3] == ["arrived", "step", "waiting"]
    assert recalled.explanation["state"] == "ended"


def test_each_engine_that_had_the_call_tells_its_part(tmp_path: Path) -> None:
    killed = Recorded(tmp_path)
    a_call(killed)
    killed.journal.close()  # what a killed one has written is there, too
    (first,) = segments(tmp_path)
    with first.open("ab") as file:
        file.write(b'[9,4.5,"CallEnd')
    after = Recorded(tmp_path)
    after.feed(CallArrived(CALL, "+4930", "100", resumed=True))
    after.feed(CallQueued(CALL, "sales", entered_at=-30.0))
    after.journal.close()
    before, now = recall_call(tmp_path, CALL)
    assert (whats(before.explanation)[-1], before.explanation["state"]) == ("waiting", "waiting")
    assert whats(now.explanation)[:2] == ["taken over", "waiting"]


def test_a_version_that_decides_otherwise_says_from_where_on(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.busy_day(5)
    a_call(recorded)
    recorded.feed(TimePassed(), after_s=70.0)
    recorded.journal.close()
    (path,) = segments(tmp_path)
    header, *lines = path.read_bytes().splitlines(keepends=True)
    changed = orjson.loads(header)
    changed["routing"]["queues"]["sales"]["strategy"] = "hunt"
    changed["routing"]["agents"]["dora"]["queues"]["sales"] = -1  # dora stands first in the list now
    path.write_bytes(b"".join((orjson.dumps(changed), b"\n", *lines)))
    (recalled,) = recall_call(path, CALL)
    assert recalled.parts_at is not None


def test_what_no_journal_names_is_nothing(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    a_call(recorded)
    recorded.journal.close()
    for name in ("", "nobody", CALL[:-1], f"{CALL}.1", '","x'):
        assert recall_call(tmp_path, name) == [], name


def test_a_damaged_segment_that_names_the_call_is_named(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    a_call(recorded)
    recorded.journal.close()
    (path,) = segments(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\x00\xff\n" + b"".join(lines[1:]))
    with pytest.raises(JournalError, match=f"{path}:2"):
        recall_call(tmp_path, CALL)

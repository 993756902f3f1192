"""Surveys on a real disk: read back by what is asked for, bounded, whole after a crash."""

from __future__ import annotations

import csv
import errno
import io
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from acd.service.surveys.records import SurveyFilter, SurveyRecord, as_csv
from acd.service.surveys.store import SurveyStore

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def record(call: str = "c1", at: datetime = NOON, **more: Any) -> SurveyRecord:
    return SurveyRecord(
        **{
            "at": at,
            "call": call,
            "survey": "main.ask",
            "queue": "cards",
            "agent": "anna",
            "language": "en",
            "outcome": "complete",
            "answers": {"friendly": 4},
            **more,
        }
    )


def store(folder: Path, now: datetime = NOON, *, keep_days: int = 0, most_bytes: int = 10**9) -> SurveyStore:
    return SurveyStore(folder / "surveys", lambda: keep_days, lambda: now.timestamp(), most_bytes)


def calls(found: list[SurveyRecord]) -> list[str]:
    return [one.call for one in found]


ALL = SurveyFilter()


def test_what_was_added_is_read_back_the_newest_first(tmp_path: Path) -> None:
    one, other = record("c1"), record("c2", NOON + timedelta(days=1), answers={}, comment="r-1", comment_s=12.5)
    store(tmp_path).add([one])
    store(tmp_path).add([other])
    assert store(tmp_path).read(ALL, 10) == [other, one]
    assert store(tmp_path).read(ALL, 1) == [other]
    assert sorted(path.name for path in (tmp_path / "surveys").iterdir()) == ["2026-11-21.jsonl", "2026-11-22.jsonl"]


def test_nothing_is_there_before_the_first(tmp_path: Path) -> None:
    assert store(tmp_path).read(ALL, 10) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (SurveyFilter(queue="cards"), ["c3", "c1"]),
        (SurveyFilter(agent="bo"), ["c2"]),
        (SurveyFilter(survey="main.other"), ["c3"]),
        (SurveyFilter(call="c1"), ["c1"]),
        (SurveyFilter(since=NOON + timedelta(hours=1)), ["c3", "c2"]),
        (SurveyFilter(before=NOON + timedelta(hours=1)), ["c1"]),
        (SurveyFilter(since=NOON, before=NOON + timedelta(days=1)), ["c2", "c1"]),
        (SurveyFilter(queue="cards", agent="bo"), []),
    ],
)
def test_filters(tmp_path: Path, wanted: SurveyFilter, found: list[str]) -> None:
    store(tmp_path).add(
        [
            record("c1"),
            record("c2", NOON + timedelta(hours=1), queue="general", agent="bo"),
            record("c3", NOON + timedelta(days=1), survey="main.other"),
        ]
    )
    assert calls(store(tmp_path).read(wanted, 10)) == found


def test_a_call_that_was_asked_again_counts_once(tmp_path: Path) -> None:
    box = store(tmp_path)
    box.add([record(outcome="partial", answers={})])
    box.add([record(at=NOON + timedelta(minutes=1))])
    (found,) = box.read(ALL, 10)
    assert found.outcome == "complete"


def test_old_days_and_too_much_make_room(tmp_path: Path) -> None:
    days = [NOON - timedelta(days=back) for back in range(5)]
    for at in days:
        store(tmp_path, at).add([record(f"c{at:%d}", at)])
    store(tmp_path).sweep()
    assert calls(store(tmp_path).read(ALL, 10)) == ["c21", "c20", "c19", "c18", "c17"], "0 days: for ever"
    store(tmp_path, keep_days=2).sweep()
    assert calls(store(tmp_path).read(ALL, 10)) == ["c21", "c20", "c19"]
    store(tmp_path, most_bytes=1).sweep()
    assert calls(store(tmp_path).read(ALL, 10)) == ["c21"], "the present day stays"
    store(tmp_path, NOON + timedelta(days=400), keep_days=400).sweep()
    assert calls(store(tmp_path).read(ALL, 10)) == ["c21"]
    store(tmp_path, NOON + timedelta(days=401), keep_days=400).sweep()
    assert not calls(store(tmp_path).read(ALL, 10))


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    box = store(tmp_path)
    box.add([record("c1")])
    path = tmp_path / "surveys" / "2026-11-21.jsonl"
    with path.open("ab") as file:
        file.write(b'{"at": "2026-11-2')
    box.add([record("c2")])
    assert calls(box.read(ALL, 10)) == ["c2", "c1"]


def test_a_full_disk_takes_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = store(tmp_path)
    box.add([record("c1")])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            box.add([record("c2"), record("c3")])
    assert calls(box.read(ALL, 10)) == ["c1"]
    box.add([record("c2"), record("c3")])
    assert calls(box.read(ALL, 10)) == ["c3", "c2", "c1"]


def test_files_are_private(tmp_path: Path) -> None:
    store(tmp_path).add([record()])
    for path in (tmp_path / "surveys").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_csv_has_a_column_for_each_question() -> None:
    rows = list(csv.reader(io.StringIO(as_csv([record(answers={"b": 1}), record("c2", answers={"a": 2, "b": 3})]))))
    head = ["at", "call", "survey", "queue", "agent", "language", "outcome", "comment", "comment_s"]
    assert rows[0] == [*head, "b", "a"]
    assert rows[1] == [
        "2026-11-21T12:00:00.000Z",
        "c1",
        "main.ask",
        "cards",
        "anna",
        "en",
        "complete",
        "",
        "0.0",
        "1",
        "",
    ]
    assert rows[2][-2:] == ["3", "2"]

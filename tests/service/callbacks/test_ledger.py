"""What bounds callbacks, over restarts and days with a clock change; and the share of silent answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from acd.service.callbacks.entries import Callback
from acd.service.callbacks.ledger import ANSWERS_WINDOW_S, Answers, Bounds, Ledger

BERLIN = ZoneInfo("Europe/Berlin")
ENTRY = Callback(id="a", number="+4930200100", queue="cards", entered_at=1000.0)


class Wall:
    def __init__(self, at: datetime) -> None:
        self.now = at.timestamp()

    def __call__(self) -> float:
        return self.now


def ledger(tmp_path: Path, wall: Wall) -> Ledger:
    return Ledger(tmp_path / "callbacks.json", wall)


async def test_limits_are_kept_over_restarts_and_end_with_the_day(tmp_path: Path) -> None:
    bounds = Bounds(open=10, per_day=3, per_number_per_day=2, zone=BERLIN)
    wall = Wall(datetime(2026, 10, 25, 0, 30, tzinfo=BERLIN))  # this day has 25 hours
    known = ledger(tmp_path, wall)
    for call_id in ("a", "b"):
        assert known.refusal(ENTRY.number, bounds) == ""
        known.add(replace(ENTRY, id=call_id), bounds)
        known.drop(call_id)
    assert await known.file.write_now()
    known = ledger(tmp_path, wall)
    known.restore()
    assert known.refusal(ENTRY.number, bounds) == "per-number-limit"
    known.add(replace(ENTRY, id="c", number="+4930"), bounds)
    assert known.refusal("+493055", bounds) == "per-day-limit"
    wall.now += 24 * 3600  # 23:30 of the same day
    assert known.refusal("+493055", bounds) == "per-day-limit"
    wall.now += 3600  # 00:30 of the next
    assert known.refusal(ENTRY.number, bounds) == ""


async def test_who_asks_for_other_numbers_is_bounded_too(tmp_path: Path) -> None:
    bounds = Bounds(per_number_per_day=2, zone=BERLIN)
    asker = "+49309999"
    known = ledger(tmp_path, Wall(datetime(2026, 11, 22, 12, tzinfo=BERLIN)))
    for number in ("+4930200101", "+4930200102"):
        assert known.refusal(number, bounds, asker) == ""
        known.add(replace(ENTRY, id=number, number=number), bounds, asker)
    assert await known.file.write_now()
    known = ledger(tmp_path, Wall(datetime(2026, 11, 22, 13, tzinfo=BERLIN)))
    known.restore()
    assert known.refusal("+4930200103", bounds, asker) == "per-number-limit", "whatever number is keyed in"
    assert known.refusal(asker, bounds, asker) == "per-number-limit"
    assert known.refusal("+4930200103", bounds) == ""
    assert known.refusal("+4930200101", bounds) == "", "called once so far"


async def test_a_number_that_asks_for_itself_counts_once(tmp_path: Path) -> None:
    bounds = Bounds(per_number_per_day=2, zone=BERLIN)
    known = ledger(tmp_path, Wall(datetime(2026, 11, 22, 12, tzinfo=BERLIN)))
    known.add(ENTRY, bounds, ENTRY.number)
    assert known.refusal(ENTRY.number, bounds, ENTRY.number) == ""


async def test_all_of_an_entry_survives(tmp_path: Path) -> None:
    wall = Wall(datetime(2026, 11, 22, tzinfo=BERLIN))
    entry = replace(
        ENTRY,
        requires=(("speed", 2),),
        data={"topic": "card"},
        attempts=2,
        not_before=5.0,
        expires_at=6.0,
        closed_until=4.0,
        agent="anna",
    )
    known = ledger(tmp_path, wall)
    known.add(entry, Bounds())
    known.note_answer(silent=True)
    assert await known.file.write_now()
    again = ledger(tmp_path, wall)
    again.restore()
    assert list(again) == [entry]
    assert again.of_number(entry.number) == entry
    assert list(again.answers.seen) == [(wall.now, True)]


async def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    known = Ledger(tmp_path / "missing" / "callbacks.json", Wall(datetime(2026, 11, 22, tzinfo=BERLIN)))
    known.add(ENTRY, Bounds())
    assert not await known.file.write_now()


async def test_writes_do_not_overtake_each_other(tmp_path: Path) -> None:
    known = ledger(tmp_path, Wall(datetime(2026, 11, 22, tzinfo=BERLIN)))
    task = asyncio.create_task(known.file.run())
    for number in range(20):
        known.keep(replace(ENTRY, attempts=number))
        await known.file.write_now()
    task.cancel()
    await asyncio.wait({task})
    again = ledger(tmp_path, Wall(datetime(2026, 11, 22, tzinfo=BERLIN)))
    again.restore()
    assert [entry.attempts for entry in again] == [19]


@given(
    st.lists(st.tuples(st.floats(0, 60), st.booleans()), max_size=400),
    st.sampled_from([0.01, 0.03, 0.1, 0.5, 1.0]),
)
def test_the_share_of_silent_answers_stays_within_the_limit(wishes: list[tuple[float, bool]], limit: float) -> None:
    answers, now = Answers(), 0.0
    for gap_s, would_be_silent in wishes:
        now += gap_s
        if answers.one_more_is_allowed(now, limit, 0):
            answers.note(now, silent=would_be_silent)
        silent = sum(1 for at, was_silent in answers.seen if was_silent and at > now - ANSWERS_WINDOW_S)
        assert silent <= limit * max(len(answers.seen), 1 / limit) + 1e-9


def test_after_a_day_a_silent_answer_is_forgotten() -> None:
    answers = Answers()
    answers.note(0.0, silent=True)
    assert not answers.one_more_is_allowed(100.0, 0.03, 0)
    assert answers.one_more_is_allowed(ANSWERS_WINDOW_S + 1, 0.03, 0)
    assert not answers.one_more_is_allowed(ANSWERS_WINDOW_S + 1, 0.03, 1), "one under way may become one"
    assert not answers.one_more_is_allowed(ANSWERS_WINDOW_S + 1, 0.0, 0)

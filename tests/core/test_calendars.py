"""Opening hours, with the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.core.calendars import Calendar, DateRule, Hours

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE: Hours = ((time(9), time(12, 30)), (time(13, 30), time(18)))
WEEK = dict.fromkeys(range(5), OFFICE)
CALENDAR = Calendar(
    BERLIN,
    WEEK,
    {
        date(2026, 12, 25): DateRule(hours=(), why="Christmas"),
        date(2026, 12, 24): DateRule(hours=((time(9), time(12)),)),
        date(2026, 11, 28): DateRule(hours=((time(22), time(0)),)),
    },
)
ROUND_THE_CLOCK = Calendar(BERLIN, dict.fromkeys(range(7), ((time(0), time(0)),)))


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("moment", "is_open", "why", "until"),
    [
        (berlin(2026, 11, 23, 8, 59, 59), False, "outside opening hours", berlin(2026, 11, 23, 9)),
        (berlin(2026, 11, 23, 9), True, "opening hours", berlin(2026, 11, 23, 12, 30)),
        (berlin(2026, 11, 23, 12, 30), False, "outside opening hours", berlin(2026, 11, 23, 13, 30)),
        (berlin(2026, 11, 20, 18), False, "outside opening hours", berlin(2026, 11, 23, 9)),
        (berlin(2026, 12, 24, 10), True, "special hours", berlin(2026, 12, 24, 12)),
        (berlin(2026, 12, 24, 14), False, "outside special hours", berlin(2026, 12, 28, 9)),
        (berlin(2026, 12, 25, 10), False, "Christmas", berlin(2026, 12, 28, 9)),
        (berlin(2026, 11, 28, 23, 59), True, "special hours", berlin(2026, 11, 29, 0)),
    ],
)
def test_hours_and_exceptions(moment: datetime, is_open: bool, why: str, until: datetime) -> None:
    state = CALENDAR.at(moment)
    assert (state.is_open, state.why, state.until) == (is_open, why, until.astimezone(UTC))


def test_nine_o_clock_is_nine_o_clock_before_and_after_a_clock_change() -> None:
    friday, monday = CALENDAR.at(berlin(2026, 3, 27, 7)).until, CALENDAR.at(berlin(2026, 3, 28, 7)).until
    assert (friday, monday) == (datetime(2026, 3, 27, 8, tzinfo=UTC), datetime(2026, 3, 30, 7, tzinfo=UTC))


def test_a_time_that_the_clock_skips_is_the_moment_of_the_change() -> None:
    night = Calendar(BERLIN, {6: ((time(2, 30), time(4)),)})
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert not night.at(change - timedelta(seconds=1)).is_open
    assert night.at(change - timedelta(seconds=1)).until == change
    assert night.at(change).is_open
    assert night.at(change).until == datetime(2026, 3, 29, 2, tzinfo=UTC)


def test_a_time_that_comes_twice_opens_at_the_first_and_closes_at_the_second() -> None:
    opens = Calendar(BERLIN, {6: ((time(2, 30), time(4)),)})
    closes = Calendar(BERLIN, {6: ((time(1), time(2, 30)),)})
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert not opens.at(first - timedelta(seconds=1)).is_open
    assert opens.at(first).is_open
    assert closes.at(second - timedelta(seconds=1)).is_open
    assert not closes.at(second).is_open


def test_days_that_touch_are_one_opening() -> None:
    state = ROUND_THE_CLOCK.at(berlin(2026, 11, 23, 12))
    assert (state.is_open, state.until) == (True, None), "no end in sight"
    assert Calendar(BERLIN, {}).at(berlin(2026, 11, 23, 12)).until is None


@given(st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - zone given beside
def test_what_is_said_of_the_end_holds_until_then_and_not_longer(moment: datetime) -> None:
    state = CALENDAR.at(moment)
    assert state.until is not None
    assert state.until > moment
    assert CALENDAR.at(state.until - timedelta(seconds=1)).is_open is state.is_open or state.until - moment < timedelta(
        seconds=1
    )
    assert CALENDAR.at(state.until).is_open is not state.is_open

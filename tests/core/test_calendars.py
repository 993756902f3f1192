"""Opening hours, with the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.core.calendars import Calendar, DateRule, HolidayRules, Hours, OpenState, Override, StateCause
from ivr.languages import reason, zh_values

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


# Holidays, exceptions and overrides.


class FixedHolidays:
    """Holidays by date; asked year by year."""

    def __init__(self, days: dict[date, str]) -> None:
        self.days = days

    def in_year(self, year: int) -> dict[date, str]:
        return {day: name for day, name in self.days.items() if day.year == year}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


NEW_YEAR = FixedHolidays(
    {
        date(2026, 12, 25): "Christmas Day",
        date(2027, 1, 1): "New Year's Day",
        date(2027, 1, 4): "Staff Day; Moon Day",
        date(2027, 3, 29): "Easter Monday",
    }
)
SHOP = Calendar(
    BERLIN,
    WEEK,
    {date(2026, 12, 24): DateRule(((time(9), time(12)),), why="Christmas Eve")},
    HolidayRules(
        NEW_YEAR,
        hours=((time(10), time(11)),),
        by_name={"Easter Monday": ((time(14), time(16)),), "Christmas Day": ()},
        ignored=frozenset({"Staff Day", "Moon Day"}),
    ),
)


@pytest.mark.parametrize(
    ("moment", "is_open", "why", "cause", "until"),
    [
        (berlin(2026, 12, 24, 10), True, "Christmas Eve", "exception", berlin(2026, 12, 24, 12)),
        (berlin(2026, 12, 24, 13), False, "Christmas Eve", "exception", berlin(2026, 12, 28, 9)),
        (berlin(2026, 12, 25, 10, 30), False, "Christmas Day", "holiday", berlin(2026, 12, 28, 9)),
        (berlin(2027, 1, 1, 9), False, "New Year's Day", "holiday", berlin(2027, 1, 1, 10)),
        (berlin(2027, 1, 1, 10), True, "New Year's Day", "holiday", berlin(2027, 1, 1, 11)),
        (berlin(2026, 12, 31, 23), False, "outside opening hours", "hours", berlin(2027, 1, 1, 10)),
        (berlin(2027, 1, 4, 10), True, "opening hours", "hours", berlin(2027, 1, 4, 12, 30)),
        (berlin(2027, 3, 29, 14), True, "Easter Monday", "holiday", berlin(2027, 3, 29, 16)),
    ],
)
def test_holidays(moment: datetime, is_open: bool, why: str, cause: str, until: datetime) -> None:
    state = SHOP.at(moment)
    assert (state.is_open, state.why, state.cause, state.until) == (is_open, why, cause, until.astimezone(UTC))


def test_some_hours_closed() -> None:
    party = DateRule(closed=((time(10), time(11)), (time(17), time(0))), why="party")
    inside = Calendar(BERLIN, WEEK, {date(2026, 11, 23): party})
    states = [inside.at(berlin(2026, 11, 23, hour)) for hour in (9, 10, 11, 13, 14, 17, 19)]
    assert [(state.is_open, state.why) for state in states] == [
        (True, "opening hours"),
        (False, "party"),
        (True, "opening hours"),
        (False, "outside opening hours"),
        (True, "opening hours"),
        (False, "party"),
        (False, "party"),
    ]
    assert states[0].until == berlin(2026, 11, 23, 10).astimezone(UTC)
    assert states[1].until == berlin(2026, 11, 23, 11).astimezone(UTC)
    assert states[5].until == berlin(2026, 11, 24, 9).astimezone(UTC)


OVERRIDES = [
    # moment, opened or closed, until; what it says, and until when
    (berlin(2026, 11, 23, 10), False, berlin(2026, 11, 23, 11), berlin(2026, 11, 23, 11)),
    (berlin(2026, 11, 23, 10), False, berlin(2026, 11, 23, 13), berlin(2026, 11, 23, 13, 30)),
    (berlin(2026, 11, 23, 10), False, berlin(2026, 11, 23, 20), berlin(2026, 11, 24, 9)),
    (berlin(2026, 11, 23, 20), True, berlin(2026, 11, 23, 22), berlin(2026, 11, 23, 22)),
    (berlin(2026, 11, 23, 17), True, berlin(2026, 11, 23, 17, 30), berlin(2026, 11, 23, 18)),
    # over the nights on which the clock changes, and over a holiday
    (berlin(2026, 3, 28, 23), True, berlin(2026, 3, 29, 4), berlin(2026, 3, 29, 4)),
    (berlin(2026, 10, 24, 23), False, berlin(2026, 10, 25, 4), berlin(2026, 10, 26, 9)),
    (berlin(2026, 12, 24, 11), False, berlin(2026, 12, 25, 20), berlin(2026, 12, 28, 9)),
    (berlin(2026, 12, 25, 10), True, berlin(2026, 12, 25, 20), berlin(2026, 12, 25, 20)),
]


@pytest.mark.parametrize(("moment", "is_open", "until", "says_until"), OVERRIDES)
def test_overrides(moment: datetime, is_open: bool, until: datetime, says_until: datetime) -> None:
    state = SHOP.at(moment, Override(is_open, until, "by hand"))
    assert state == OpenState(is_open, "by hand", says_until.astimezone(UTC), StateCause.OVERRIDE)
    assert SHOP.at(until, Override(is_open, until, "by hand")) == SHOP.at(until), "it is over"


def test_how_long_an_override_lasts_does_not_depend_on_the_clock_s_changes() -> None:
    """It ends at a moment: from 23:00 to 04:00 are four hours in one night and six in the other."""
    spring = berlin(2026, 3, 29, 4).astimezone(UTC) - berlin(2026, 3, 28, 23).astimezone(UTC)
    autumn = berlin(2026, 10, 25, 4).astimezone(UTC) - berlin(2026, 10, 24, 23).astimezone(UTC)
    assert (spring, autumn) == (timedelta(hours=4), timedelta(hours=6))


NIGHTS: Hours = ((time(22), time(6)),)


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    fire_drill = DateRule(closed=((time(1), time(2)),), why="fire drill")
    weeknights = Calendar(
        BERLIN,
        dict.fromkeys(range(5), NIGHTS),
        {date(2026, 11, 25): DateRule(hours=(), why="inventory"), date(2026, 11, 27): fire_drill},
    )
    for moment, is_open, why, until in (
        (berlin(2026, 11, 23, 3), False, "outside opening hours", berlin(2026, 11, 23, 22)),  # Sunday's night has none
        (berlin(2026, 11, 23, 22), True, "opening hours", berlin(2026, 11, 24, 6)),
        (berlin(2026, 11, 25, 5), True, "opening hours", berlin(2026, 11, 25, 6)),  # Tuesday's, on a closed date
        (berlin(2026, 11, 25, 23), False, "inventory", berlin(2026, 11, 26, 22)),
        (berlin(2026, 11, 26, 5), False, "outside opening hours", berlin(2026, 11, 26, 22)),
        (berlin(2026, 11, 26, 23), True, "opening hours", berlin(2026, 11, 27, 1)),
        (berlin(2026, 11, 27, 1), False, "fire drill", berlin(2026, 11, 27, 2)),
        (berlin(2026, 11, 27, 2), True, "opening hours", berlin(2026, 11, 27, 6)),
        (berlin(2026, 11, 28, 3), True, "opening hours", berlin(2026, 11, 28, 6)),  # Friday's
        (berlin(2026, 11, 28, 22), False, "outside opening hours", berlin(2026, 11, 30, 22)),
    ):
        state = weeknights.at(moment)
        assert (state.is_open, state.why, state.until) == (is_open, why, until.astimezone(UTC)), moment


def test_nights_on_which_the_clock_changes_and_the_year_ends() -> None:
    nights = Calendar(BERLIN, dict.fromkeys(range(7), NIGHTS), holidays=HolidayRules(NEW_YEAR))
    for begin, hours in ((berlin(2026, 3, 28, 22), 7), (berlin(2026, 10, 24, 22), 9), (berlin(2026, 12, 31, 22), 8)):
        until = nights.at(begin).until
        assert until is not None
        assert until - begin.astimezone(UTC) == timedelta(hours=hours), begin


def test_closed_over_midnight() -> None:
    closed = DateRule(closed=((time(23), time(1)),), why="maintenance")
    always = Calendar(BERLIN, dict.fromkeys(range(7), ((time(0), time(0)),)), {date(2026, 11, 23): closed})
    state = always.at(berlin(2026, 11, 24, 0, 30))
    assert (state.is_open, state.why, state.until) == (False, "maintenance", berlin(2026, 11, 24, 1).astimezone(UTC))
    assert always.at(berlin(2026, 11, 23, 12)).until == berlin(2026, 11, 23, 23).astimezone(UTC)


def test_leap_day_and_year_s_end() -> None:
    leap = Calendar(BERLIN, WEEK, {date(2028, 2, 29): DateRule((), why="leap day")})
    assert leap.at(berlin(2028, 2, 28, 19)).until == berlin(2028, 3, 1, 9).astimezone(UTC)
    assert leap.at(berlin(2028, 2, 29, 10)).why == "leap day"
    night = Calendar(BERLIN, {3: ((time(18), time(0)),), 4: ((time(0), time(3)),)})
    assert night.at(berlin(2026, 12, 31, 20)).until == berlin(2027, 1, 1, 3).astimezone(UTC), (
        "one opening over the years"
    )


@pytest.mark.parametrize(
    ("zone", "opens"),
    [
        ("Pacific/Kiritimati", utc(2026, 11, 22, 19)),
        ("Asia/Shanghai", utc(2026, 11, 23, 1)),
        ("Asia/Kathmandu", utc(2026, 11, 23, 3, 15)),
        ("America/St_Johns", utc(2026, 11, 23, 12, 30)),
        ("Pacific/Pago_Pago", utc(2026, 11, 23, 20)),
    ],
)
def test_zones_far_east_and_west(zone: str, opens: datetime) -> None:
    calendar = Calendar(ZoneInfo(zone), {0: OFFICE}, holidays=HolidayRules(NEW_YEAR))
    assert calendar.at(opens - timedelta(seconds=1)).until == opens
    assert calendar.at(opens).is_open
    holiday = datetime(2027, 1, 4, 12, tzinfo=ZoneInfo(zone))
    assert calendar.at(holiday).why == "Staff Day; Moon Day", "the day is that of the zone"


HOURS_OF_A_DAY = st.sampled_from(
    [(), OFFICE, ((time(22), time(0)),), ((time(0), time(2, 30)),), ((time(0), time(0)),), ((time(22), time(2, 30)),)]
)
MOMENTS = st.datetimes(datetime(2026, 3, 19), datetime(2026, 4, 6), timezones=st.just(UTC))  # noqa: DTZ001
RULES = st.builds(DateRule, HOURS_OF_A_DAY | st.none(), HOURS_OF_A_DAY, st.just("why"))


@given(
    st.dictionaries(st.integers(0, 6), HOURS_OF_A_DAY),
    st.dictionaries(st.dates(date(2026, 3, 20), date(2026, 4, 5)), RULES, max_size=6),
    st.dictionaries(st.dates(date(2026, 3, 20), date(2026, 4, 5)), st.just("holiday"), max_size=3),
    HOURS_OF_A_DAY,
    MOMENTS,
    st.none() | st.builds(Override, st.booleans(), MOMENTS, st.just("hand")),
)
def test_whatever_the_rules_the_state_changes_when_it_is_said_to_and_not_before(
    week: dict[int, Hours],
    rules: dict[date, DateRule],
    days: dict[date, str],
    on_holidays: Hours,
    moment: datetime,
    override: Override | None,
) -> None:
    calendar = Calendar(BERLIN, week, rules, HolidayRules(FixedHolidays(days), on_holidays))
    state = calendar.at(moment, override)
    assert state.why
    if state.until is None:
        return
    assert state.until > moment
    assert calendar.at(state.until, override).is_open is not state.is_open
    between = moment + (state.until - moment) / 2
    assert calendar.at(between, override).is_open is state.is_open


def test_every_reason_that_nobody_has_written_is_said_in_the_caller_s_language() -> None:
    nine_to_five: Hours = ((time(9), time(17)),)
    dates = {
        date(2026, 11, 24): DateRule(hours=((time(10), time(12)),)),
        date(2026, 11, 25): DateRule(hours=()),
        date(2026, 11, 26): DateRule(closed=((time(12), time(13)),)),
    }
    calendar = Calendar(BERLIN, dict.fromkeys(range(5), nine_to_five), dates)
    hours = [berlin(2026, 11, 23) + timedelta(hours=hour) for hour in range(24 * 5)]
    reasons = {calendar.at(moment).why for moment in hours}
    assert {why for why in reasons if reason(why, "zh") != why} == reasons == zh_values.REASONS.keys()
    assert {why for why in reasons if reason(why, "en") == why} == reasons
    assert reason("fire drill", "zh") == "fire drill"


def test_a_reason_by_language_goes_wherever_the_reason_goes() -> None:
    why_in = {"en": "fair", "zh": "展会"}
    ten_to_twelve: Hours = ((time(10), time(12)),)
    dates = {
        date(2026, 11, 24): DateRule(hours=ten_to_twelve, why="fair", why_in=why_in),
        date(2026, 11, 25): DateRule(closed=ten_to_twelve, why="fair", why_in=why_in),
    }
    calendar = Calendar(BERLIN, dict.fromkeys(range(5), ((time(9), time(17)),)), dates)
    for moment, known in (
        (berlin(2026, 11, 24, 11), why_in),
        (berlin(2026, 11, 24, 13), why_in),
        (berlin(2026, 11, 25, 11), why_in),
        (berlin(2026, 11, 25, 13), {}),
        (berlin(2026, 11, 23, 8), {}),
    ):
        assert calendar.at(moment).why_in == known

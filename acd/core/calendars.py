"""Opening hours: whether a calendar says open at a moment, why, and until when.

Wall-clock rules in an IANA zone: a weekday's hours hold by that zone's clock, so that "09:00" is nine o'clock there in
summer and in winter. On a day with a clock change a time that does not exist (the hour skipped) counts as the moment
of the change, and one that exists twice as the first of the two for an opening and the second for a closing.

What a day has is decided by the first of these that says something: a rule for that very date, a public holiday, the
weekday. A manual override goes before them all, from now until its end, which is a moment and no time of day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

__all__ = ["Calendar", "DateRule", "HolidayRules", "HolidaySource", "Hours", "OpenState", "Override", "StateCause"]

Hours = tuple[tuple[time, time], ...]
"""Opening and closing times of a day, in order, not overlapping. A closing that is not behind its opening is one of the
next day (00:00: the end of this one); the hours belong to the day on which they begin."""

_SEARCH_DAYS = 400
"""So far ahead the next opening, or the end of an opening that goes on and on, is looked for."""


class StateCause(StrEnum):
    """What decided that a calendar is open or closed."""

    HOURS = "hours"
    """The weekday's opening hours."""
    EXCEPTION = "exception"
    """A rule for that date."""
    HOLIDAY = "holiday"
    """A public holiday."""
    OVERRIDE = "override"
    """Somebody opened or closed it by hand."""


@dataclass(frozen=True, slots=True)
class OpenState:
    """What a calendar says of a moment. ``until``: when that changes (UTC), None if not within about a year."""

    is_open: bool
    why: str
    until: datetime | None
    cause: StateCause = StateCause.HOURS
    why_in: Mapping[str, str] = field(default_factory=dict)
    """The reason by language, where it was given so."""


@dataclass(frozen=True, slots=True)
class Override:
    """Open or closed by hand until a moment (with a zone), whatever the calendar says. ``why``: for those who ask."""

    is_open: bool
    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class DateRule:
    """What holds on one date.

    ``hours``: its own hours, none for closed all day, None for those it would have anyway. ``closed``: what is taken
    out of them.
    """

    hours: Hours | None = None
    closed: Hours = ()
    why: str = ""
    why_in: Mapping[str, str] = field(default_factory=dict)
    """``why`` by language, where it is given so."""


class HolidaySource(Protocol):
    """Where public holidays come from."""

    def in_year(self, year: int) -> Mapping[date, str]:
        """Name the holidays of a year."""
        ...


@dataclass(frozen=True, slots=True)
class HolidayRules:
    """Public holidays: closed but for ``hours`` (of every holiday) or ``by_name``; ``ignored`` ones are no holidays."""

    source: HolidaySource
    hours: Hours = ()
    by_name: Mapping[str, Hours] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()

    def on(self, day: date) -> tuple[str, Hours] | None:
        """Return a day's holiday and the hours it has; None for an ordinary day."""
        found = self.source.in_year(day.year).get(day)
        # Two that fall on one day are named together.
        names = [name for name in found.split("; ") if name not in self.ignored] if found else []
        if not names:
            return None
        hours = next((self.by_name[name] for name in names if name in self.by_name), self.hours)
        return "; ".join(names), hours


@dataclass(frozen=True, slots=True)
class _Day:
    """What one day has, and in whose name."""

    hours: Hours
    cause: StateCause
    why_open: str
    why_closed: str
    why_in: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Weekly hours with exceptions.

    ``week``: hours by weekday, Monday is 0; a day that is not in it is closed. ``dates``: rules for single dates.
    """

    zone: ZoneInfo
    week: Mapping[int, Hours]
    dates: Mapping[date, DateRule] = field(default_factory=dict)
    holidays: HolidayRules | None = None

    def at(self, moment: datetime, override: Override | None = None) -> OpenState:
        """Tell whether it is open at ``moment`` (with a zone), why, and until when. An override may be over already."""
        moment = moment.astimezone(UTC)
        if override is not None and moment < override.until:
            end = override.until.astimezone(UTC)
            after = self.at(end)
            until = after.until if after.is_open is override.is_open else end
            return OpenState(override.is_open, override.why, until, StateCause.OVERRIDE)
        day = moment.astimezone(self.zone).date()
        for begun in (day + timedelta(days=offset) for offset in (-1, 0, 1)):
            for opening, closing in self._spans(begun, days=1):
                if opening <= moment < closing:
                    plan = self._plan(begun)
                    return OpenState(True, plan.why_open, self._end_of(closing), plan.cause, plan.why_in)
        return self._closed(moment, day)

    def _closed(self, moment: datetime, day: date) -> OpenState:
        until = self._next_opening(moment, day)
        for begun in (day, day - timedelta(days=1)):
            rule = self.dates.get(begun)
            if rule is not None and any(first <= moment < last for first, last in self._moments(begun, rule.closed)):
                why = rule.why or "closed for some hours"
                return OpenState(False, why, until, StateCause.EXCEPTION, rule.why_in)
        plan = self._plan(day)
        return OpenState(False, plan.why_closed, until, plan.cause, plan.why_in)

    def _spans(self, first: date, days: int) -> list[tuple[datetime, datetime]]:
        """Opening and closing moments (UTC) of what begins on some days, from ``first`` on, in order."""
        dates = [first + timedelta(days=offset) for offset in range(-1, days + 1)]
        spans = [span for day in dates[1:-1] for span in self._moments(day, self._plan(day).hours)]
        # What goes over midnight reaches into its neighbours.
        closed = [span for day in dates if day in self.dates for span in self._moments(day, self.dates[day].closed)]
        return _without(spans, closed)

    def _moments(self, day: date, hours: Hours) -> list[tuple[datetime, datetime]]:
        return [
            (
                self._moment(day, opening, fold=0),
                self._moment(day if closing > opening else day + timedelta(days=1), closing, fold=1),
            )
            for opening, closing in hours
        ]

    def _plan(self, day: date) -> _Day:
        """What the day has, partial closings not yet taken out."""
        rule = self.dates.get(day)
        if rule is not None and rule.hours is not None:
            closed = "outside special hours" if rule.hours else "closed on this date"
            why_open = rule.why or "special hours"
            return _Day(rule.hours, StateCause.EXCEPTION, why_open, rule.why or closed, rule.why_in)
        holiday = self.holidays.on(day) if self.holidays is not None else None
        if holiday is not None:
            name, hours = holiday
            return _Day(hours, StateCause.HOLIDAY, name, name)
        return _Day(self.week.get(day.weekday(), ()), StateCause.HOURS, "opening hours", "outside opening hours")

    def _moment(self, day: date, at: time, fold: int) -> datetime:
        local = datetime.combine(day, at, self.zone).replace(fold=fold)
        moment = local.astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None):
            return moment
        # The clock skips this time: the moment of the change lies between the two readings of it.
        early = local.replace(fold=1).astimezone(UTC)
        late = local.replace(fold=0).astimezone(UTC)
        offset = early.astimezone(self.zone).utcoffset()
        while late - early > timedelta(seconds=1):
            middle = early + (late - early) / 2
            if middle.astimezone(self.zone).utcoffset() == offset:
                early = middle
            else:
                late = middle
        return late.replace(microsecond=0)

    def _end_of(self, closing: datetime) -> datetime | None:
        """The moment it really closes: hours that touch (to 24:00, from 00:00) are one."""
        day = closing.astimezone(self.zone).date()
        for _ in range(_SEARCH_DAYS):
            following = [span for span in self._spans(day - timedelta(days=1), days=3) if span[0] <= closing < span[1]]
            if not following:
                return closing
            closing = following[0][1]
            day = closing.astimezone(self.zone).date()
        return None

    def _next_opening(self, moment: datetime, day: date) -> datetime | None:
        for offset in range(-1, _SEARCH_DAYS):  # yesterday's hours may go on after some that are closed
            for opening, _ in self._spans(day + timedelta(days=offset), days=1):
                if opening > moment:
                    return opening
        return None


def _without(
    spans: list[tuple[datetime, datetime]], closed: list[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """Take the closed spans out of the open ones; nothing of no length is left over."""
    for first, last in closed:
        spans = [
            piece
            for opening, closing in spans
            for piece in ((opening, min(closing, first)), (max(opening, last), closing))
            if piece[0] < piece[1]
        ]
    return spans

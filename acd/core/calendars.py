"""Opening hours: whether a calendar says open at a moment, why, and until when.

Wall-clock rules in an IANA zone: a weekday's hours hold by that zone's clock, so that "09:00" is nine o'clock there in
summer and in winter. On a day with a clock change a time that does not exist (the hour skipped) counts as the moment
of the change, and one that exists twice as the first of the two for an opening and the second for a closing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = ["Calendar", "Hours", "OpenState"]

Hours = tuple[tuple[time, time], ...]
"""Opening and closing times of a day, in order, not overlapping; a closing at 00:00 means the end of the day."""

_SEARCH_DAYS = 400
"""So far ahead the next opening is looked for."""


@dataclass(frozen=True, slots=True)
class OpenState:
    """What a calendar says of a moment. ``until``: when that changes (UTC), None if not within about a year."""

    is_open: bool
    why: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Calendar:
    """Weekly hours with exceptions.

    ``week``: hours by weekday, Monday is 0; a day that is not in it is closed. ``closed``: dates closed all day, with
    the reason. ``special``: dates with hours of their own, which go before both.
    """

    zone: ZoneInfo
    week: Mapping[int, Hours]
    closed: Mapping[date, str] = field(default_factory=dict)
    special: Mapping[date, Hours] = field(default_factory=dict)

    def at(self, moment: datetime) -> OpenState:
        """Tell whether it is open at ``moment`` (with a zone), why, and until when."""
        moment = moment.astimezone(UTC)
        day = moment.astimezone(self.zone).date()
        for opening, closing in self._spans(day - timedelta(days=1), days=3):
            if opening <= moment < closing:
                return OpenState(True, self._why_open(opening), self._end_of(closing))
        return OpenState(False, self._why_closed(day), self._next_opening(moment, day))

    def _spans(self, first: date, days: int) -> list[tuple[datetime, datetime]]:
        """Opening and closing moments (UTC) of some days, from ``first`` on."""
        spans = []
        for offset in range(days):
            day = first + timedelta(days=offset)
            for opening, closing in self._hours_of(day):
                last = day if closing > time(0) else day + timedelta(days=1)
                spans.append((self._moment(day, opening, fold=0), self._moment(last, closing, fold=1)))
        return spans

    def _hours_of(self, day: date) -> Hours:
        if day in self.special:
            return self.special[day]
        return () if day in self.closed else self.week.get(day.weekday(), ())

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

    def _end_of(self, closing: datetime) -> datetime:
        """The moment it really closes: hours that touch (to 24:00, from 00:00) are one."""
        day = closing.astimezone(self.zone).date()
        for _ in range(_SEARCH_DAYS):
            following = [span for span in self._spans(day, days=2) if span[0] <= closing < span[1]]
            if not following:
                return closing
            closing = following[0][1]
            day = closing.astimezone(self.zone).date()
        return closing

    def _next_opening(self, moment: datetime, day: date) -> datetime | None:
        for offset in range(_SEARCH_DAYS):
            for opening, _ in self._spans(day + timedelta(days=offset), days=1):
                if opening > moment:
                    return opening
        return None

    def _why_open(self, opening: datetime) -> str:
        return "special hours" if opening.astimezone(self.zone).date() in self.special else "opening hours"

    def _why_closed(self, day: date) -> str:
        if day in self.special:
            return "outside special hours"
        return self.closed.get(day) or "outside opening hours"

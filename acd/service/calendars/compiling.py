"""calendars.yaml, turned into the core's calendars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from acd.core.calendars import Calendar, DateRule, HolidayRules, Hours
from config.public_holidays import PublicHolidays
from config.schema import calendars as written
from config.schema.calendars import span_times, weekdays

__all__ = ["compile_calendar"]


def compile_calendar(calendar: written.Calendar) -> Calendar:
    """Compile one calendar. It has been checked, so nothing can fail here but the program."""
    rules = {date.fromisoformat(day): DateRule(hours=()) for day in calendar.closed}
    rules |= {date.fromisoformat(day): DateRule(hours=_hours(spans)) for day, spans in calendar.open.items()}
    for exception in calendar.exceptions:
        rule = _rule(exception)
        rules |= dict.fromkeys(_days(exception), rule)
    return Calendar(
        zone=ZoneInfo(calendar.zone),
        week={day: _hours(spans) for days, spans in calendar.hours.items() for day in weekdays(days)},
        dates=rules,
        holidays=_holidays(calendar.holidays) if calendar.holidays is not None else None,
    )


def _rule(exception: written.DateException) -> DateRule:
    given = exception.why or {}
    why = given.get("") or given.get("en") or next(iter(given.values()), "")
    why_in: dict[str, str] = {language: text for language, text in given.items() if language}
    if exception.closed:
        return DateRule(_hours(exception.hours) or None, _hours(exception.closed), why, why_in)
    return DateRule(_hours(exception.hours), (), why, why_in)


def _days(exception: written.DateException) -> Iterator[date]:
    first, last = exception.span()
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _holidays(holidays: written.Holidays) -> HolidayRules:
    return HolidayRules(
        source=PublicHolidays(holidays.country, holidays.subdivision or "", holidays.language or ""),
        hours=_hours(holidays.hours),
        by_name={name: _hours(spans) for name, spans in holidays.by_name.items()},
        ignored=frozenset(holidays.ignored),
    )


def _hours(spans: tuple[str, ...]) -> Hours:
    return tuple(sorted(span_times(span) for span in spans))

"""calendars.yaml: time zones that exist, days and hours that do not contradict each other, calendars that are used."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from config.checks.draft import Draft
from config.document import KeyPath
from config.problems import Findings, Position
from config.schema.calendars import WEEKDAYS, Calendar, Calendars, span_times, weekdays
from config.suggest import nearest
from config.validation import Part
from config.wording import quoted

__all__ = ["check_calendars"]

_SAME_CITY = 0.8
"""How like a name must be to the city of a zone: a letter or two may be wrong in it."""


def check_calendars(draft: Draft, findings: Findings) -> None:
    """Check every calendar, and the time zones wherever there are some."""
    routing, source = draft.routing.model, draft.routing.source
    if routing is not None and routing.call_counts.zone is not None:
        _check_zone(findings, source.value(("call_counts", "zone")), routing.call_counts.zone)
    part = draft.calendars
    if part.model is None:
        return
    if ("calendars",) in part.source.values and part.names("calendars") == frozenset():
        findings.error(part.source.value(("calendars",)), "'calendars' is empty; give at least one")
    for name, calendar in part.model.calendars.items():
        path: KeyPath = ("calendars", name)
        _check_zone(findings, part.source.value((*path, "zone")), calendar.zone)
        _check_days(part, findings, (*path, "hours"), calendar)
        for key, days in (("hours", calendar.hours), ("open", calendar.open)):
            _check_spans(part, findings, (*path, key), days)
        _check_dates(part, findings, path, calendar)


def _check_zone(findings: Findings, position: Position, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        findings.error(position, f"unknown time zone {quoted(zone)}; {_right_zone(zone)}")


def _right_zone(zone: str) -> str:
    known = available_timezones()
    if not known:
        return "this machine knows none: install the package tzdata"
    by_city = {name.rpartition("/")[2]: name for name in sorted(known)}
    near = nearest(zone, known) or by_city.get(nearest(zone, by_city, cutoff=_SAME_CITY) or "")
    return f"did you mean '{near}'?" if near else "take the nearest one of the IANA list, such as Asia/Shanghai"


def _check_days(part: Part[Calendars], findings: Findings, path: KeyPath, calendar: Calendar) -> None:
    """Refuse a weekday that is given twice."""
    given: dict[int, str] = {}
    for days in calendar.hours:
        for day in weekdays(days):
            other = given.setdefault(day, days)
            if other != days:
                findings.error(
                    part.source.key((*path, days)),
                    f"'{WEEKDAYS[day]}' has its hours under '{other}' already; name each day once",
                )
                break


def _check_spans(part: Part[Calendars], findings: Findings, path: KeyPath, days: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse spans of a day that overlap."""
    for day, spans in days.items():
        # One span may stand by itself, without a list around it.
        places = sorted(range(len(spans)), key=lambda place: span_times(spans[place]))
        for before, after in pairwise(places):
            closing, opening = spans[before].partition("-")[2], spans[after].partition("-")[0]
            if closing == "00:00" or opening < closing:
                findings.error(
                    part.source.value((*path, day, after)),
                    f"'{spans[after]}' overlaps '{spans[before]}'; give hours that follow each other",
                )


def _check_dates(part: Part[Calendars], findings: Findings, path: KeyPath, calendar: Calendar) -> None:
    for place, day in enumerate(calendar.closed):
        position = part.source.value((*path, "closed", place))
        if day in calendar.closed[:place]:
            findings.error(position, f"'{day}' is listed twice; remove one of the two")
        elif day in calendar.open:
            findings.error(position, f"'{day}' has hours under 'open'; keep one of the two")
    for day, spans in calendar.open.items():
        if not spans:
            findings.error(part.source.value((*path, "open", day)), f"'{day}' has no hours; list it under 'closed'")

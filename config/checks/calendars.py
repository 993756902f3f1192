"""calendars.yaml: time zones and holidays that exist, days and hours that do not contradict each other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from config.checks.draft import Draft
from config.document import KeyPath
from config.problems import Findings, Position
from config.public_holidays import Country, HolidaysMissingError, country_codes
from config.schema.calendars import WEEKDAYS, Calendar, Calendars, Holidays, span_times, weekdays
from config.suggest import nearest, suggestion
from config.validation import Part
from config.wording import quoted

__all__ = ["check_calendars", "check_zone"]

_SAME_CITY = 0.8
"""How like a name must be to the city of a zone: a letter or two may be wrong in it."""


def check_calendars(draft: Draft, findings: Findings) -> None:
    """Check every calendar, and the time zones wherever there are some."""
    routing, source = draft.routing.model, draft.routing.source
    if routing is not None and routing.call_counts.zone is not None:
        check_zone(findings, source.value(("call_counts", "zone")), routing.call_counts.zone)
    part = draft.calendars
    if part.model is None:
        return
    if ("calendars",) in part.source.values and part.names("calendars") == frozenset():
        findings.error(part.source.value(("calendars",)), "'calendars' is empty; give at least one")
    for name, calendar in part.model.calendars.items():
        path: KeyPath = ("calendars", name)
        check_zone(findings, part.source.value((*path, "zone")), calendar.zone)
        _check_days(part, findings, (*path, "hours"), calendar)
        _check_all_spans(part, findings, path, calendar)
        _check_dates(part, findings, path, calendar)
        if calendar.holidays is not None:
            _check_holidays(part, findings, (*path, "holidays"), calendar.holidays)


def check_zone(findings: Findings, position: Position, zone: str) -> None:
    """Report a time zone that does not exist."""
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


def _check_all_spans(part: Part[Calendars], findings: Findings, path: KeyPath, calendar: Calendar) -> None:
    for key, days in (("hours", calendar.hours), ("open", calendar.open)):
        for day, spans in days.items():
            _check_spans(part, findings, (*path, key, day), spans)
    for place, exception in enumerate(calendar.exceptions):
        _check_spans(part, findings, (*path, "exceptions", place, "hours"), exception.hours)
        _check_spans(part, findings, (*path, "exceptions", place, "closed"), exception.closed)
    if calendar.holidays is not None:
        _check_spans(part, findings, (*path, "holidays", "hours"), calendar.holidays.hours)
        for name, spans in calendar.holidays.by_name.items():
            _check_spans(part, findings, (*path, "holidays", "by_name", name), spans)


def _check_spans(part: Part[Calendars], findings: Findings, path: KeyPath, spans: tuple[str, ...]) -> None:
    """Refuse spans of a day that overlap."""
    # One span may stand by itself, without a list around it.
    places = sorted(range(len(spans)), key=lambda place: span_times(spans[place]))
    for before, after in pairwise(places):
        opened, closed = span_times(spans[before])
        if closed <= opened or span_times(spans[after])[0] < closed:  # to the next day, or into the other
            findings.error(
                part.source.value((*path, after)),
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
    _check_exceptions(part, findings, path, calendar)


def _check_exceptions(part: Part[Calendars], findings: Findings, path: KeyPath, calendar: Calendar) -> None:
    """Refuse exceptions whose dates are spoken for."""
    taken = {**dict.fromkeys(calendar.closed, "under 'closed'"), **dict.fromkeys(calendar.open, "under 'open'")}
    for place, exception in enumerate(calendar.exceptions):
        first, last = exception.span()
        days = [(first + timedelta(days=offset)).isoformat() for offset in range((last - first).days + 1)]
        twice = next((day for day in days if day in taken), None)
        if twice is not None:
            findings.error(
                part.source.key((*path, "exceptions", place)),
                f"'{twice}' is given {taken[twice]} already; name each date once",
            )
        taken |= dict.fromkeys(days, "in another exception")


def _check_holidays(part: Part[Calendars], findings: Findings, path: KeyPath, holidays: Holidays) -> None:
    """Hold the country, its part, the language and the names against what the library has."""
    source = part.source
    try:
        if holidays.country not in country_codes():
            what = (
                f"no holidays are known of {quoted(holidays.country)}; give its two letters of ISO 3166-1, such as DE"
            )
            findings.error(source.value((*path, "country")), what)
            return
        country = Country(holidays.country)
    except HolidaysMissingError as missing:
        findings.error(source.key(path), str(missing))
        return
    subdivision, language = holidays.subdivision or "", holidays.language or ""
    sound = True
    for key, given, known in (
        ("subdivision", subdivision, (*country.subdivisions, *country.aliases)),
        ("language", language, country.languages),
    ):
        if given and given not in known:
            right = suggestion(given, known) if known else "leave it out"
            findings.error(source.value((*path, key)), f"{quoted(given)} is no {key} of {holidays.country}; {right}")
            sound = False
    if sound and (holidays.by_name or holidays.ignored):
        _check_names(part, findings, path, holidays, country.names(subdivision, language))


def _check_names(
    part: Part[Calendars], findings: Findings, path: KeyPath, holidays: Holidays, known: Collection[str]
) -> None:
    named = [((*path, "by_name", name), name, True) for name in holidays.by_name]
    named += [((*path, "ignored", place), name, False) for place, name in enumerate(holidays.ignored)]
    for at, name, is_key in named:
        if name not in known:
            position = part.source.key(at) if is_key else part.source.value(at)
            findings.error(position, f"no holiday there has the name {quoted(name)}; {suggestion(name, known)}")

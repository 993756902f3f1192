"""calendars.yaml: opening hours by weekday, the dates that differ, and public holidays."""

from __future__ import annotations

import datetime as dt
from datetime import time
from typing import Annotated, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from config.schema.routing import Zone
from config.schema.shared import (
    LANGUAGES,
    FrozenMap,
    Model,
    Name,
    Text,
    in_any_language,
    listed,
    one_or_several,
    refused,
    wrong,
)

__all__ = [
    "WEEKDAYS",
    "Calendar",
    "Calendars",
    "DateException",
    "Day",
    "Days",
    "Holidays",
    "Spans",
    "span_times",
    "weekdays",
]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of a week as they are written, Monday is 0."""

_DAY = "|".join(WEEKDAYS)
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN = f"{_TIME}-(?:{_TIME}|24:00)"

Days: TypeAlias = Annotated[
    str, Text(rf"(?:{_DAY})(?:-(?:{_DAY}))?", f"name a day ({', '.join(WEEKDAYS)}) or some, such as mon-fri")
]


def span_times(span: str) -> tuple[time, time]:
    """Return opening and closing time of a span such as 09:00-12:30; the end of the day is 00:00.

    A closing that is not behind its opening is one of the next day.
    """
    first, _, last = span.partition("-")
    return time.fromisoformat(first), time.fromisoformat(last if last != "24:00" else "00:00")


def weekdays(days: str) -> tuple[int, ...]:
    """Return the days that ``mon``, ``mon-fri`` or ``sat-mon`` name, Monday is 0."""
    first, _, last = days.partition("-")
    start = WEEKDAYS.index(first)
    length = (WEEKDAYS.index(last or first) - start) % len(WEEKDAYS)
    return tuple((start + offset) % len(WEEKDAYS) for offset in range(length + 1))


def _some_time(span: str) -> str:
    first, last = span_times(span)
    if first == last and span != "00:00-24:00":
        raise wrong("{value} is no time at all; give two different times, or 00:00-24:00", span)
    return span


Span: TypeAlias = Annotated[
    str, Text(_SPAN, "give two times of day, such as 09:00-12:30 or 22:00-06:00"), AfterValidator(_some_time)
]


_SPAN_JSON_SCHEMA: Final = {"type": "string", "pattern": f"^(?:{_SPAN})$"}

Spans: TypeAlias = Annotated[
    tuple[Span, ...],
    BeforeValidator(listed),
    one_or_several(_SPAN_JSON_SCHEMA),
]
"""The spans of one day, in any order; one may stand by itself."""


def _exists(value: str) -> str:
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        raise wrong("{value} is not in the calendar; give a date such as 2026-12-24", value) from None
    return value


Day: TypeAlias = Annotated[
    str, Text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "give a date such as 2026-12-24"), AfterValidator(_exists)
]


_REASON: Final = Text(r"[^\x00-\x1f\x7f]{1,100}", "give one line of at most 100 characters")
_REASON_JSON_SCHEMA: Final = {"type": ["string", "number"], "minLength": 1, "maxLength": 100}
_REASONS: Final = {
    "anyOf": [
        _REASON_JSON_SCHEMA,
        {
            "type": "object",
            "properties": dict.fromkeys(LANGUAGES, _REASON_JSON_SCHEMA),
            "additionalProperties": False,
            "minProperties": 1,
        },
    ]
}

Reasons: TypeAlias = Annotated[
    FrozenMap[Literal["", "en", "zh"], Annotated[str, _REASON]],
    Field(min_length=1),
    BeforeValidator(in_any_language),
    WithJsonSchema(_REASONS),
]
"""A reason by language; under the empty language if it is the same in all."""
HolidayName: TypeAlias = Annotated[str, Text(r"[^\x00-\x1f\x7f;]{1,100}", "name one holiday, such as Easter Monday")]

_MOST_DAYS: Final = 366


class DateException(Model):
    """A date, or several in a row, with hours of its own, closed, or closed for some hours."""

    indivisible: ClassVar[bool] = True

    date: Day | None = None
    """The date. Or give from and to."""

    from_: Day | None = Field(default=None, alias="from")
    """The first of several dates."""

    to: Day | None = None
    """The last of them."""

    hours: Spans = ()
    """Opening hours of that date; closed all day if neither hours nor closed is given."""

    closed: Spans = ()
    """Hours in which it is closed although the day is as usual otherwise."""

    why: Reasons | None = None
    """The reason, for callers, supervisors and explanations: a text, or one per language."""

    @model_validator(mode="after")
    def _one_date_or_some(self) -> Self:
        if self.date is not None:
            if self.from_ is not None or self.to is not None:
                raise refused("'date' is given, too; keep it, or 'from' and 'to'")
            return self
        if self.from_ is None or self.to is None:
            raise refused("no date is given; give 'date', or 'from' and 'to'")
        first, last = self.span()
        if last < first:
            raise refused(f"'to' ({self.to}) is before 'from' ({self.from_}); exchange them")
        if (last - first).days >= _MOST_DAYS:
            raise refused(f"'from' and 'to' are more than {_MOST_DAYS} days; give less")
        return self

    def span(self) -> tuple[dt.date, dt.date]:
        """Return the first and the last date."""
        return dt.date.fromisoformat(self.date or self.from_ or ""), dt.date.fromisoformat(self.date or self.to or "")


class Holidays(Model):
    """Public holidays of a country or a part of it. They need the package holidays."""

    country: Annotated[str, Text("[A-Z]{2}", "give a country by its two letters, such as DE")] = Field(examples=["DE"])
    """The country (ISO 3166-1, two letters)."""

    subdivision: Annotated[str, Text(r"[^\x00-\x1f\x7f]{1,60}", "give a part of the country, such as BY")] | None = None
    """The part of the country, where holidays differ: its code or name."""

    language: Annotated[str, Text("[a-z]{2,3}(_[A-Z]{2,3})?", "give a language such as en_US or de")] | None = None
    """The language of the holidays' names: en_US where the country has it, else its own."""

    hours: Spans = ()
    """Opening hours on every holiday; closed all day if left out."""

    by_name: FrozenMap[HolidayName, Spans] = Field(default_factory=dict)
    """Single holidays with hours of their own."""

    ignored: tuple[HolidayName, ...] = ()
    """Holidays that are days like any other here."""


class Calendar(Model):
    """Opening hours. They hold by the clock of their time zone, in summer and in winter."""

    zone: Zone = Field(examples=["Europe/Berlin"])
    """The time zone, by its IANA name."""

    hours: FrozenMap[Days, Spans] = Field(default_factory=dict)
    """Opening hours by day or range of days (mon-fri); a day that is not given is closed."""

    closed: tuple[Day, ...] = ()
    """Dates closed all day."""

    open: FrozenMap[Day, Spans] = Field(default_factory=dict)
    """Dates with hours of their own."""

    exceptions: tuple[DateException, ...] = ()
    """Dates that differ, with reasons: closed, closed for some hours, or with hours of their own."""

    holidays: Holidays | None = None
    """Public holidays: closed, if nothing else is said. Dates given above go before them."""


class Calendars(Model):
    """The file calendars.yaml, which only sites with opening hours have."""

    calendars: FrozenMap[Name, Calendar] = Field(
        examples=[{"office": {"zone": "Europe/Berlin", "hours": {"mon-fri": ["09:00-17:00"]}}}],
        json_schema_extra={"minProperties": 1},
    )
    """The calendars, each under the name that queues give as opening_hours, and nodes as calendar."""

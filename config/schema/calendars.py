"""calendars.yaml: opening hours by weekday, and the dates that differ."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from config.schema.routing import Zone
from config.schema.shared import FrozenMap, Model, Name, Text, wrong

__all__ = ["WEEKDAYS", "Calendar", "Calendars", "Day", "span_times", "weekdays"]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of a week as they are written, Monday is 0."""

_DAY = "|".join(WEEKDAYS)
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN = f"{_TIME}-(?:{_TIME}|24:00)"

Days: TypeAlias = Annotated[
    str, Text(rf"(?:{_DAY})(?:-(?:{_DAY}))?", f"name a day ({', '.join(WEEKDAYS)}) or some, such as mon-fri")
]


def span_times(span: str) -> tuple[time, time]:
    """Return opening and closing time of a span such as 09:00-12:30; the end of the day is 00:00."""
    first, _, last = span.partition("-")
    return time.fromisoformat(first), time.fromisoformat(last if last != "24:00" else "00:00")


def weekdays(days: str) -> tuple[int, ...]:
    """Return the days that ``mon``, ``mon-fri`` or ``sat-mon`` name, Monday is 0."""
    first, _, last = days.partition("-")
    start = WEEKDAYS.index(first)
    length = (WEEKDAYS.index(last or first) - start) % len(WEEKDAYS)
    return tuple((start + offset) % len(WEEKDAYS) for offset in range(length + 1))


def _forwards(span: str) -> str:
    opening, closing = span_times(span)
    if time(0) < closing <= opening:
        raise wrong(
            "{value} ends before it begins; write hours over midnight as two: to 24:00, and from 00:00 of the next day",
            span,
        )
    return span


Span: TypeAlias = Annotated[
    str, Text(_SPAN, "give opening and closing time, such as 09:00-12:30 or 18:00-24:00"), AfterValidator(_forwards)
]


def _listed(value: Any) -> Any:
    """Read one span as a list of one."""
    return [value] if isinstance(value, str) else value


_SPAN_JSON_SCHEMA: Final = {"type": "string", "pattern": f"^(?:{_SPAN})$"}

Spans: TypeAlias = Annotated[
    tuple[Span, ...],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [_SPAN_JSON_SCHEMA, {"type": "array", "items": _SPAN_JSON_SCHEMA}]}),
]
"""The spans of one day, in any order; one may stand by itself."""


def _exists(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise wrong("{value} is not in the calendar; give a date such as 2026-12-24", value) from None
    return value


Day: TypeAlias = Annotated[
    str, Text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "give a date such as 2026-12-24"), AfterValidator(_exists)
]


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


class Calendars(Model):
    """The file calendars.yaml, which only sites with opening hours have."""

    calendars: FrozenMap[Name, Calendar] = Field(
        examples=[{"office": {"zone": "Europe/Berlin", "hours": {"mon-fri": ["09:00-17:00"]}}}],
        json_schema_extra={"minProperties": 1},
    )
    """The calendars, each under the name that queues give as opening_hours."""

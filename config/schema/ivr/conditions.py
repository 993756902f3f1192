"""What a branch may ask about: call data, caller, time, queues, calendars."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.schema.calendars import Days, Spans
from config.schema.ivr.values import Line
from config.schema.marks import FIELD, ZONE, Refers
from config.schema.references import CalendarName, QueueName
from config.schema.routing import Zone
from config.schema.shared import Flag, Model, Number, OnlyYes, Text, listed, one_or_several, refused, wrong
from ivr.patterns import PATTERN_LENGTH_MAX, Pattern, PatternError

__all__ = ["Bounds", "CalendarCondition", "Condition", "FieldName", "QueueCondition", "TimeCondition"]

_LARGEST: Final = 1e9

FieldName: TypeAlias = Annotated[
    str,
    Text(r"[A-Za-z_]{1,40}\.[A-Za-z0-9_.-]{1,80}", "name a field, such as call.caller or data.topic"),
    Refers(FIELD),
]
"""A field as in texts, without braces."""

_LINE_JSON_SCHEMA: Final = {"type": ["string", "number"], "maxLength": 200}

Lines: TypeAlias = Annotated[tuple[Line, ...], BeforeValidator(listed), one_or_several(_LINE_JSON_SCHEMA)]

Prefixes: TypeAlias = Annotated[
    tuple[Annotated[str, Text(r"[^\x00-\x1f\x7f]{1,80}", "give how the value begins")], ...],
    BeforeValidator(listed),
    one_or_several(_LINE_JSON_SCHEMA),
]


def _usable(pattern: str) -> str:
    try:
        Pattern(pattern)
    except PatternError as error:
        raise wrong("{value} is no pattern: {why}", pattern, why=str(error)) from None
    return pattern


PatternText: TypeAlias = Annotated[
    str,
    Text(rf"[^\x00-\x1f\x7f]{{1,{PATTERN_LENGTH_MAX}}}", f"give a pattern of 1 to {PATTERN_LENGTH_MAX} characters"),
    AfterValidator(_usable),
]

Limit: TypeAlias = Annotated[float, Number(-_LARGEST, _LARGEST)]


class Bounds(Model):
    """Bounds of a number; all that are given must hold."""

    at_least: Limit | None = None
    """This or more."""

    at_most: Limit | None = None
    """This or less."""

    above: Limit | None = None
    """More than this."""

    below: Limit | None = None
    """Less than this."""

    equals: Limit | None = None
    """Just this."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.model_fields_set:
            raise refused(f"no bound is given; give one of {', '.join(type(self).model_fields)}")
        return self


def _at_least(value: Any) -> Any:
    """Read a number by itself as the least."""
    return {"at_least": value} if isinstance(value, str) else value


Count: TypeAlias = Annotated[Bounds, BeforeValidator(_at_least)]
"""Bounds, or a number by itself: at least so many."""

_DAYS_JSON_SCHEMA: Final = {"type": "string"}


class TimeCondition(Model):
    """A time of day, on certain weekdays."""

    zone: Annotated[Zone, Refers(ZONE)] = Field(examples=["Europe/Berlin"])
    """The time zone, by its IANA name."""

    between: Spans = ()
    """From and to, or several of that: 22:00-06:00 goes over midnight, and belongs to the day on which it begins."""

    days: Annotated[tuple[Days, ...], BeforeValidator(listed), one_or_several(_DAYS_JSON_SCHEMA)] = ()
    """Weekdays: mon, mon-fri, or a list of these; every day if left out."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.between and not self.days:
            raise refused("neither 'between' nor 'days' is given; give one of them")
        return self


_QUEUE_TESTS: Final = (
    "calls_waiting",
    "estimated_wait_s",
    "ready_agents",
    "nobody_ready",
    "nobody_logged_in",
    "out_of_hours",
)


class QueueCondition(Model):
    """How a queue stands; all that is given must hold."""

    name: QueueName = Field(examples=["general"])
    """The queue."""

    calls_waiting: Count | None = None
    """So many calls wait there: at least this number, or bounds."""

    estimated_wait_s: Count | None = None
    """A caller who enters now will wait so long (seconds); nothing holds while there is no estimate."""

    ready_agents: Count | None = None
    """So many agents could take a call at once."""

    nobody_ready: OnlyYes = False
    """No agent is ready, rings, talks or wraps up."""

    nobody_logged_in: OnlyYes = False
    """No agent is logged in."""

    out_of_hours: OnlyYes = False
    """The queue's opening hours say closed."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.model_fields_set.intersection(_QUEUE_TESTS):
            raise refused(f"nothing is asked of the queue; give one of {', '.join(_QUEUE_TESTS)}")
        return self


class CalendarCondition(Model):
    """What a calendar says."""

    name: CalendarName = Field(examples=["office"])
    """The calendar."""

    says: Literal["open", "closed"]
    """What it has to say."""


_TESTS: Final = ("equals", "one_of", "prefix", "pattern", "number", "present", "empty")
_SUBJECTS: Final = ("field", "withheld", "time", "queue", "calendar", "all", "any", "not")


class Condition(Model):
    """Something that holds for a call, or does not: a test of a field, of the time, of a queue; or several of them."""

    indivisible: ClassVar[bool] = True

    field: FieldName | None = Field(default=None, examples=["call.caller"])
    """A field of the call, as in texts but without braces; with it one or more of the tests that follow."""

    equals: Line | None = None
    """The field is this text."""

    one_of: Lines = ()
    """The field is one of these texts."""

    prefix: Prefixes = ()
    """The field begins like this, or like one of these."""

    pattern: PatternText | None = None
    """The whole field is of this pattern, a regular expression without look-around and back-references."""

    number: Bounds | None = None
    """The field is a number within these bounds."""

    present: OnlyYes = False
    """The field has a value."""

    empty: OnlyYes = False
    """The field has none."""

    any_case: Flag = False
    """Are capital and small letters the same for equals, one_of and prefix?"""

    withheld: OnlyYes = False
    """The caller's number was not told."""

    time: TimeCondition | None = None
    """The time of day and weekday."""

    queue: QueueCondition | None = None
    """How a queue stands."""

    calendar: CalendarCondition | None = None
    """What a calendar says."""

    all: tuple[Condition, ...] = ()
    """All of these conditions hold."""

    any: tuple[Condition, ...] = ()
    """At least one of these conditions holds."""

    not_: Condition | None = Field(default=None, alias="not")
    """This condition does not hold."""

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        given = [name for name in _SUBJECTS if _attribute(name) in self.model_fields_set]
        tests = [name for name in (*_TESTS, "any_case") if name in self.model_fields_set]
        if len(given) > 1:
            raise refused(f"'{given[0]}' and '{given[1]}' stand side by side; list them under 'all' or 'any'")
        if tests and given != ["field"]:
            raise refused(f"'{tests[0]}' means nothing without 'field'; add it, such as field: data.topic")
        if not given:
            raise refused(f"nothing is asked; give one of {', '.join(_SUBJECTS)}")
        if given == ["field"] and tests in ([], ["any_case"]):
            raise refused(f"nothing is asked of the field; give one of {', '.join(_TESTS)}")
        if given[0] in ("all", "any") and not getattr(self, given[0]):
            raise refused(f"'{given[0]}' is empty; give at least one condition")
        return self


def _attribute(key: str) -> str:
    return "not_" if key == "not" else key

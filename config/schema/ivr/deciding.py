"""Nodes that decide or remember and say nothing: branch, hours, set, subtree, return."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from config.schema.ivr.conditions import Condition
from config.schema.ivr.values import Line
from config.schema.marks import Way
from config.schema.references import CalendarName, DatumName, Reference
from config.schema.shared import FrozenMap, Language, Model, Name, Requires, WholeNumber, wrong

__all__ = ["Branch", "BranchCase", "Hours", "Parameter", "Return", "SetData", "Subtree"]

_PRIORITY_MAX = 1000


class BranchCase(Model):
    """A condition, and where it leads."""

    when: Condition = Field(examples=[{"field": "data.topic", "equals": "cards"}])
    """The condition."""

    next: Reference = Field(examples=["cards"])
    """Where a caller goes for whom it holds, and none before it."""


class Branch(Model):
    """Goes where the first condition that holds says."""

    type: Literal["branch"]
    """Kind of node."""

    cases: tuple[BranchCase, ...] = Field(
        examples=[[{"when": {"field": "data.topic", "equals": "cards"}, "next": "cards"}]],
        json_schema_extra={"minItems": 1},
    )
    """Conditions with where they lead; the first that holds counts."""

    default: Reference = Field(examples=["main"])
    """Where a caller goes for whom none holds."""


class Hours(Model):
    """Asks a calendar whether it is open now; {hours.until_time}, {hours.why} and others can be said afterwards."""

    type: Literal["hours"]
    """Kind of node."""

    calendar: CalendarName = Field(examples=["office"])
    """The calendar, of calendars.yaml."""

    open: Reference = Field(examples=["main"])
    """Where a caller goes while it is open."""

    closed: Reference = Field(examples=["closed"])
    """Where a caller goes while it is closed."""

    holiday: Reference | None = None
    """Where a caller goes while it is closed for a public holiday; as closed if left out."""

    override: Reference | None = None
    """Where a caller goes while it was closed by hand; as closed if left out."""


def _points(value: str) -> str:
    if "{" in value:
        return value
    digits = value.removeprefix("-").removeprefix("+")
    if not digits.isascii() or not digits.isdigit() or int(digits) > _PRIORITY_MAX:
        raise wrong("{value} is no number of points; give -1000 to 1000, or a field such as {{data.points}}", value)
    return value


class SetData(Model):
    """Notes something about the call: call data, language, and what holds for the queues it enters afterwards."""

    type: Literal["set"]
    """Kind of node."""

    data: FrozenMap[DatumName, Line] = Field(default_factory=dict)
    """Call data to be set; {call.caller}, {data.topic} and the like are filled in."""

    add: FrozenMap[DatumName, Annotated[int, WholeNumber(-1_000_000, 1_000_000)]] = Field(default_factory=dict)
    """Call data to be counted up by so many, from 0: for tries."""

    unset: Annotated[tuple[Name, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)] = ()
    """Call data to be removed."""

    language: Language | None = None
    """The language that the caller hears from here on."""

    priority: Annotated[Line, AfterValidator(_points)] | None = None
    """Points for every queue the call enters, beside those of queue and node (-1000 to 1000); fields are filled in."""

    requires: Requires = Field(default_factory=dict)
    """Skills asked for in every queue the call enters, beside those of queue and node."""

    agent: Line | None = None
    """The agent who is first offered the call, in queues with sticky; fields are filled in."""

    next: Reference = Field(examples=["main"])
    """Where the caller goes afterwards."""


class Parameter(Model):
    """Something that a tree is given by the node that calls it."""

    default: Line | None = None
    """What it is when it is not given; without a default it must be."""


class Subtree(Model):
    """Walks another tree as a part of this one, and goes on here when that returns."""

    type: Literal["subtree"]
    """Kind of node."""

    tree: Reference = Field(examples=["account"])
    """The tree (or tree.node) to be walked."""

    given: FrozenMap[Name, Line] = Field(default_factory=dict, alias="with")
    """The tree's parameters; {call.caller}, {data.topic} and the like are filled in."""

    results: FrozenMap[Name, Annotated[Reference, Way.RETURNED]] = Field(default_factory=dict)
    """Where a caller goes afterwards, by the result of the return node."""

    next: Annotated[Reference, Way.RETURNED] = Field(examples=["main"])
    """Where a caller goes afterwards with any other result, or none."""


class Return(Model):
    """Leaves a tree that was called by a subtree node."""

    type: Literal["return"]
    """Kind of node."""

    result: Name | None = None
    """What came of it; the calling node leads on by it."""

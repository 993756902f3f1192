"""A queue's join and overflow rules: when a call goes elsewhere, and where."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Final, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from config.schema.numbers import OutsideNumber
from config.schema.references import Reference
from config.schema.shared import Flag, Model, Name, Number, OnlyYes, Text, WholeNumber, refused

__all__ = ["ACTIONS", "Action", "Condition", "JoinCondition", "JoinRule", "OverflowRule"]

ACTIONS: Final = ("queue", "menu", "voicemail", "number", "callback", "closing")
"""What a rule may do, one of these."""

Mailbox: TypeAlias = Annotated[
    str,
    Text(
        r"[A-Za-z0-9_-]{1,40}(?:@[A-Za-z0-9_-]{1,40})?",
        "name a box of voicemail.yaml, or of voicemail.conf, such as 100@context",
    ),
]


class JoinCondition(Model):
    """When a join rule acts: everything that is given must hold."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    indivisible: ClassVar[bool] = True
    hints: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"waiting_s": "a call that is about to enter has not waited; use it under 'overflow'"}
    )

    calls_waiting: Annotated[int, WholeNumber(1, 100_000)] | None = None
    """At least so many calls wait, this one included."""

    estimated_wait_s: Annotated[float, Number(1, 86_400, "seconds")] | None = None
    """The estimated wait is at least so long; does not hold while nothing is known."""

    calls_per_ready_agent: Annotated[float, Number(0.01, 10_000)] | None = None
    """At least so many calls wait for each agent who is logged in and not not-ready; with no such agent it holds."""

    nobody_ready: OnlyYes = False
    """Every agent of the queue who is logged in is not ready, or none is logged in."""

    nobody_logged_in: OnlyYes = False
    """No agent of the queue is logged in."""

    out_of_hours: OnlyYes = False
    """The queue's opening_hours say closed."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise refused(f"'when' is empty; give one of {', '.join(type(self).model_fields)}")
        return self


class Condition(JoinCondition):
    """When an overflow rule acts: everything that is given must hold."""

    hints: ClassVar[Mapping[str, str]] = MappingProxyType({})

    waiting_s: Annotated[float, Number(0.1, 86_400, "seconds")] | None = None
    """The call has waited at least so long."""


class Action(Model):
    """Where the call goes: exactly one of these."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [action]} for action in ACTIONS],
            "dependentRequired": {"keep_wait": ["queue"]},
        }
    )
    indivisible: ClassVar[bool] = True

    queue: Name | None = None
    """Another queue."""

    keep_wait: Flag = True
    """With queue: does the call keep the time it has waited? Otherwise its time starts anew."""

    menu: Reference | None = None
    """A menu node: a tree, or tree.node."""

    voicemail: Mailbox | None = None
    """A box of voicemail.yaml, else one of Asterisk's own voicemail: box, or box@context."""

    number: OutsideNumber | None = None
    """A number that is dialled by outbound.trunk; it must begin with a prefix of outbound.allowed."""

    callback: Name | None = None
    """The caller may hang up, and is called back in turn by this queue."""

    closing: Name | None = None
    """A prompt, then the call ends."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [action for action in ACTIONS if action in self.model_fields_set]
        if len(given) != 1:
            found = " and ".join(f"'{action}'" for action in given)
            fault = f"{found} exclude each other" if found else "this does nothing"
            raise refused(f"{fault}; give one of {', '.join(ACTIONS)}")
        if "keep_wait" in self.model_fields_set and self.queue is None:
            raise refused(f"'keep_wait' goes with 'queue' alone; remove it beside '{given[0]}'")
        return self

    @property
    def kind(self) -> str:
        """Which of ACTIONS this is."""
        return next(action for action in ACTIONS if getattr(self, action) is not None)

    @property
    def target(self) -> str:
        """Where it leads: the name of a queue, node, box or prompt, or a number."""
        return str(getattr(self, self.kind))


class JoinRule(Model):
    """One rule for calls that are about to enter."""

    hints: ClassVar[Mapping[str, str]] = MappingProxyType({"repeat": "a join rule acts on every call that enters"})

    when: JoinCondition = Field(examples=[{"nobody_logged_in": "yes"}])
    """Conditions, which must all hold."""

    then: Action = Field(examples=[{"queue": "general"}])
    """What happens then."""


class OverflowRule(Model):
    """One rule for calls that wait."""

    when: Condition = Field(examples=[{"waiting_s": 60}])
    """Conditions, which must all hold."""

    then: Action = Field(examples=[{"queue": "general"}])
    """What happens then."""

    repeat: Flag = False
    """May the rule act again on a call that comes back? Otherwise once per call."""

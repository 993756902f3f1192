"""Conditions of a `branch`: data, made of the configuration; nothing in them is ever executed.

What a condition asks of the world (the clock, calendars, queues) it asks by the visit's tools, and only when it comes
to be looked at: those of `all` and `any` are looked at in order, and no further than needed.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from ivr.fields import VALUE_LENGTH_MAX
from ivr.patterns import Pattern
from ivr.record import ProblemKind
from ivr.visit import Visit

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_DIGIT = re.compile(r"[0-9]")


class Condition(ABC):
    """Something that holds for a call now, or does not."""

    @abstractmethod
    def holds(self, visit: Visit) -> bool:
        """Tell whether it holds."""


@dataclass(frozen=True, slots=True)
class AllOf(Condition):
    """Every one of them holds."""

    parts: tuple[Condition, ...]

    def holds(self, visit: Visit) -> bool:
        """See `Condition`."""
        return all(part.holds(visit) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    """At least one of them holds."""

    parts: tuple[Condition, ...]

    def holds(self, visit: Visit) -> bool:
        """See `Condition`."""
        return any(part.holds(visit) for part in self.parts)


@dataclass(frozen=True, slots=True)
class NotOf(Condition):
    """It does not hold."""

    part: Condition

    def holds(self, visit: Visit) -> bool:
        """See `Condition`."""
        return not self.part.holds(visit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A number's bounds; those that are None are not asked."""

    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    equals: float | None = None

    def hold(self, value: float) -> bool:
        """Tell whether a number is within all of them."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (self.equals is None or value == self.equals)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTest(Condition):
    """What the field `name` has; every given part must hold. A field that nothing is known of is empty.

    `equals` and `one_of` are templates. `any_case`: capital and small letters are the same.
    """

    name: str
    equals: str | None = None
    one_of: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    pattern: Pattern | None = None
    present: bool | None = None
    number: Bounds | None = None
    any_case: bool = False

    def holds(self, visit: Visit) -> bool:
        """See `Condition`."""
        value = (visit.call.lookup(self.name) or "")[:VALUE_LENGTH_MAX].strip()
        if self.present is not None and bool(value) is not self.present:
            return False
        text = self._cased(value)
        if self.equals is not None and text != self._cased(visit.fill(self.equals)):
            return False
        if self.one_of and text not in {self._cased(visit.fill(one)) for one in self.one_of}:
            return False
        if self.prefix and not text.startswith(tuple(self._cased(start) for start in self.prefix)):
            return False
        if self.pattern is not None and not self.pattern.matches(value):
            return False
        return self.number is None or self._is_within(visit, value, self.number)

    def _cased(self, text: str) -> str:
        return text.casefold() if self.any_case else text

    def _is_within(self, visit: Visit, value: str, bounds: Bounds) -> bool:
        if _NUMBER.fullmatch(value):
            return bounds.hold(float(value))
        if value:
            visit.problem(ProblemKind.NOT_A_NUMBER, self.name)
        return False


@dataclass(frozen=True, slots=True)
class NumberWithheld(Condition):
    """The caller's network did not tell a number."""

    def holds(self, visit: Visit) -> bool:
        """See `Condition`."""
        return _DIGIT.search(visit.call.caller) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeTest(Condition):
    """A time of day on certain weekdays, by a zone's clock.

    `between`: from (included) to (not included), any of them; one that ends before it begins goes over midnight, and
    counts for the day on which it began. `days`: Monday is 0; none given means every day.
    """

    zone: ZoneInfo
    between: tuple[tuple[time, time], ...] = ()
    days: frozenset[int] = frozenset()

    def holds(self, visit: Visit) -> bool:
        """See `Condition`."""
        local = visit.tools.clock.now().astimezone(self.zone)
        at = local.time()
        today = self._on(local.weekday())
        if not self.between:
            return today
        yesterday = self._on((local - timedelta(days=1)).weekday())
        return any(
            (today and first <= at and (at < last or last <= first)) or (yesterday and last <= first and at < last)
            for first, last in self.between
        )

    def _on(self, weekday: int) -> bool:
        return not self.days or weekday in self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTest(Condition):
    """How a queue stands; every given part must hold. Nothing holds of a queue that does not exist (any more)."""

    queue: str
    calls_waiting: Bounds | None = None
    estimated_wait_s: Bounds | None = None
    """An estimate that is not known yet is within no bounds."""
    ready_agents: Bounds | None = None
    nobody_ready: bool = False
    nobody_logged_in: bool = False
    out_of_hours: bool = False

    def holds(self, visit: Visit) -> bool:
        """See `Condition`."""
        state = visit.tools.queues.queue_state(self.queue)
        if state is None:
            visit.problem(ProblemKind.NO_SUCH_QUEUE, self.queue)
            return False
        if self.out_of_hours and state.is_open:
            return False
        if self.calls_waiting is not None and not self.calls_waiting.hold(state.calls_waiting):
            return False
        if self.estimated_wait_s is not None:
            estimate_s = state.estimated_wait_s
            if estimate_s is None or not self.estimated_wait_s.hold(estimate_s):
                return False
        if self.ready_agents is not None and not self.ready_agents.hold(state.ready_agents):
            return False
        if self.nobody_ready and not state.nobody_ready:
            return False
        return not self.nobody_logged_in or state.nobody_logged_in


@dataclass(frozen=True, slots=True)
class CalendarTest(Condition):
    """A calendar says open, or closed."""

    calendar: str
    is_open: bool

    def holds(self, visit: Visit) -> bool:
        """See `Condition`."""
        opening = visit.tools.calendars.opening(self.calendar)
        if opening is None:
            visit.problem(ProblemKind.NO_SUCH_CALENDAR, self.calendar)
            return self.is_open
        return opening.is_open is self.is_open

"""`hours`: ask a calendar whether it is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from ivr.opening import Opening
from ivr.outcome import Go, Move, NodeId
from ivr.record import ProblemKind
from ivr.tree import Node
from ivr.visit import Visit

FIELDS = frozenset({"calendar", "state", "cause", "why", "until", "until_date", "until_time", "until_days"})
"""What a caller's call knows after an `hours` node, as `{hours.NAME}`."""


class HoursOutcome(StrEnum):
    """Which way a call goes."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours(Node):
    """Goes to `open` or `closed`, as `calendar` says now; nothing is said.

    While it is closed for a public holiday the call goes to `holiday`, and while it was closed by hand to `override`,
    where they are given. What the calendar said is known afterwards, see `FIELDS`; times are in the calendar's zone.
    A calendar that does not exist counts as open.
    """

    type: ClassVar[str] = "hours"

    calendar: str
    open: NodeId
    closed: NodeId
    holiday: NodeId | None = None
    override: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        opening = visit.tools.calendars.opening(self.calendar)
        if opening is None:
            visit.problem(ProblemKind.NO_SUCH_CALENDAR, self.calendar)
            visit.call.hours = {}
            return Go(self.open, HoursOutcome.OPEN)
        visit.call.hours = hours_fields(self.calendar, opening, visit.tools.clock.now())
        if opening.is_open:
            return Go(self.open, HoursOutcome.OPEN)
        if opening.cause == HoursOutcome.HOLIDAY and self.holiday is not None:
            return Go(self.holiday, HoursOutcome.HOLIDAY)
        if opening.cause == HoursOutcome.OVERRIDE and self.override is not None:
            return Go(self.override, HoursOutcome.OVERRIDE)
        return Go(self.closed, HoursOutcome.CLOSED)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        ways = (self.open, self.closed, self.holiday, self.override)
        return tuple(dict.fromkeys(way for way in ways if way is not None))


def hours_fields(calendar: str, opening: Opening, now: datetime) -> dict[str, str]:
    """What a calendar said at the moment `now`, as fields for texts; empty what is not known."""
    fields = {
        "calendar": calendar,
        "state": (HoursOutcome.OPEN if opening.is_open else HoursOutcome.CLOSED).value,
        "cause": opening.cause,
        "why": opening.why,
        **{f"why.{language}": why for language, why in opening.why_in.items()},
    }
    if opening.until is None:
        return fields | dict.fromkeys(("until", "until_date", "until_time", "until_days"), "")
    until, today = opening.until.astimezone(opening.zone), now.astimezone(opening.zone).date()
    return fields | {
        "until": until.isoformat(timespec="minutes"),
        "until_date": until.date().isoformat(),
        "until_time": f"{until:%H:%M}",
        "until_days": str((until.date() - today).days),
    }

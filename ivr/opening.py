"""What nodes ask of calendars and queues: is it open, who waits, who works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Opening:
    """What a calendar says of a moment."""

    is_open: bool
    why: str
    """The reason, for people."""
    until: datetime | None
    """When that changes, in the calendar's zone; None if that is not in sight."""
    cause: str
    """What decided it: `hours`, `exception`, `holiday` or `override`."""
    zone: tzinfo
    why_in: Mapping[str, str] = field(default_factory=dict)
    """The reason by language, where it was given so."""


class Calendars(Protocol):
    """The site's calendars."""

    def opening(self, calendar: str) -> Opening | None:
        """What the calendar says now; None if there is no such calendar."""
        ...


class QueueState(Protocol):
    """One queue as it is now. Each value is worked out when it is asked for."""

    @property
    def calls_waiting(self) -> int:
        """Calls that wait and do not ring."""
        ...

    @property
    def estimated_wait_s(self) -> float | None:
        """How long a caller who enters now will wait (seconds); None while that is not known."""
        ...

    @property
    def ready_agents(self) -> int:
        """Agents who could be offered a call now."""
        ...

    @property
    def nobody_ready(self) -> bool:
        """No agent is ready, rings, talks or wraps up."""
        ...

    @property
    def nobody_logged_in(self) -> bool:
        """No agent is logged in."""
        ...

    @property
    def is_open(self) -> bool:
        """The queue's opening hours say open, or it has none."""
        ...


class QueueStates(Protocol):
    """The site's queues."""

    def queue_state(self, queue: str) -> QueueState | None:
        """One queue; None if there is no such queue."""
        ...


@dataclass(frozen=True, slots=True)
class NoCalendars:
    """No calendar is known."""

    def opening(self, calendar: str) -> Opening | None:  # noqa: ARG002 - see `Calendars`
        """See `Calendars`."""
        return None


@dataclass(frozen=True, slots=True)
class NoQueueStates:
    """No queue is known."""

    def queue_state(self, queue: str) -> QueueState | None:  # noqa: ARG002 - see `QueueStates`
        """See `QueueStates`."""
        return None

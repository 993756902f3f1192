"""One promised callback, and how it is written down. Times are wall-clock seconds: the engine's own clock does not
survive it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = ["Callback", "Stage", "entry_of"]


class Stage(Enum):
    """What becomes of a callback at the moment. It is not kept: after a restart every callback waits for its time."""

    PARKED = "caller-still-here"
    """The caller's own call has not ended yet: the one in which it was promised, or a later one."""
    SLEEPING = "later"
    """Not to be tried now: after an attempt, or outside its hours."""
    WAITING = "waiting"
    """In its queue."""
    AGENT = "agent-first"
    """An agent has picked up; the customer is dialled."""
    DIALLING = "customer-first"
    """The customer's phone rings, for an agent who is expected to be free."""
    ON_LINE = "on-the-line"
    """The customer has answered and waits for an agent, or has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What was promised."""

    id: str
    """Also the id of the engine's call that stands for it."""
    number: str
    """In the form in which it is dialled."""
    queue: str
    entered_at: float
    """Since when the customer waits: the place in the queue."""
    promised_at: float = 0.0
    expires_at: float = 0.0
    """Given up then; 0: never. Time in which nobody may be rung is added as it is met."""
    closed_until: float = 0.0
    """Up to here such time is added already."""
    call: str = ""
    """The call in which it was promised."""
    name: str = ""
    dialled: str = ""
    """The number that the customer called: who calls back."""
    priority: int = 0
    requires: tuple[tuple[str, int], ...] = ()
    customer: str = ""
    agent: str = ""
    language: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    """Call data, for the agent's screen."""
    attempts: int = 0
    not_before: float = 0.0


def entry_of(found: dict[str, Any]) -> Callback:
    """Read a callback as it was written. Raises ValueError, TypeError, KeyError or AttributeError for anything else."""
    requires = tuple((str(skill), int(level)) for skill, level in found.pop("requires"))
    data = {str(name): str(value) for name, value in found.pop("data", {}).items()}
    entry = Callback(requires=requires, data=data, **found)
    times = (entry.entered_at, entry.promised_at, entry.expires_at, entry.closed_until, entry.not_before)
    numbers = (*times, entry.priority, entry.attempts)
    if not all(isinstance(value, (int, float)) for value in numbers) or not all((entry.id, entry.number, entry.queue)):
        raise ValueError("a callback without a number, a queue or a time")
    return entry

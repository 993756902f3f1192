"""Look-ups: asking another system for what it knows, while the caller hears music."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

__all__ = ["FieldValue", "LookUpAnswer", "LookUpOutcome", "LookUps", "NoLookUps"]

FieldValue: TypeAlias = Callable[[str], str | None]
"""The value of a field by its name, `call.caller` and the like, secrets of the call included; None: not known."""


class LookUpOutcome(StrEnum):
    """What a look-up comes to; each is a branch of its own."""

    OK = "ok"
    """Answered, and all that was asked for is there."""
    NOT_FOUND = "not-found"
    """Answered that there is no such thing, or that it is not for us (HTTP status 4xx)."""
    ERROR = "error"
    """The other side has a fault (5xx), cannot be reached, or is not asked at present because it could not be."""
    TIMEOUT = "timeout"
    """No answer in time."""
    BAD_ANSWER = "bad-answer"
    """An answer that is not what it should be: not JSON, too large, a value missing or of another type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpAnswer:
    """What came of a look-up. `values` are call data by name; `why` says in words what is wrong, without any data."""

    outcome: LookUpOutcome
    status: int = 0
    """The HTTP status; 0 for none."""
    values: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


class LookUps(Protocol):
    """The site's look-ups by name."""

    async def ask(self, lookup: str, value: FieldValue) -> LookUpAnswer:
        """Carry out the look-up of this name with the values of the fields that it sends.

        Never takes longer than the look-up's time-out, and never raises but for a cancellation.
        """
        ...


class NoLookUps:
    """Where nobody has given any: each is an error."""

    async def ask(self, lookup: str, value: FieldValue) -> LookUpAnswer:  # noqa: ARG002
        """See `LookUps`."""
        return LookUpAnswer(outcome=LookUpOutcome.ERROR, why=f"no look-up {lookup}")

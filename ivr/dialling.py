"""Connecting a caller with somebody who is no agent: what is dialled, how, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ivr.outcome import NodeId

__all__ = ["Dial", "DialEnd", "Dialled", "Exchange", "NoExchange"]


class DialEnd(StrEnum):
    """What became of a dial."""

    ANSWERED = "answered"
    """The two talked; the other end has hung up."""
    BUSY = "busy"
    """Busy, or it was declined."""
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    """No route, no such number, the trunk is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One dial. `device` is what the exchange gave, and nothing else may stand here: it is a command to the switch."""

    device: str
    ring_s: float = 30.0
    longest_s: float = 4 * 3600.0
    """The talk is ended after so long (seconds)."""
    caller_id: str = ""
    """The number that is shown; empty for the caller's own."""
    music: str = ""
    """What the caller hears while it rings, by name; empty for a ringing tone."""
    node: NodeId | None = None
    """The node that dials: visited again if the process ends before somebody has answered."""
    then: NodeId | None = None
    """Where the caller goes on after the talk if the process ends meanwhile; None ends the call."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """How a dial went."""

    end: DialEnd


class Exchange(Protocol):
    """Tells what may be dialled."""

    def number(self, number: str) -> str:
        """What to dial for an outside number; empty when the site does not allow it."""
        ...


@dataclass(frozen=True, slots=True)
class NoExchange:
    """Allows nothing."""

    def number(self, number: str) -> str:  # noqa: ARG002
        """See `Exchange`."""
        return ""

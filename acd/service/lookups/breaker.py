"""A circuit breaker: a host that does not answer is not asked for a while, so that callers are not held for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Breaker", "BreakerRule", "BreakerState"]


class BreakerState(Enum):
    """What becomes of a request. The value is what /metrics shows."""

    CLOSED = 0
    """It is sent."""
    HALF_OPEN = 1
    """One is sent, to see whether the host is back; others are not."""
    OPEN = 2
    """It is not sent."""


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """After ``failures`` in a row the host is left alone for ``open_s`` seconds."""

    failures: int = 5
    open_s: float = 30.0


class Breaker:
    """One host's breaker. Whoever ``admit`` lets through tells by exactly one of the other methods what came of it.

    ``now`` is a monotonic clock (seconds).
    """

    def __init__(self, rule: BreakerRule) -> None:
        self.rule = rule
        self._failures = 0
        self._open_until: float | None = None
        self._probing = False

    def state(self, now: float) -> BreakerState:
        """Say what would become of a request now."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self._open_until else BreakerState.HALF_OPEN

    def admit(self, now: float) -> bool:
        """Ask whether a request may be sent."""
        state = self.state(now)
        if state is BreakerState.HALF_OPEN and not self._probing:
            self._probing = True
            return True
        return state is BreakerState.CLOSED

    def answered(self) -> None:
        """The host has answered: all is well."""
        self._failures = 0
        self._open_until = None
        self._probing = False

    def failed(self, now: float) -> None:
        """The host has not answered, or only to say that it cannot."""
        self._failures += 1
        if self._probing or self._failures >= self.rule.failures:
            self._open_until = now + self.rule.open_s
        self._probing = False

    def abandoned(self) -> None:
        """Nobody waited for what the host does: that tells nothing, and the next one may try."""
        self._probing = False

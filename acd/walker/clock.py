"""Time that passes only when it is let pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["VirtualClock"]


@dataclass(slots=True)
class VirtualClock:
    """A wall clock in virtual time (implements ``ivr.tools.Clock``). `at`: the moment, with a zone."""

    at: datetime

    def now(self) -> datetime:
        """See ``ivr.tools.Clock``."""
        return self.at.astimezone(UTC)

    def local(self) -> datetime:
        """The moment in the zone it was begun in, daylight saving observed."""
        return self.at.astimezone(UTC).astimezone(self.at.tzinfo)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        # Through UTC: a local clock may be put forward or back on the way.
        self.at = (self.at.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(self.at.tzinfo)

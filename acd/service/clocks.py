"""The two clocks: the event loop's, which the engine goes by, and the wall's, which survives us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Clocks"]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both clocks, in seconds. ``monotonic``: never goes back, means nothing elsewhere. ``wall``: UNIX time."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]

    def to_monotonic(self, wall_s: float) -> float:
        """Convert a moment in the past from wall-clock time; one in the future counts as now."""
        return self.monotonic() - max(0.0, self.wall() - wall_s)

    def to_wall(self, monotonic_s: float) -> float:
        """Convert a moment on the engine's clock to wall-clock time."""
        return self.wall() - (self.monotonic() - monotonic_s)

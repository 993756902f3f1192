"""How often calls enter a queue, by the priority they bring along: an average that fades."""

from __future__ import annotations

from math import exp

__all__ = ["Arrivals"]

_MEMORY_S = 900.0
_MOST_PRIORITIES = 16


class Arrivals:
    """Arrivals at one queue. A call of 15 minutes ago counts a third of one of now."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[int, tuple[float, float]] = {}
        """Priority to (faded count, when it was that)."""

    def note(self, extra_priority: int, now: float) -> None:
        """Count a call that enters now."""
        counts = self._counts
        count, at = counts.get(extra_priority, (0.0, now))
        counts[extra_priority] = (count * exp((at - now) / _MEMORY_S) + 1.0, now)
        if len(counts) > _MOST_PRIORITIES:
            del counts[min(counts, key=lambda priority: counts[priority][1])]

    def rate_above(self, extra_priority: float, now: float) -> float:
        """Calls per second that bring more than ``extra_priority``; in the first minutes rather too few."""
        counts = [entry for priority, entry in self._counts.items() if priority > extra_priority]
        return sum(count * exp((at - now) / _MEMORY_S) for count, at in counts) / _MEMORY_S

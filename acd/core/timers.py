"""Deadlines of the engine: one heap, cancelled lazily, asked for the next one."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

__all__ = ["Timer", "Timers"]

_SWEEP_FLOOR = 64


class Timer:
    """One deadline. ``action(subject, now)`` is called when it is due, unless cancelled before."""

    __slots__ = ("action", "at", "live", "subject")

    def __init__(self, at: float, action: Callable[[Any, float], None], subject: Any) -> None:
        self.at = at
        self.action = action
        self.subject = subject
        self.live = True


class Timers:
    """All deadlines, earliest first; of equal ones the one set first."""

    __slots__ = ("_dead", "_heap", "_sequence")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self._dead = 0

    def set(self, at: float, action: Callable[[Any, float], None], subject: Any) -> Timer:
        """Call ``action(subject, now)`` at ``at`` (seconds on the engine's clock)."""
        self._sequence += 1
        timer = Timer(at, action, subject)
        heappush(self._heap, (at, self._sequence, timer))
        return timer

    def cancel(self, timer: Timer | None) -> None:
        """Let the deadline pass without effect; a cancelled, past or absent one is left alone."""
        if timer is not None and timer.live:
            timer.live = False
            timer.subject = None  # which may know its timer: only the garbage collector could undo such a circle
            self._dead += 1
            if self._dead > _SWEEP_FLOOR and self._dead * 2 > len(self._heap):
                self._heap = [entry for entry in self._heap if entry[2].live]
                heapify(self._heap)
                self._dead = 0

    def next_at(self) -> float | None:
        """When the next live deadline is, or None."""
        heap = self._heap
        while heap:
            if heap[0][2].live:
                return heap[0][0]
            heappop(heap)
            self._dead -= 1
        return None

    def pop_due(self, now: float) -> Timer | None:
        """Take out the next live deadline that is due at ``now``, or return None."""
        at = self.next_at()
        if at is None or at > now:
            return None
        timer = heappop(self._heap)[2]
        timer.live = False
        return timer

    def __len__(self) -> int:
        return len(self._heap) - self._dead

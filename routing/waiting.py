"""Calls that wait for the same thing, in the total order of ``routing.priority``, kept without a scan or a poll.

Points grow with time, yet the order inside one line needs no re-sorting: while calls age at the same rate, the
difference of two of them never changes. Only two moments matter to a call: when ageing reaches its cap and when it
becomes overdue. So a line is three sorted lists (ageing, capped, overdue); calls move on when their moment has come,
which is looked at when the head is asked for.

The lists are plain ones: to shift 8 bytes for each call behind the place is quicker, up to some 100,000 calls in one
line, than anything that has to be interpreted.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from math import inf
from typing import Generic, Protocol, TypeVar

from routing.priority import OrderKey, PriorityRule

__all__ = ["Waiting", "WaitingLine"]

_AGEING, _CAPPED, _OVERDUE = 0, 1, 2
_SWEEP_FLOOR = 32
_SAME_POINTS = 1e-6


class Waiting(Protocol):
    """A waiting call as the order sees it."""

    @property
    def entered_at(self) -> float:
        """When it entered its queue (seconds)."""

    @property
    def extra_priority(self) -> int:
        """Points of its own, beside the queue's."""

    @property
    def sequence(self) -> int:
        """Number in order of appearance: the last tie-break."""


W = TypeVar("W", bound=Waiting)
_Entry = tuple[float, float, int, int, W]
"""(minus the points that calls of the phase do not have in common, time of entry, sequence number, phase, call).

Ordered by the first three: no two have one sequence number.
"""


class WaitingLine(Generic[W]):
    """Waiting calls of one demand. ``size`` is how many they are."""

    __slots__ = ("_ages_s", "_entries", "_firsts", "_lists", "_moments", "_next_moment", "_rate", "rule", "size")

    def __init__(self, rule: PriorityRule) -> None:
        self.rule = rule
        self.size = 0
        self._ages_s = rule.capped_after_s()
        self._rate = rule.points_per_minute / 60.0
        self._lists: tuple[list[_Entry[W]], list[_Entry[W]], list[_Entry[W]]] = ([], [], [])
        self._firsts: list[W] | None = None
        """The first call of each phase that has any; None: to be looked up."""
        self._entries: dict[int, _Entry[W]] = {}
        """What stands in the lists, by sequence number."""
        self._moments: list[tuple[float, int]] = []
        """When a call of the sequence number moves on, as a heap; of calls that have left, too, until it is swept."""
        self._next_moment = inf
        """The first of the moments."""

    def add(self, call: W, now: float) -> None:
        """Let the call wait here; one call at most once."""
        self._put(call, self._phase_at(call, now))
        self.size += 1

    def remove(self, call: W) -> None:
        """Take the call out. Raises KeyError when it does not wait here."""
        self._take_out(self._entries.pop(call.sequence))
        self.size -= 1

    def head(self, now: float) -> tuple[OrderKey, W] | None:
        """Return the call that goes first at ``now`` and its place in the total order."""
        if self._next_moment <= now:
            self._move_on(now)
        firsts = self._firsts
        if firsts is None:
            firsts = self._firsts = [calls[0][4] for calls in self._lists if calls]
        if len(firsts) == 1:
            call = firsts[0]
            return self.rule.key(call.extra_priority, call.entered_at, call.sequence, now), call
        key_at = self.rule.key
        best: tuple[OrderKey, W] | None = None
        for call in firsts:
            key = key_at(call.extra_priority, call.entered_at, call.sequence, now)
            if best is None or key < best[0]:
                best = (key, call)
        return best

    def ahead_of(self, key: OrderKey, now: float) -> int:
        """How many calls here come before ``key`` at ``now`` (for a caller's position)."""
        self._move_on(now)
        tier, minus_points, entered_at, sequence = key
        if tier == 0:
            return bisect_left(self._lists[_OVERDUE], (0.0, entered_at, sequence))
        lead = self.rule.base + minus_points
        cap = self.rule.ageing_cap if self._ages_s > 0 else 0.0
        ageing = self._before(_AGEING, lead + self._rate * now, entered_at, sequence)
        capped = self._before(_CAPPED, lead + cap, entered_at, sequence)
        return len(self._lists[_OVERDUE]) + ageing + capped

    def _before(self, phase: int, lead: float, entered_at: float, sequence: int) -> int:
        """How many calls of a phase come before (lead, time of entry, sequence number).

        ``lead`` was worked out by another way than those in the list, so that of two equal ones the last bits may
        differ: one in the list that is as good as equal stands for it.
        """
        calls = self._lists[phase]
        at = bisect_left(calls, (lead - _SAME_POINTS,))
        if at < len(calls) and calls[at][0] <= lead + _SAME_POINTS:
            lead = calls[at][0]
        return bisect_left(calls, (lead, entered_at, sequence))

    def __contains__(self, call: W) -> bool:
        """Tell whether the call waits here."""
        return call.sequence in self._entries

    def __iter__(self) -> Iterator[W]:
        """Go over the calls, in no promised order."""
        for calls in self._lists:
            for entry in calls:
                yield entry[4]

    def ordered(self, now: float) -> list[W]:
        """Return the calls in order at ``now`` (a pass over all: for pages and explaining)."""
        rule = self.rule
        return sorted(self, key=lambda call: rule.key(call.extra_priority, call.entered_at, call.sequence, now))

    def _phase_at(self, call: W, now: float) -> int:
        if now >= self.rule.overdue_at(call.entered_at):
            return _OVERDUE
        return _AGEING if now < call.entered_at + self._ages_s else _CAPPED

    def _entry(self, call: W, phase: int) -> _Entry[W]:
        if phase == _AGEING:
            lead = self._rate * call.entered_at - call.extra_priority
        elif phase == _CAPPED:
            lead = float(-call.extra_priority)
        else:
            lead = 0.0
        return (lead, call.entered_at, call.sequence, phase, call)

    def _put(self, call: W, phase: int) -> None:
        entry = self._entries[call.sequence] = self._entry(call, phase)
        insort(self._lists[phase], entry)
        self._firsts = None
        self._watch(call, phase)

    def _take_out(self, entry: _Entry[W]) -> None:
        calls = self._lists[entry[3]]
        # It is the first one as always, when its call is offered.
        del calls[0 if calls[0] is entry else bisect_left(calls, entry)]
        self._firsts = None

    def _watch(self, call: W, phase: int) -> None:
        if phase == _OVERDUE:
            return
        moment = self.rule.overdue_at(call.entered_at)
        if phase == _AGEING:
            moment = min(moment, call.entered_at + self._ages_s)
        if moment < inf:
            heappush(self._moments, (moment, call.sequence))
            if len(self._moments) > _SWEEP_FLOOR + 2 * self.size:
                self._moments[:] = [moment for moment in self._moments if moment[1] in self._entries]
                heapify(self._moments)
            self._next_moment = self._moments[0][0]

    def _move_on(self, now: float) -> None:
        moments = self._moments
        while moments and moments[0][0] <= now:
            _, sequence = heappop(moments)
            entry = self._entries.get(sequence)
            if entry is None:
                continue
            later = self._phase_at(entry[4], now)
            if later != entry[3]:  # else it left and came back: an older moment of the same call
                self._take_out(entry)
                self._put(entry[4], later)
        self._next_moment = moments[0][0] if moments else inf

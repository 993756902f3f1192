"""When an agent is expected to be free for a customer who is rung first, and how many customers are rung for how many.

A customer is rung for an agent who is idle, or who is expected to be idle by the time the customer has answered. So at
any time no more customers of a queue are rung, or wait on the line, than agents of it are idle, or one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from acd.core.calls import Call
from acd.core.estimates import estimated_wait_s
from acd.core.queues import Queue
from acd.core.transitions import CallState
from acd.service.callbacks.entries import Callback
from acd.service.clocks import Clocks
from routing.priority import OrderKey, PriorityRule

__all__ = ["Expecting"]

_EXPECTED_ANSWER_S = 8.0
"""So long people take to answer (seconds): an agent who is expected to be free by then will do."""
_TICK_S = 1.0


class Expecting:
    """``calls`` and ``queues`` are the engine's, to read. ``can_dial``: whether phones can be rung at present."""

    def __init__(
        self,
        calls: Mapping[str, Call],
        queues: Mapping[str, Queue],
        clocks: Clocks,
        call_later: Callable[[float, Callable[[], None]], object],
        can_dial: Callable[[], bool],
    ) -> None:
        self._calls = calls
        self._queues = queues
        self._clocks = clocks
        self._call_later = call_later
        self.can_dial = can_dial
        self._watched: dict[str, tuple[Callback, Callable[[str], None]]] = {}
        self._rung: dict[str, str] = {}
        """Customers rung, or on the line without an agent: call to queue."""
        self._ticking = False

    @property
    def all_under_way(self) -> int:
        """Customers of all queues who are being rung or wait for an agent."""
        return len(self._rung)

    def under_way(self, queue: str) -> int:
        """The same of one queue."""
        return sum(1 for rung_for in self._rung.values() if rung_for == queue)

    def agents_left(self, queue: str, offered: int = 0) -> bool:
        """Tell whether one more customer may be rung for the agents there are.

        ``offered``: so many agents are reserved for that customer's callback at the moment.
        """
        found = self._queues.get(queue)
        needed = self.under_way(queue) - offered
        if found is None:
            return False
        if needed < 0 or not self.under_way(queue):
            return True
        idle = 0
        for agent in found.members.values():
            idle += agent.is_idle
            if idle > needed:
                return True
        return False

    def place(self, entry: Callback) -> OrderKey:
        """The place that this callback has in its queue's order, or would have: the smallest goes first."""
        found = self._queues.get(entry.queue)
        rule = found.spec.priority if found is not None else PriorityRule()
        clocks = self._clocks
        return rule.key(entry.priority, clocks.to_monotonic(entry.entered_at), 0, clocks.monotonic())

    def watch(self, entry: Callback, tell: Callable[[str], None]) -> None:
        """Tell once an agent is expected for this callback, which waits in its queue."""
        self._watched[entry.id] = (entry, tell)
        self._tick_later()

    def forget(self, call_id: str) -> None:
        """It is over."""
        self._watched.pop(call_id, None)
        self._rung.pop(call_id, None)

    def begins(self, entry: Callback) -> None:
        """The customer is being rung."""
        self._watched.pop(entry.id, None)
        self._rung[entry.id] = entry.queue

    def ends(self, call_id: str) -> str:
        """The customer has an agent, or was not reached. Returns the queue; empty if that was known."""
        return self._rung.pop(call_id, "")

    def _tick_later(self) -> None:
        if self._watched and not self._ticking:
            self._ticking = True
            self._call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        """Look at the one of each queue whose turn is next: none goes before another."""
        self._ticking = False
        first: dict[str, Callback] = {}
        for entry, _ in self._watched.values():
            call = self._calls.get(entry.id)
            if call is None or call.state is not CallState.WAITING:
                continue
            known = first.get(entry.queue)
            if known is None or self.place(entry) < self.place(known):
                first[entry.queue] = entry
        for entry in first.values():
            wait_s = estimated_wait_s(self._calls[entry.id], self._clocks.monotonic(), viewed=True)
            if wait_s is not None and wait_s <= _EXPECTED_ANSWER_S:
                self._watched[entry.id][1](entry.id)
        self._tick_later()

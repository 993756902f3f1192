"""Callbacks that let others go first: the agent whom they were offered is meant for a customer who is being rung.

They are out of their queue, so that callers on the line get agents, and come back into it one by one, in the queue's
order, as soon as there is an agent for one more.
"""

from __future__ import annotations

from collections.abc import Callable

from acd.service.callbacks.entries import Callback, Stage
from acd.service.callbacks.expecting import Expecting
from acd.service.callbacks.runs import LOOK_AGAIN_S, Runs

__all__ = ["Aside"]

_TICK_S = 1.0
"""So often it is looked whether an agent has become idle for them (seconds)."""


class Aside:
    """See the module. ``expecting`` knows for how many there are agents."""

    def __init__(
        self, runs: Runs, expecting: Expecting, call_later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        self._runs = runs
        self._expecting = expecting
        self._call_later = call_later
        self._by_queue: dict[str, dict[str, Callback]] = {}
        self._ticking = False

    def put(self, entry: Callback) -> None:
        """Let this one, which is in its queue, step aside."""
        self._runs.leave_queue(entry.id, "a customer is being rung for this agent")
        self._runs.sleep(entry.id, LOOK_AGAIN_S)
        self._by_queue.setdefault(entry.queue, {})[entry.id] = entry
        self._tick_later()

    def one_before(self, entry: Callback) -> bool:
        """Tell whether one of the same queue is aside whose turn is before this one's."""
        first = self._first(entry.queue)
        return first is not None and self._expecting.place(first) < self._expecting.place(entry)

    def recall(self, queue: str, offered: int = 0) -> None:
        """Let those for whom there are agents come back into the queue, the first of them first.

        ``offered``: see ``Expecting.agents_left``. While no customer is rung one comes back that waits for an agent.
        """
        while self._expecting.agents_left(queue, offered):
            first, before = self._first(queue), self._expecting.under_way(queue)
            if first is None:
                return
            del self._by_queue[queue][first.id]
            self._runs.begin(first.id)
            if self._expecting.under_way(queue) == before:
                return

    def _first(self, queue: str) -> Callback | None:
        aside = self._by_queue.get(queue, {})
        for call_id in [call_id for call_id in aside if not self._is_aside(call_id)]:
            del aside[call_id]
        if not aside:
            self._by_queue.pop(queue, None)
            return None
        return min(aside.values(), key=self._expecting.place)

    def _is_aside(self, call_id: str) -> bool:
        """Not over meanwhile, and not back of its own."""
        run = self._runs.get(call_id)
        return run is not None and run.stage is Stage.SLEEPING

    def _tick_later(self) -> None:
        if self._by_queue and not self._ticking:
            self._ticking = True
            self._call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        self._ticking = False
        for queue in list(self._by_queue):
            self.recall(queue)
        self._tick_later()

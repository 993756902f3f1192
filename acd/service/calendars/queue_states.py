"""How queues stand, for menus that decide by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from acd.core.estimates import next_call_wait_s
from acd.core.queues import Queue
from ivr.opening import QueueState

__all__ = ["EngineQueues"]


@dataclass(frozen=True, slots=True)
class _Standing:
    """One queue (implements ``ivr.opening.QueueState``). ``now``: on the engine's clock."""

    queue: Queue
    now: float

    @property
    def calls_waiting(self) -> int:
        """See ``QueueState``."""
        return len(self.queue.waiting)

    @property
    def estimated_wait_s(self) -> float | None:
        """See ``QueueState``."""
        return next_call_wait_s(self.queue, self.now)

    @property
    def ready_agents(self) -> int:
        """See ``QueueState``."""
        return sum(agent.is_idle for agent in self.queue.members.values())

    @property
    def nobody_ready(self) -> bool:
        """See ``QueueState``."""
        return not any(agent.is_working for agent in self.queue.members.values())

    @property
    def nobody_logged_in(self) -> bool:
        """See ``QueueState``."""
        return not any(agent.is_logged_in for agent in self.queue.members.values())

    @property
    def is_open(self) -> bool:
        """See ``QueueState``."""
        return self.queue.is_open


class EngineQueues:
    """The engine's queues (implements ``ivr.opening.QueueStates``). ``now``: the engine's clock."""

    def __init__(self, queues: Mapping[str, Queue], now: Callable[[], float]) -> None:
        self._queues = queues
        self._now = now

    def queue_state(self, queue: str) -> QueueState | None:
        """See ``ivr.opening.QueueStates``."""
        found = self._queues.get(queue)
        return _Standing(found, self._now()) if found is not None and not found.retired else None

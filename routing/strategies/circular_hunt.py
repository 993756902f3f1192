"""Circular hunt: the next in the list after the one who was offered the last call, round and round.

Same as app_queue ``rrmemory`` and ``rrordered`` and mod_callcenter ``round-robin``. The queue remembers the place, not
the agent, so the round goes on where it was when an agent leaves or the list changes.
"""

from __future__ import annotations

from typing import ClassVar

from routing.candidate import Candidate
from routing.idle_orders import IdleOrder, OrderValue, Ring, RingCursor
from routing.skills import Requirement
from routing.strategies.base import Strategy, StrategyContext

__all__ = ["CircularHunt"]


class CircularHunt(Strategy):
    """Round robin with memory."""

    name: ClassVar[str] = "circular-hunt"
    aliases: ClassVar[tuple[str, ...]] = ("rrmemory", "rrordered", "round-robin", "roundrobin")

    def __init__(self, context: StrategyContext) -> None:
        super().__init__(context)
        self._cursor = RingCursor()

    def new_order(self, requirement: Requirement) -> IdleOrder:  # noqa: ARG002
        """Order by place in the list, beginning after the last one offered."""
        return Ring(self._cursor, self._place)

    def picked(self, agent: Candidate) -> None:
        """Move the cursor to the agent."""
        self._cursor.place = (self._place(agent), agent.index)

    def describe(self, value: OrderValue, now: float) -> str:  # noqa: ARG002
        """Say the place in the round."""
        return f"place {value:.0f} in the round" if not isinstance(value, tuple) else "in the round"

    def _place(self, agent: Candidate) -> int:
        return agent.order_in(self.context.queue)

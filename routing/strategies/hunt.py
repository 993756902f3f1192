"""Hunt (linear): always from the top of the list.

Same as app_queue ``linear`` and mod_callcenter ``top-down`` and ``sequentially-by-agent-order``. Unlike app_queue,
the order is the agents' order in the queue's configuration whatever the moment they logged in, and may be changed
while running.
"""

from __future__ import annotations

from typing import ClassVar

from routing.candidate import Candidate
from routing.idle_orders import IdleOrder, KeyedOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import Strategy

__all__ = ["Hunt"]


class Hunt(Strategy):
    """The first idle agent of the list, every time."""

    name: ClassVar[str] = "hunt"
    aliases: ClassVar[tuple[str, ...]] = ("linear", "top-down", "sequentially-by-agent-order")

    def new_order(self, requirement: Requirement) -> IdleOrder:  # noqa: ARG002
        """Order by place in the queue's list."""
        return KeyedOrder(self._place)

    def describe(self, value: OrderValue, now: float) -> str:  # noqa: ARG002
        """Say the place in the list."""
        return f"place {value} in the list"

    def _place(self, agent: Candidate) -> int:
        return agent.order_in(self.context.queue)

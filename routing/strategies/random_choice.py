"""Random: any idle agent, each with the same chance.

Same as app_queue ``random`` and mod_callcenter ``random``. Unlike app_queue, an agent who was just passed over has no
worse chance at the next call, and the generator is seeded from the journal, so a replay draws the same agents.
"""

from __future__ import annotations

from typing import ClassVar

from routing.idle_orders import Bag, IdleOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import Strategy

__all__ = ["RandomChoice"]


class RandomChoice(Strategy):
    """Any idle agent."""

    name: ClassVar[str] = "random"

    def new_order(self, requirement: Requirement) -> IdleOrder:  # noqa: ARG002
        """Draw, all alike."""
        return Bag(self.context.rng)

    def describe(self, value: OrderValue, now: float) -> str:  # noqa: ARG002
        """Say that it is drawn."""
        return "drawn, all alike"

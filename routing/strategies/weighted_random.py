"""Weighted random: any idle agent, with a chance in proportion to the agent's weight.

Like app_queue ``wrandom``, but weights are the agents' own ``weight`` (any number above 0) and exact: app_queue adds
random numbers to penalties, which is not proportional to anything. mod_callcenter has none.
"""

from __future__ import annotations

from operator import attrgetter
from typing import ClassVar

from routing.idle_orders import Bag, IdleOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import Strategy

__all__ = ["WeightedRandom"]


class WeightedRandom(Strategy):
    """Any idle agent, by weight."""

    name: ClassVar[str] = "weighted-random"
    aliases: ClassVar[tuple[str, ...]] = ("wrandom",)

    def new_order(self, requirement: Requirement) -> IdleOrder:  # noqa: ARG002
        """Draw by weight."""
        return Bag(self.context.rng, attrgetter("weight"))

    def describe(self, value: OrderValue, now: float) -> str:  # noqa: ARG002
        """Say that it is drawn."""
        return "drawn by weight"

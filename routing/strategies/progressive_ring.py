"""Progressive ring: the agent idle longest, and one more every few seconds while the others go on ringing.

Same as mod_callcenter ``ring-progressively``; app_queue has none. Whoever becomes idle while a step found nobody joins
at once. One winner, losers as in ring-all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from routing.idle_orders import IdleOrder, KeyedOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import FanOut, Strategy, idle_for

__all__ = ["ProgressiveRing"]


class ProgressiveRing(Strategy):
    """One phone more at each step; option ``step_s`` (seconds between two steps, default 5)."""

    name: ClassVar[str] = "progressive-ring"
    aliases: ClassVar[tuple[str, ...]] = ("ring-progressively",)
    fan_out: ClassVar[FanOut] = FanOut.PROGRESSIVE
    options: ClassVar[Mapping[str, tuple[float, float]]] = {"step_s": (0.1, 120.0)}

    def new_order(self, requirement: Requirement) -> IdleOrder:  # noqa: ARG002
        """Order by idle time."""
        return KeyedOrder(self.idle_since)

    def describe(self, value: OrderValue, now: float) -> str:
        """Say how long the agent has been idle."""
        return idle_for(value, now)

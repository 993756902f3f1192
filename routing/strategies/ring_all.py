"""Ring-all: every idle agent who may take the call; the first to answer has it.

Same as app_queue ``ringall`` and mod_callcenter ``ring-all``. Unlike app_queue, there is one winner whatever the
timing, the losers stay reserved until caller and winner are really connected and are then offered their next call at
once, an agent who becomes idle while the call rings joins in, and when the winner hangs up nobody is rung again.
"""

from __future__ import annotations

from typing import ClassVar

from routing.idle_orders import IdleOrder, KeyedOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import FanOut, Strategy, idle_for

__all__ = ["RingAll"]


class RingAll(Strategy):
    """All at once; when there are more than may ring, those who have been idle longest."""

    name: ClassVar[str] = "ring-all"
    aliases: ClassVar[tuple[str, ...]] = ("ringall",)
    fan_out: ClassVar[FanOut] = FanOut.ALL

    def new_order(self, requirement: Requirement) -> IdleOrder:  # noqa: ARG002
        """Order by idle time: matters only for who is left out."""
        return KeyedOrder(self.idle_since)

    def describe(self, value: OrderValue, now: float) -> str:
        """Say that all ring."""
        return f"all ring ({idle_for(value, now)})"

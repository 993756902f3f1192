"""Longest idle: whoever has waited longest for a call.

Same as mod_callcenter ``longest-idle-agent`` and app_queue ``leastrecent``. Unlike both, the site chooses whether idle
time is counted over all queues of the agent (the default) or per queue, and whether a missed or a very short call
starts it anew; neither peer keeps it when the agent has several queues (app_queue counts per queue unless
``shared_lastcall`` is set).
"""

from __future__ import annotations

from typing import ClassVar

from routing.idle_orders import IdleOrder, KeyedOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import Strategy, idle_for

__all__ = ["LongestIdle"]


class LongestIdle(Strategy):
    """The agent idle longest first."""

    name: ClassVar[str] = "longest-idle"
    aliases: ClassVar[tuple[str, ...]] = ("leastrecent", "longest-idle-agent")

    def new_order(self, requirement: Requirement) -> IdleOrder:  # noqa: ARG002
        """Order by the moment since when the agent is idle."""
        return KeyedOrder(self.idle_since)

    def describe(self, value: OrderValue, now: float) -> str:
        """Say how long the agent has been idle."""
        return idle_for(value, now)

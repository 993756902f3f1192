"""Fewest calls: whoever has taken the fewest since the last reset; of equals the one idle longest.

Same as app_queue ``fewestcalls`` and mod_callcenter ``agent-with-fewest-calls``. Unlike both, counts are per queue or
over all queues as the site chooses, very short calls need not count, and there is a daily reset; an agent who comes
late is not sent every call until the count is level only where the site resets at the start of the shift.
"""

from __future__ import annotations

from typing import ClassVar

from routing.candidate import Candidate
from routing.idle_orders import IdleOrder, KeyedOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import Strategy, idle_for

__all__ = ["FewestCalls"]


class FewestCalls(Strategy):
    """The agent with the fewest calls first."""

    name: ClassVar[str] = "fewest-calls"
    aliases: ClassVar[tuple[str, ...]] = ("fewestcalls", "agent-with-fewest-calls")

    def new_order(self, requirement: Requirement) -> IdleOrder:  # noqa: ARG002
        """Order by calls taken, then idle time."""
        return KeyedOrder(self._calls)

    def describe(self, value: OrderValue, now: float) -> str:
        """Say the count, then the idle time."""
        calls, since = value if isinstance(value, tuple) else (value, now)
        return f"{calls:.0f} calls, {idle_for(since, now)}"

    def _calls(self, agent: Candidate) -> tuple[float, ...]:
        return (agent.calls_for(self.context.queue), self.idle_since(agent))

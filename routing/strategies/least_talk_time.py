"""Least talk time: whoever has talked least since the last reset; of equals the one idle longest.

Same as mod_callcenter ``agent-with-least-talk-time``; app_queue has none. Per queue or over all queues, with a daily
reset, as the site chooses.
"""

from __future__ import annotations

from typing import ClassVar

from routing.candidate import Candidate
from routing.idle_orders import IdleOrder, KeyedOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import Strategy, idle_for

__all__ = ["LeastTalkTime"]


class LeastTalkTime(Strategy):
    """The agent with the least talk time first."""

    name: ClassVar[str] = "least-talk-time"
    aliases: ClassVar[tuple[str, ...]] = ("agent-with-least-talk-time",)

    def new_order(self, requirement: Requirement) -> IdleOrder:  # noqa: ARG002
        """Order by talk time, then idle time."""
        return KeyedOrder(self._talk)

    def describe(self, value: OrderValue, now: float) -> str:
        """Say the talk time, then the idle time."""
        talk_s, since = value if isinstance(value, tuple) else (value, now)
        return f"{talk_s:.1f} s of talk, {idle_for(since, now)}"

    def _talk(self, agent: Candidate) -> tuple[float, ...]:
        return (agent.talk_s_for(self.context.queue), self.idle_since(agent))

"""Least proficient first: whoever is just good enough, which keeps the experts free for the calls that need them.

The reverse of most proficient, among those who meet the requirement. Neither app_queue nor mod_callcenter has it.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from routing.candidate import Candidate
from routing.idle_orders import IdleOrder, KeyedOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import Strategy, idle_for
from routing.strategies.most_proficient import proficiency

__all__ = ["LeastProficient"]


class LeastProficient(Strategy):
    """The lowest sum of levels first; of equals who has the fewest other skills, then idle time."""

    name: ClassVar[str] = "least-proficient"

    def new_order(self, requirement: Requirement) -> IdleOrder:
        """Order by proficiency, lowest first, then all other levels together, then idle time."""
        return KeyedOrder(partial(self._level, requirement))

    def describe(self, value: OrderValue, now: float) -> str:
        """Say the proficiency, then the other levels, then the idle time."""
        level, levels, since = value if isinstance(value, tuple) else (value, 0.0, now)
        return f"proficiency {level:.0f}, all levels {levels:.0f}, {idle_for(since, now)}"

    def _level(self, requirement: Requirement, agent: Candidate) -> tuple[float, ...]:
        return (proficiency(agent, requirement), sum(agent.levels.values()), self.idle_since(agent))

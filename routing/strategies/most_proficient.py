"""Most proficient: the best at what the call asks for; of equals the one idle longest.

Proficiency is the sum of the agent's levels in the skills that the call requires. Close to app_queue's ``penalty`` and
mod_callcenter's agent ``level``, which are one number per queue and know no skills; the nearest in Genesys Cloud is
"best available skills".
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from routing.candidate import Candidate
from routing.idle_orders import IdleOrder, KeyedOrder, OrderValue
from routing.skills import Requirement
from routing.strategies.base import Strategy, idle_for

__all__ = ["MostProficient", "proficiency"]


def proficiency(agent: Candidate, requirement: Requirement) -> int:
    """Sum of the agent's levels in the required skills (0 when none is required)."""
    levels = agent.levels
    return sum(levels.get(skill, 0) for skill, _ in requirement.skills)


class MostProficient(Strategy):
    """The highest sum of levels first."""

    name: ClassVar[str] = "most-proficient"

    def new_order(self, requirement: Requirement) -> IdleOrder:
        """Order by proficiency, highest first, then idle time."""
        return KeyedOrder(partial(self._level, requirement))

    def describe(self, value: OrderValue, now: float) -> str:
        """Say the proficiency, then the idle time."""
        minus_level, since = value if isinstance(value, tuple) else (value, now)
        return f"proficiency {-minus_level:.0f}, {idle_for(since, now)}"

    def _level(self, requirement: Requirement, agent: Candidate) -> tuple[float, ...]:
        return (-proficiency(agent, requirement), self.idle_since(agent))

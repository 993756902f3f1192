"""How the simulated agents behave: whether they take an offer, how fast, when they come and go."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from acd.core.events import LegFailure
from acd.simulator.distributions import Constant, Distribution

__all__ = ["AgentBehaviour", "ShiftChange"]


@dataclass(frozen=True, slots=True)
class AgentBehaviour:
    """What an agent does with an offer.

    ``reject_share`` and ``miss_share``: shares of the offers that are rejected (after ``answer_delay``) or ring until
    the time-out. ``after_call``: after-call work in queues where it lasts until the agent says done. ``break_s``: after
    so long an agent whom the engine made not ready for missed calls is back.
    """

    answer_delay: Distribution = Constant(0.0)
    reject_share: float = 0.0
    miss_share: float = 0.0
    after_call: Distribution = Constant(0.0)
    break_s: float = 300.0

    def __post_init__(self) -> None:
        shares = (self.reject_share, self.miss_share)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError(f"shares of rejected and missed offers are from 0 to 1, their sum too: {shares}")

    def react(self, ring_timeout_s: float, rng: Random) -> tuple[float, LegFailure | None]:
        """Return after how long the agent does something, and what: None, answers; else how the offer fails."""
        if self.reject_share or self.miss_share:
            chance = rng.random()
            if chance < self.miss_share:
                return ring_timeout_s, LegFailure.MISSED
            if chance < self.miss_share + self.reject_share:
                return min(self.answer_delay.draw(rng), ring_timeout_s), LegFailure.REJECTED
        delay_s = self.answer_delay.draw(rng)
        return (ring_timeout_s, LegFailure.MISSED) if delay_s >= ring_timeout_s > 0 else (delay_s, None)


@dataclass(frozen=True, slots=True)
class ShiftChange:
    """An agent comes (``on``) or goes at ``at`` seconds from the start."""

    at: float
    agent: str
    on: bool

"""What a strategy may know of an agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["Candidate"]


class Candidate(Protocol):
    """An agent as the strategies see it. Times are seconds on the engine's clock.

    ``index`` is the agent's number in the order in which agents became known: the last tie-break of every strategy.
    ``idle_stamp`` changes each time the agent becomes idle or stops being so; an index entry made under an older
    stamp is void, which is why nobody has to be taken out of an index.
    """

    @property
    def id(self) -> str:
        """Name of the agent in the configuration."""

    @property
    def index(self) -> int:
        """Number of the agent, unique, in order of first appearance."""

    @property
    def idle_stamp(self) -> int:
        """Changes whenever the agent becomes idle or stops being so."""

    @property
    def weight(self) -> float:
        """Share in a weighted random choice, above 0."""

    @property
    def levels(self) -> Mapping[str, int]:
        """Skill levels, 1 to 10."""

    def order_in(self, queue: str) -> int:
        """Place in the queue's hunt order, 0 first."""

    def idle_since_for(self, queue: str) -> float:
        """Since when idle, as the site counts it (over all queues or for this one)."""

    def calls_for(self, queue: str) -> int:
        """Calls taken since the last reset, as the site counts them."""

    def talk_s_for(self, queue: str) -> float:
        """Talk time since the last reset, as the site counts it (seconds)."""

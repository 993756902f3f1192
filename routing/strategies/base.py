"""What a strategy is: the order in which idle agents are offered a queue's calls, and how many ring at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from routing.candidate import Candidate
from routing.idle_orders import IdleOrder, OrderValue, Uniform
from routing.skills import Requirement

__all__ = ["FanOut", "OptionValue", "Strategy", "StrategyContext", "idle_for"]

OptionValue = float | int | str | bool


class FanOut(StrEnum):
    """How many phones ring for one call."""

    ONE = "one"
    ALL = "all"
    PROGRESSIVE = "progressive"


@dataclass(frozen=True, slots=True)
class StrategyContext:
    """What a strategy is made with: its queue, the site's generator, and the options given in YAML."""

    queue: str
    rng: Uniform
    options: Mapping[str, OptionValue] = field(default_factory=dict)


class Strategy(ABC):
    """One queue's strategy. Stateless but for what the queue's order needs (a cursor, say).

    A site's own strategy subclasses this, sets ``name``, returns an ``IdleOrder`` from ``new_order`` and registers
    under the entry point group ``acd.strategies``.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    """Names of peers' strategies that mean the same."""
    fan_out: ClassVar[FanOut] = FanOut.ONE
    options: ClassVar[Mapping[str, tuple[float, float]]] = {}
    """Numeric options the strategy takes: name to (least, most)."""

    def __init__(self, context: StrategyContext) -> None:
        self.context = context

    @abstractmethod
    def new_order(self, requirement: Requirement) -> IdleOrder:
        """Return an empty index of idle agents for calls of this queue that ask for ``requirement``."""

    def idle_since(self, agent: Candidate) -> float:
        """Key that puts whoever has been idle longest first: of many strategies, and the tie-break of others."""
        return agent.idle_since_for(self.context.queue)

    def describe(self, value: OrderValue, now: float) -> str:
        """Say in words what an agent was ordered by: the index's own value, at ``now``."""
        return f"order {value!r} at {now:.3f} s"

    def picked(self, agent: Candidate) -> None:  # noqa: B027 - most strategies remember nothing
        """Note that the agent is being offered a call of the queue."""

    def number(self, option: str, default: float) -> float:
        """Return a numeric option, or the default when it is not given."""
        return float(self.context.options.get(option, default))


def idle_for(since: OrderValue, now: float) -> str:
    """Say how long an agent has been idle."""
    if isinstance(since, tuple) or since == float("-inf"):
        return "no call from this queue yet"
    return f"idle for {now - since:.1f} s"

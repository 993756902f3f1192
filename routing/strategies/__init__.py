"""The distribution strategies by name: one file each, and those a site adds by entry point ``acd.strategies``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType

from routing.strategies.base import FanOut, Strategy, StrategyContext
from routing.strategies.circular_hunt import CircularHunt
from routing.strategies.fewest_calls import FewestCalls
from routing.strategies.hunt import Hunt
from routing.strategies.least_proficient import LeastProficient
from routing.strategies.least_talk_time import LeastTalkTime
from routing.strategies.longest_idle import LongestIdle
from routing.strategies.most_proficient import MostProficient
from routing.strategies.progressive_ring import ProgressiveRing
from routing.strategies.random_choice import RandomChoice
from routing.strategies.ring_all import RingAll
from routing.strategies.weighted_random import WeightedRandom

__all__ = ["STRATEGIES", "FanOut", "Strategy", "StrategyContext", "by_any_name", "installed_strategies"]

_BUILT_IN: tuple[type[Strategy], ...] = (
    Hunt,
    CircularHunt,
    RingAll,
    ProgressiveRing,
    LongestIdle,
    FewestCalls,
    LeastTalkTime,
    RandomChoice,
    WeightedRandom,
    MostProficient,
    LeastProficient,
)

STRATEGIES: Mapping[str, type[Strategy]] = MappingProxyType({strategy.name: strategy for strategy in _BUILT_IN})
"""The built-in strategies by their own names."""


def by_any_name(strategies: Mapping[str, type[Strategy]] = STRATEGIES) -> dict[str, type[Strategy]]:
    """Return the strategies by name and by alias (the names that app_queue and mod_callcenter use)."""
    names = {alias: strategy for strategy in strategies.values() for alias in strategy.aliases}
    return names | dict(strategies)


def installed_strategies() -> dict[str, type[Strategy]]:
    """Return the built-in strategies and those of installed packages (entry point group ``acd.strategies``).

    Raises TypeError when an entry point is no ``Strategy``, ValueError when it takes a name that is already used.
    """
    found = by_any_name()
    for point in sorted(entry_points(group="acd.strategies"), key=lambda point: point.name):
        strategy = point.load()
        if not (isinstance(strategy, type) and issubclass(strategy, Strategy)):
            raise TypeError(f"entry point acd.strategies:{point.name} is {strategy!r}, not a subclass of Strategy")
        for name in (strategy.name, *strategy.aliases):
            if name in found:
                raise ValueError(f"entry point acd.strategies:{point.name} takes the name {name!r} of another strategy")
            found[name] = strategy
    return found

"""Each strategy's order, ties and scopes; the names they go by; strategies that a site adds."""

from __future__ import annotations

import sys
from collections import Counter
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest

import routing.strategies as registry
from acd.core.engine import Engine
from acd.core.events import AgentReady, CallQueued
from acd.core.specs import AgentSpec, QueueSpec, RoutingSpec
from routing.candidate import Candidate
from routing.idle_orders import IdleOrder, KeyedOrder
from routing.skills import Requirement
from routing.strategies import STRATEGIES, FanOut, Strategy, StrategyContext, by_any_name, installed_strategies
from tests.routing.agents import FakeAgent, indexes

CARDS = Requirement.of({"cards": 1, "english": 1})


def _strategy(name: str, **options: float) -> Strategy:
    return STRATEGIES[name](StrategyContext("q", Random(1), options))


def _order(name: str, agents: list[FakeAgent], requirement: Requirement = CARDS) -> list[int]:
    order = _strategy(name).new_order(requirement)
    for agent in agents:
        order.add(agent)
    return indexes(order.ordered())


def test_hunt_is_by_place_then_index() -> None:
    agents = [
        FakeAgent(0, place=3),
        FakeAgent(1, place=0, idle_since=99.0),
        FakeAgent(2, place=3),
        FakeAgent(3, place=1),
    ]
    assert _order("hunt", agents) == [1, 3, 0, 2]


def test_circular_hunt_begins_after_the_last_one_offered() -> None:
    strategy = _strategy("circular-hunt")
    order = strategy.new_order(CARDS)
    agents = [FakeAgent(index, place=index) for index in range(4)]
    for agent in agents:
        order.add(agent)
    assert indexes(order.ordered()) == [0, 1, 2, 3]
    strategy.picked(agents[1])
    assert indexes(order.ordered()) == [2, 3, 0, 1]


def test_circular_hunt_remembers_one_place_for_all_demands_of_the_queue() -> None:
    strategy = _strategy("circular-hunt")
    agents = [FakeAgent(index, place=index) for index in range(3)]
    one, other = strategy.new_order(CARDS), strategy.new_order(Requirement())
    for agent in agents:
        one.add(agent)
        other.add(agent)
    strategy.picked(agents[0])
    assert indexes([one.first(), other.first()]) == [1, 1]


@pytest.mark.parametrize("name", ["longest-idle", "ring-all", "progressive-ring"])
def test_longest_idle_first_then_index(name: str) -> None:
    agents = [FakeAgent(0, idle_since=5.0), FakeAgent(1, idle_since=2.0), FakeAgent(2, idle_since=5.0), FakeAgent(3)]
    assert _order(name, agents) == [3, 1, 0, 2]


def test_fewest_calls_then_longest_idle() -> None:
    agents = [FakeAgent(0, calls=2), FakeAgent(1, calls=1, idle_since=9.0), FakeAgent(2, calls=1, idle_since=3.0)]
    assert _order("fewest-calls", agents) == [2, 1, 0]


def test_least_talk_time_then_longest_idle() -> None:
    agents = [FakeAgent(0, talk_s=20.0), FakeAgent(1, talk_s=10.0, idle_since=9.0), FakeAgent(2, talk_s=10.0)]
    assert _order("least-talk-time", agents) == [2, 1, 0]


def test_most_proficient_counts_the_required_skills_only() -> None:
    agents = [
        FakeAgent(0, levels={"cards": 5, "english": 5, "loans": 10}),
        FakeAgent(1, levels={"cards": 9, "english": 2}),
        FakeAgent(2, levels={"cards": 5, "english": 5}, idle_since=-1.0),
    ]
    assert _order("most-proficient", agents) == [1, 2, 0]
    assert _order("most-proficient", agents, Requirement()) == [2, 0, 1], "nothing required: longest idle"


def test_least_proficient_keeps_those_with_other_skills_free() -> None:
    agents = [
        FakeAgent(0, levels={"cards": 3, "english": 3, "loans": 9}),
        FakeAgent(1, levels={"cards": 3, "english": 3}, idle_since=5.0),
        FakeAgent(2, levels={"cards": 3, "english": 3}),
        FakeAgent(3, levels={"cards": 9, "english": 9}),
    ]
    assert _order("least-proficient", agents) == [2, 1, 0, 3]


@pytest.mark.parametrize("name", ["random", "weighted-random"])
def test_random_strategies_draw_anyone(name: str) -> None:
    order = _strategy(name).new_order(CARDS)
    for index in range(4):
        order.add(FakeAgent(index, weight=1.0 + index))
    drawn = Counter(agent.index for _ in range(4000) if (agent := order.first()) is not None)
    assert set(drawn) == {0, 1, 2, 3}
    if name == "weighted-random":
        assert drawn[3] > 2 * drawn[0]


@pytest.mark.parametrize("name", ["longest-idle", "fewest-calls", "least-talk-time"])
def test_counts_and_idle_times_are_those_of_the_queue(name: str) -> None:
    """The strategy asks for its own queue; whether that differs from the others is the site's choice."""
    agents = [
        FakeAgent(0, per_queue={"q": (9.0, 9, 9.0), "other": (1.0, 1, 1.0)}),
        FakeAgent(1, per_queue={"q": (5.0, 5, 5.0), "other": (7.0, 7, 7.0)}),
    ]
    assert _order(name, agents) == [1, 0]


def test_what_they_are_ordered_by_in_words() -> None:
    agents = {
        "longest-idle": ("idle for 12.5 s", FakeAgent(0, idle_since=87.5)),
        "fewest-calls": ("3 calls, idle for 12.5 s", FakeAgent(0, idle_since=87.5, calls=3)),
        "least-talk-time": ("40.0 s of talk, idle for 12.5 s", FakeAgent(0, idle_since=87.5, talk_s=40.0)),
        "ring-all": ("all ring (idle for 12.5 s)", FakeAgent(0, idle_since=87.5)),
        "progressive-ring": ("idle for 12.5 s", FakeAgent(0, idle_since=87.5)),
        "most-proficient": ("proficiency 7, idle for 12.5 s", FakeAgent(0, levels={"cards": 7}, idle_since=87.5)),
        "least-proficient": (
            "proficiency 7, all levels 9, idle for 12.5 s",
            FakeAgent(0, levels={"cards": 7, "loans": 2}, idle_since=87.5),
        ),
    }
    for name, (words, agent) in agents.items():
        strategy = _strategy(name)
        order = strategy.new_order(CARDS)
        order.add(agent)
        ((first, value),) = order.front()
        assert first is agent
        assert strategy.describe(value, 100.0) == words, name
    for name in ("hunt", "circular-hunt"):
        strategy = _strategy(name)
        order = strategy.new_order(CARDS)
        order.add(FakeAgent(0, place=4))
        assert "place 4" in strategy.describe(order.front()[0][1], 100.0)


# Names.

_SAME_AS = {
    "linear": "hunt",
    "top-down": "hunt",
    "sequentially-by-agent-order": "hunt",
    "rrmemory": "circular-hunt",
    "rrordered": "circular-hunt",
    "round-robin": "circular-hunt",
    "ringall": "ring-all",
    "ring-progressively": "progressive-ring",
    "leastrecent": "longest-idle",
    "longest-idle-agent": "longest-idle",
    "fewestcalls": "fewest-calls",
    "agent-with-fewest-calls": "fewest-calls",
    "agent-with-least-talk-time": "least-talk-time",
    "wrandom": "weighted-random",
}


@pytest.mark.parametrize("alias", _SAME_AS)
def test_names_of_the_peers_are_understood(alias: str) -> None:
    assert by_any_name()[alias] is STRATEGIES[_SAME_AS[alias]]


def test_no_name_means_two_things() -> None:
    names = [name for strategy in STRATEGIES.values() for name in (strategy.name, *strategy.aliases)]
    assert len(names) == len(set(names))
    assert {name: strategy.name for name, strategy in STRATEGIES.items()} == {name: name for name in STRATEGIES}


def test_each_strategy_has_a_file_that_says_what_it_matches() -> None:
    for strategy in STRATEGIES.values():
        module = sys.modules[strategy.__module__]
        assert module.__doc__ is not None
        assert "app_queue" in module.__doc__ or "mod_callcenter" in module.__doc__, strategy.name
    files = {sys.modules[strategy.__module__].__file__ for strategy in STRATEGIES.values()}
    assert len(files) == len(STRATEGIES) == 11


def test_options_have_bounds() -> None:
    assert STRATEGIES["progressive-ring"].options["step_s"] == (0.1, 120.0)
    assert _strategy("progressive-ring", step_s=7.0).number("step_s", 5.0) == 7.0
    assert _strategy("progressive-ring").number("step_s", 5.0) == 5.0
    assert STRATEGIES["ring-all"].fan_out is FanOut.ALL


# A strategy of a site's own, found by its entry point and used by the engine.


class YoungestFirst(Strategy):
    """The agent who became known last, first."""

    name: ClassVar[str] = "youngest-first"
    aliases: ClassVar[tuple[str, ...]] = ("newest",)

    def new_order(self, requirement: Requirement) -> IdleOrder:
        return KeyedOrder(self._age)

    def _age(self, agent: Candidate) -> float:
        return -agent.index


class NotAStrategy:
    """Something else altogether."""


class TakesAName(YoungestFirst):
    name: ClassVar[str] = "hunt"


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of classes of this module that are installed as entry points."""
    classes: list[str] = []

    def found(*, group: str) -> EntryPoints:
        assert group == "acd.strategies"
        return EntryPoints(EntryPoint(name.lower(), f"{__name__}:{name}", group) for name in classes)

    monkeypatch.setattr(registry, "entry_points", found)
    return classes


def test_a_site_adds_a_strategy(plug_in: list[str]) -> None:
    plug_in.append("YoungestFirst")
    strategies = installed_strategies()
    assert strategies["youngest-first"] is strategies["newest"] is YoungestFirst
    assert strategies["longest-idle"] is STRATEGIES["longest-idle"]
    routing = RoutingSpec(
        {"q": QueueSpec("q", strategy="youngest-first")},
        {f"a{number}": AgentSpec(f"a{number}", queues={"q": 0}) for number in range(3)},
    )
    engine = Engine(routing, Random(1), 0.0, strategies=strategies, strict=True)
    for number in range(3):
        engine.handle(AgentReady(f"a{number}"), float(number))
    commands = engine.handle(CallQueued("c1", "q"), 5.0)
    assert [command.agent_ids for command in commands if hasattr(command, "agent_ids")] == [("a2",)]


def test_an_entry_point_that_is_no_strategy(plug_in: list[str]) -> None:
    plug_in.append("NotAStrategy")
    with pytest.raises(TypeError, match=r"notastrategy.*not a subclass of Strategy"):
        installed_strategies()


def test_an_entry_point_that_takes_a_name(plug_in: list[str]) -> None:
    plug_in.append("TakesAName")
    with pytest.raises(ValueError, match="takesaname takes the name 'hunt'"):
        installed_strategies()


def test_the_folder_has_one_file_for_each() -> None:
    folder = Path(registry.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "base"}
    assert len(files) == len(STRATEGIES)

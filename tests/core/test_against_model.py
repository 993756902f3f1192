"""The engine decides as a brute-force model of the documentation says, whatever happens in whatever order.

Every run is at least 200 steps long. That the comparison would notice is tested, too: with mutations of the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from acd.core.agent_desk import AgentDesk
from acd.core.calls import Call
from acd.core.commands import AddLeg, AgentStateChanged, CancelLeg, CancelOffer, OfferCall, VerifyOffer
from acd.core.matching import Matching
from acd.core.specs import QueueSpec
from routing.idle_orders import KeyedOrder
from routing.priority import PriorityRule
from routing.skills import Requirement
from routing.strategies.longest_idle import LongestIdle
from tests.core.machine import KINDS, EngineAgainstModel, some_routing
from tests.core.model_entities import Mismatch
from tests.core.model_events import EventModel

_STEPS = 220


def _explore(runs: int) -> None:
    """Let Hypothesis look for a run that goes wrong, and shorten it when there is one."""
    explored = settings(
        max_examples=runs,
        stateful_step_count=_STEPS,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(EngineAgainstModel, settings=explored)


class _Unchecked(EngineAgainstModel):
    strict = False


def _run(seed: int, machine_type: type[EngineAgainstModel] = EngineAgainstModel) -> EngineAgainstModel:
    """One run of random steps, all alike likely: the same for the same seed."""
    chance = Random(seed)
    machine = machine_type()
    machine.begin(seed)
    for _ in range(_STEPS):
        machine.step(chance.choice(KINDS), chance.randrange(256), chance.randrange(256))
    return machine


def test_the_engine_does_what_the_model_says() -> None:
    _explore(runs=50)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_engine_does_what_the_model_says_for_long() -> None:
    _explore(runs=300)


@pytest.mark.parametrize("block", range(10))
def test_random_runs(block: int) -> None:
    for seed in range(20 * block, 20 * block + 20):
        print(f"seed {seed}")
        machine = _run(seed)
        assert machine.steps >= 200
        assert machine.engine.world.faults == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_random_runs() -> None:
    for seed in range(1000, 3000):
        print(f"seed {seed}")
        _run(seed)


def test_the_runs_go_everywhere() -> None:
    """What is compared is worth comparing: every event and command, several phones, joins, held calls."""
    seen: Counter[str] = Counter()
    for seed in range(60):
        seen += _run(seed).seen
    commands = {OfferCall, AddLeg, CancelLeg, CancelOffer, VerifyOffer, AgentStateChanged}
    expected = {kind.__name__ for kind in commands | EventModel(some_routing(Random(1))).answers.keys()}
    assert {name: seen[name] for name in expected | {"several phones", "held"} if seen[name] < 20} == {}


# Mutations: each changes one decision of the engine, and a few runs must be enough to see it.


def _ties_by_last(order: KeyedOrder) -> Any:
    live = [entry for entry in order._sorted if entry[3].idle_stamp == entry[2]]
    return min(live, key=lambda entry: (entry[0], -entry[1]))[3] if live else None


def _worst_call_first(matching: Matching, agent: Any, now: float) -> bool:
    heads = [head for demand in agent.demands if demand.line.size and (head := demand.line.head(now)) is not None]
    calls = [(key, call) for key, call in heads] + [(call.order_key(now), call) for call in agent.personal.values()]
    if not calls:
        return False
    key, call = max(calls, key=lambda entry: entry[0])
    matching._offer(call, [agent], "agent", key, None, now)
    return True


def _never_overdue(rule: PriorityRule, entered_at: float) -> float:
    return entered_at + 1e9


def _above_not_at(requirement: Requirement, skills: Any, groups: Any) -> bool:
    return all(skills.get(skill, 0) > level for skill, level in requirement.skills) and (
        not requirement.group or requirement.group in groups
    )


def _any_group(requirement: Requirement, skills: Any, groups: Any) -> bool:
    return all(skills.get(skill, 0) >= level for skill, level in requirement.skills)


def _queue_only(call: Any) -> Requirement:
    spec: QueueSpec = call.queue.spec
    return spec.relaxation[call.step - 1].requirement if call.step else spec.requirement


def _no_ageing(rule: PriorityRule, extra: int, waited_s: float) -> float:
    return float(rule.base + extra)


def _nobody_joins(matching: Matching, agent: Any, now: float) -> bool:
    return False


def _back_off_for_ever(desk: AgentDesk, agent: Any, now: float) -> None:
    """Nothing."""


def _newest_idle(strategy: Any, agent: Any) -> float:
    return -float(agent.idle_since_for(strategy.context.queue))


def _run_many(runs: int) -> None:
    for seed in range(runs):
        _run(seed, _Unchecked)


@contextmanager
def _mutated(owner: type, name: str, mutation: Any) -> Iterator[None]:
    own = name in vars(owner)
    original = vars(owner).get(name)
    setattr(owner, name, mutation)
    try:
        yield
    finally:
        if own:
            setattr(owner, name, original)
        else:
            delattr(owner, name)


_MUTATIONS: dict[str, tuple[type, str, Any]] = {
    "the last of equals is chosen": (KeyedOrder, "first", _ties_by_last),
    "the wrong call goes first": (Matching, "_offer_waiting_call", _worst_call_first),
    "nobody is overdue": (PriorityRule, "overdue_at", _never_overdue),
    "a level must be exceeded": (Requirement, "met_by", _above_not_at),
    "groups are ignored": (Requirement, "met_by", _any_group),
    "a call's own skills are ignored": (Call, "requirement", _queue_only),
    "nobody joins a ringing offer": (Matching, "_join_ringing", _nobody_joins),
    "back-off never ends": (AgentDesk, "_back_off_over", _back_off_for_ever),
    "who has been idle shortest goes first": (LongestIdle, "idle_since", _newest_idle),
}


@pytest.mark.parametrize("what", _MUTATIONS)
def test_a_mutation_of_the_engine_is_noticed(what: str) -> None:
    with _mutated(*_MUTATIONS[what]), pytest.raises(Mismatch):
        _run_many(200)

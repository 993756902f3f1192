from __future__ import annotations

import gc

import pytest

from acd.core.transitions import AgentState
from bench.core_load import Load, Sample, Timed, measure
from bench.core_memory import measure_memory
from bench.core_site import Shape, generate
from routing.strategies import STRATEGIES


def waiting(load: Load) -> int:
    return sum(len(queue.waiting) for queue in load.engine.queues.values())


@pytest.mark.parametrize("calls", [0, 7, 60])
def test_set_up_gives_the_load_that_was_asked_for(calls: int) -> None:
    load = Load(generate(Shape(50, 10, 4)), calls)
    load.set_up()
    assert waiting(load) == calls
    states = {agent.state for agent in load.engine.agents.values()}
    assert states == {AgentState.TALKING, AgentState.READY}
    assert len(load.talking) == sum(agent.state is AgentState.TALKING for agent in load.engine.agents.values())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_load_stays_steady(strategy: str) -> None:
    load = Load(generate(Shape(40, 10, 4, strategy)), 30)
    load.set_up()
    matched = 0
    for _ in range(100):
        load.settle()
        assert waiting(load) == 30
        matched += load.freed().matched
        load.arrives()
    assert matched > 50
    assert not load.engine.offers  # each was bridged or is over
    assert load.engine.stale_events == 0


def test_with_nobody_waiting_arrivals_are_matched() -> None:
    load = Load(generate(Shape(100, 10, 4)), 0)
    load.set_up()
    samples = []
    for _ in range(50):
        load.settle()
        load.freed()
        samples.append(load.arrives())
    assert sum(sample.matched for sample in samples) > 20
    assert all(sample.cpu_ns > 0 and sample.wall_ns > 0 for sample in samples)


def test_measure_counts_each_kind_and_leaves_the_collector_as_it_was() -> None:
    frozen = gc.get_freeze_count()
    times = measure(generate(Shape(20, 3, 2)), 5, 30, limit_s=30.0)
    assert {event: len(timed.samples) for event, timed in times.items()} == {"agent_freed": 30, "call_arrives": 30}
    assert gc.get_freeze_count() == frozen
    assert gc.isenabled()


def test_measure_ends_in_time() -> None:
    times = measure(generate(Shape(20, 3, 2)), 5, 10_000_000, limit_s=0.0)
    assert len(times["agent_freed"].samples) == 1


def test_timed_tells_matched_ones_apart() -> None:
    timed = Timed([Sample(1000, 2000, matched=True), Sample(3000, 3500, matched=False)])
    assert timed.cpu_us() == [1.0, 3.0]
    assert timed.cpu_us(matched=True) == [1.0]
    assert timed.wall_us() == [2.0, 3.5]


def test_memory_is_counted_per_agent_and_call() -> None:
    memory = measure_memory(agents=100, calls=50)
    assert memory.agent > memory.agent_fresh > 500
    assert memory.call > memory.call_plain > 300

"""Long random simulations: a phase with faults, then one without in which everything must drain.

Each run prints its seed; ``_run(seed, events)`` plays it again.
"""

from __future__ import annotations

import gc
from collections import Counter
from itertools import count

import pytest

from acd.core.invariants import check
from acd.core.transitions import AgentState
from tests.core.outside_world import OutsideWorld

_PER_RUN = 5_000


def _run(seed: int, events: int = _PER_RUN) -> OutsideWorld:
    print(f"seed {seed}")
    world = OutsideWorld(seed)
    world.run_faulty(events)
    world.repair()
    world.drain()
    _assert_drained(world)
    return world


def _assert_drained(outside: OutsideWorld) -> None:
    engine = outside.engine
    check(engine.world, outside.now)
    assert not outside.callers
    assert not engine.calls
    assert not engine.offers
    at_rest = {AgentState.READY, AgentState.NOT_READY, AgentState.LOGGED_OUT, AgentState.WRAP_UP, AgentState.BACK_OFF}
    for agent in engine.agents.values():
        assert agent.state in at_rest
        assert not agent.personal
        assert agent.offer is None
        assert agent.call is None
        assert not any(demand.line.size or demand.ringing for demand in agent.demands)
    for queue in engine.queues.values():
        assert not queue.retired
        assert not queue.waiting
        assert queue.offered == 0
        assert not any(demand.line.size or demand.ringing for demand in queue.demands.values())
    timers = [agent.state_timer for agent in engine.agents.values()]
    timers += [agent.login_timer for agent in engine.agents.values()]
    assert len(engine.world.timers) == sum(timer is not None and timer.live for timer in timers)
    assert engine.world.faults == 0


@pytest.mark.parametrize("seed", range(8))
def test_a_faulty_world_drains(seed: int) -> None:
    _run(seed)


def test_nothing_is_left_to_the_garbage_collector() -> None:
    """What is over goes at once: a collector that must look for it does so while somebody waits for a decision."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        outside = _run(5)
        gc.collect()
        found = Counter(type(thing).__qualname__ for thing in gc.garbage if type(thing).__module__.startswith("acd."))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not found
    assert outside.events


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_million_events() -> None:
    events = 0
    for seed in count(1000):
        events += _run(seed).events
        if events >= 1_000_000:
            break
    print(f"{events} events")

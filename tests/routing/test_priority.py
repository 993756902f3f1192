"""The total order, and the bound against starvation that follows from it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.core.specs import AgentSpec, QueueSpec, RoutingSpec
from acd.simulator import Constant, Exponential, PlannedCall, Scenario, Simulation, Stream, poisson_calls
from routing.priority import PriorityRule


def test_points_grow_by_the_minute_up_to_the_cap() -> None:
    rule = PriorityRule(base=10, points_per_minute=6.0, ageing_cap=3.0)
    assert rule.points(0, 0.0) == 10.0
    assert rule.points(5, 10.0) == 16.0
    assert rule.points(0, 30.0) == 13.0
    assert rule.points(0, 3600.0) == 13.0
    assert rule.points(0, -5.0) == 10.0, "a clock that was set back makes nobody less important"
    assert rule.capped_after_s() == 30.0


def test_no_ageing_without_a_rate_or_without_a_cap() -> None:
    assert PriorityRule(points_per_minute=6.0).points(0, 600.0) == 0.0
    assert PriorityRule(ageing_cap=6.0).points(0, 600.0) == 0.0
    assert PriorityRule(points_per_minute=6.0).capped_after_s() == 0.0


def test_more_points_then_earlier_entry_then_first_seen() -> None:
    rule = PriorityRule()
    assert rule.key(5, 9.0, 2, 10.0) < rule.key(4, 1.0, 1, 10.0)
    assert rule.key(5, 1.0, 2, 10.0) < rule.key(5, 2.0, 1, 10.0)
    assert rule.key(5, 1.0, 1, 10.0) < rule.key(5, 1.0, 2, 10.0)


_rule = st.builds(
    PriorityRule,
    st.integers(0, 1000),
    st.sampled_from([0.0, 1.0, 60.0]),
    st.sampled_from([0.0, 100.0]),
    st.sampled_from([10.0, 60.0, 600.0]),
)


@given(_rule, _rule, st.integers(0, 1000), st.integers(0, 1000), st.floats(0, 1000), st.floats(0, 1000))
def test_once_overdue_only_earlier_calls_go_first(
    rule: PriorityRule, other: PriorityRule, extra: int, other_extra: int, entered_at: float, other_entered_at: float
) -> None:
    """The lemma that the bound stands on, for any two queues and priorities."""
    now = rule.overdue_at(entered_at)
    if other.key(other_extra, other_entered_at, 2, now) < rule.key(extra, entered_at, 1, now):
        assert other_entered_at <= entered_at


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_bound_holds_whatever_important_calls_arrive(seed: int) -> None:
    """A flood of VIP calls, more than all agents can take; and calls of no importance before and among them.

    The bound: a call waits at most its limit plus the time that the agents need for the overdue calls that entered
    earlier, and until one of them is free: with n earlier calls in all (each at most h seconds) and c agents,
    limit + (n + 1) h / c + h. Without the limit they would wait until the flood is over.
    """
    limit_s, handle_s, agents = 60.0, 10.0, 3
    chance = Random(seed)
    site = RoutingSpec(
        {
            "vip": QueueSpec("vip", priority=PriorityRule(base=1000, starvation_limit_s=1e9)),
            "plain": QueueSpec("plain", priority=PriorityRule(starvation_limit_s=limit_s)),
        },
        {f"a{n}": AgentSpec(f"a{n}", queues={"vip": 0, "plain": 0}) for n in range(agents)},
    )
    flood = poisson_calls([Stream("vip", 3600.0 * 0.5, Constant(handle_s))], seed, until_s=1200.0)
    plain = [PlannedCall(chance.uniform(0.0, 1200.0), "plain", handle_s) for _ in range(30)]
    calls = sorted([*flood, *plain], key=lambda call: call.at)
    results = Simulation(Scenario(site, calls, seed)).run()
    figures = results.queues["plain"]
    assert figures.answered == 30
    assert results.queues["vip"].max_wait_s > 150.0, "there is no flood"
    assert limit_s < figures.max_wait_s <= limit_s + 31 * handle_s / agents + handle_s


def test_without_a_limit_a_flood_starves() -> None:
    """The counter-check: the same with a limit that is never reached waits for the end of the flood."""
    site = RoutingSpec(
        {
            "vip": QueueSpec("vip", priority=PriorityRule(base=1000)),
            "plain": QueueSpec("plain", priority=PriorityRule(starvation_limit_s=1e9)),
        },
        {f"a{n}": AgentSpec(f"a{n}", queues={"vip": 0, "plain": 0}) for n in range(3)},
    )
    flood = poisson_calls([Stream("vip", 3600.0 * 0.5, Exponential(10.0))], 1, until_s=1200.0)
    calls = sorted([*flood, PlannedCall(60.0, "plain", 10.0)], key=lambda call: call.at)
    assert Simulation(Scenario(site, calls, 1)).run().queues["plain"].max_wait_s > 1000.0

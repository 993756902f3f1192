"""Waiting lines against the definition of the total order in ``routing.priority``."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.priority import PriorityRule
from routing.waiting import WaitingLine


@dataclass(eq=False)
class FakeCall:
    sequence: int
    entered_at: float
    extra_priority: int = 0


# Rates in points per second that are exact in binary: the definition and the lists then agree to the last bit.
_rules = st.builds(
    PriorityRule,
    base=st.integers(0, 50),
    points_per_minute=st.sampled_from([0.0, 15.0, 60.0, 120.0]),
    ageing_cap=st.sampled_from([0.0, 5.0, 30.0]),
    starvation_limit_s=st.sampled_from([10.0, 60.0, 1e9]),
)
_steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "remove", "put back", "wait"]),
        st.integers(0, 200),
        st.integers(0, 30),
        st.sampled_from([0.0, 0.0, 5.0, 100.0]),
    ),
    max_size=120,
)


def _order(rule: PriorityRule, calls: list[FakeCall], now: float) -> list[FakeCall]:
    return sorted(calls, key=lambda call: rule.key(call.extra_priority, call.entered_at, call.sequence, now))


@given(_rules, _steps)
def test_a_line_is_in_the_defined_order_at_every_moment(
    rule: PriorityRule, steps: list[tuple[str, int, int, float]]
) -> None:
    line: WaitingLine[FakeCall] = WaitingLine(rule)
    here: list[FakeCall] = []
    away: list[FakeCall] = []
    now, sequence = 0.0, 0
    for what, number, priority, waited_s in steps:
        if what == "add":
            sequence += 1
            call = FakeCall(sequence, now - waited_s, priority)
            line.add(call, now)
            here.append(call)
        elif what == "remove" and here:
            call = here.pop(number % len(here))
            line.remove(call)
            away.append(call)
        elif what == "put back" and away:
            call = away.pop(number % len(away))
            line.add(call, now)
            here.append(call)
        else:
            now += number / 8.0
        expected = _order(rule, here, now)
        head = line.head(now)
        assert line.size == len(here)
        assert (None if head is None else head[1]) is (expected[0] if expected else None)
        if head is not None:
            assert head[0] == rule.key(head[1].extra_priority, head[1].entered_at, head[1].sequence, now)
        for place, call in enumerate(expected):
            key = rule.key(call.extra_priority, call.entered_at, call.sequence, now)
            assert line.ahead_of(key, now) == place
        assert line.ordered(now) == expected


@given(
    st.floats(0.01, 500.0),
    st.floats(0.0, 50.0),
    st.lists(st.tuples(st.floats(0.0, 100.0), st.integers(0, 9)), min_size=1, max_size=30),
    st.floats(0.0, 1000.0),
)
def test_a_call_is_never_ahead_of_itself(
    per_minute: float, cap: float, entries: list[tuple[float, int]], later: float
) -> None:
    """Whatever the rate: points worked out in two ways may differ in the last bits, a place may not."""
    rule = PriorityRule(7, per_minute, cap, 1e9)
    line: WaitingLine[FakeCall] = WaitingLine(rule)
    calls = [FakeCall(number, at, priority) for number, (at, priority) in enumerate(sorted(entries))]
    for call in calls:
        line.add(call, call.entered_at)
    now = 100.0 + later
    places = sorted(
        line.ahead_of(rule.key(call.extra_priority, call.entered_at, call.sequence, now), now) for call in calls
    )
    assert places[0] == 0
    assert all(place < len(calls) for place in places)


def test_ahead_counts_calls_of_another_line_by_the_same_order() -> None:
    general: WaitingLine[FakeCall] = WaitingLine(PriorityRule(0, 60.0, 20.0, 1800.0))
    for sequence, at in enumerate([0.0, 5.0, 12.0]):
        general.add(FakeCall(sequence, at), at)
    cards = PriorityRule(10)
    # At 16 s the calls have 16, 11 and 4 points; one of cards has 10.
    assert general.ahead_of(cards.key(0, 15.0, 9, 16.0), 16.0) == 2
    # At 60 s all are capped at 20.
    assert general.ahead_of(cards.key(0, 15.0, 9, 60.0), 60.0) == 3
    assert general.ahead_of(cards.key(11, 15.0, 9, 60.0), 60.0) == 0


def test_removing_a_call_that_is_not_there() -> None:
    line: WaitingLine[FakeCall] = WaitingLine(PriorityRule())
    with pytest.raises(KeyError):
        line.remove(FakeCall(1, 0.0))


def test_calls_that_come_and_go_leave_nothing_behind() -> None:
    line: WaitingLine[FakeCall] = WaitingLine(PriorityRule(0, 60.0, 20.0, 1800.0))
    for number in range(10_000):
        call = FakeCall(number, float(number))
        line.add(call, float(number))
        line.remove(call)
    assert len(line._moments) <= 33
    assert not line._entries
    assert line.head(1e6) is None

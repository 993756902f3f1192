"""Deadlines: earliest first, of equal ones the one set first, cancelled ones never."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acd.core.timers import Timer, Timers


def _nothing(subject: object, now: float) -> None:
    """What a deadline of these tests does."""


def _due(timers: Timers, now: float) -> list[object]:
    found = []
    while (timer := timers.pop_due(now)) is not None:
        found.append(timer.subject)
    return found


def test_earliest_first_then_first_set() -> None:
    timers = Timers()
    for name, at in (("late", 9.0), ("one", 5.0), ("other", 5.0), ("early", 1.0)):
        timers.set(at, _nothing, name)
    assert timers.next_at() == 1.0
    assert _due(timers, 5.0) == ["early", "one", "other"]
    assert timers.next_at() == 9.0
    assert len(timers) == 1


def test_a_cancelled_deadline_passes() -> None:
    timers = Timers()
    first, second = timers.set(1.0, _nothing, "first"), timers.set(2.0, _nothing, "second")
    timers.cancel(first)
    timers.cancel(first)
    timers.cancel(None)
    assert len(timers) == 1
    assert timers.next_at() == 2.0
    assert _due(timers, 10.0) == ["second"]
    timers.cancel(second)
    assert len(timers) == 0
    assert timers.next_at() is None


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=300))
def test_against_a_sorted_list(changes: list[tuple[int, bool]]) -> None:
    timers, number, now = Timers(), 0, 0.0
    live: dict[int, float] = {}
    kept: list[tuple[float, int, Timer]] = []
    for step, cancels in changes:
        if cancels and kept:
            _, key, timer = kept.pop(step % len(kept))
            timers.cancel(timer)
            live.pop(key)
        else:
            number += 1
            kept.append((now + step, number, timers.set(now + step, _nothing, number)))
            live[number] = now + step
        if step == 7:
            now += 3.0
            expected = sorted((at, key) for key, at in live.items() if at <= now)
            assert _due(timers, now) == [key for _, key in expected]
            kept = [entry for entry in kept if entry[0] > now]
            live = {key: at for key, at in live.items() if at > now}
        assert len(timers) == len(live)
        assert timers.next_at() == min(live.values(), default=None)


def test_cancelled_deadlines_are_swept() -> None:
    timers = Timers()
    for number in range(10_000):
        timers.cancel(timers.set(1e9, _nothing, number))
    assert len(timers._heap) < 200


def test_a_cancelled_deadline_lets_go_of_what_it_was_for() -> None:
    """It may lie in the heap for long, and what it was for may be large."""
    timers = Timers()
    timer = timers.set(1e9, _nothing, "a call")
    timers.cancel(timer)
    assert timer.subject is None

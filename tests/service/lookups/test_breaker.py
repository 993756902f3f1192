"""The circuit breaker, step by step."""

from __future__ import annotations

from acd.service.lookups.breaker import Breaker, BreakerRule, BreakerState


def test_failures_in_a_row_open_it_and_an_answer_starts_the_count_anew() -> None:
    breaker = Breaker(BreakerRule(failures=2, open_s=10.0))
    for _ in range(3):
        assert breaker.admit(0.0)
        breaker.failed(0.0)
        assert breaker.admit(0.0)
        breaker.answered()
    breaker.failed(1.0)
    breaker.failed(2.0)
    assert breaker.state(11.9) is BreakerState.OPEN
    assert not breaker.admit(11.9)
    assert breaker.state(12.0) is BreakerState.HALF_OPEN


def test_one_probe_at_a_time_decides() -> None:
    breaker = Breaker(BreakerRule(failures=1, open_s=10.0))
    breaker.failed(0.0)
    assert [breaker.admit(10.0) for _ in range(3)] == [True, False, False]
    breaker.abandoned()
    assert [breaker.admit(11.0) for _ in range(2)] == [True, False]
    breaker.failed(12.0)
    assert breaker.state(21.0) is BreakerState.OPEN
    assert breaker.admit(22.0)
    breaker.answered()
    assert breaker.state(22.0) is BreakerState.CLOSED
    assert breaker.admit(22.0)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import percentile, summary


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.01, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.95, 10), (0.99, 10), (1.0, 10)]
)
def test_percentile_is_the_nearest_rank(share: float, expected: int) -> None:
    assert percentile(list(range(1, 11)), share) == expected


def test_p99_of_a_hundred_leaves_one_above() -> None:
    assert percentile(list(range(1, 101)), 0.99) == 99


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_percentile_is_a_measured_value_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
    with pytest.raises(ValueError, match="no values"):
        summary([])


def test_summary_takes_values_in_any_order() -> None:
    assert summary([3.0, 1.0, 2.0, 10.0]) == {"mean": 4.0, "p50": 2.0, "p95": 10.0, "p99": 10.0, "max": 10.0, "n": 4}


def test_summary_rounds() -> None:
    assert summary([1.23456], digits=2)["mean"] == 1.23

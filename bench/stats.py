"""Summaries of measured times, the same for every benchmark here."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TypedDict

__all__ = ["Summary", "percentile", "summary"]


class Summary(TypedDict):
    """A distribution in short; the unit is that of the values."""

    mean: float
    p50: float
    p95: float
    p99: float
    max: float
    n: int


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest of the ascending values that at least ``share`` (0 to 1) of them do not exceed.

    This is the nearest-rank definition: always a value that was really measured. Raises ValueError for no values.
    """
    if not ordered:
        raise ValueError("no values to take a percentile of")
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def summary(values: Sequence[float], digits: int = 3) -> Summary:
    """Summarise the values (in any order), rounded to ``digits``. Raises ValueError for no values."""
    ordered = sorted(values)
    return Summary(
        mean=round(sum(ordered) / len(ordered), digits) if ordered else 0.0,
        p50=round(percentile(ordered, 0.50), digits),
        p95=round(percentile(ordered, 0.95), digits),
        p99=round(percentile(ordered, 0.99), digits),
        max=round(ordered[-1], digits),
        n=len(ordered),
    )

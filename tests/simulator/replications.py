"""Independent replications of a simulation, and the confidence interval of what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from scipy.stats import t as student

from acd.simulator import PLAIN_QUEUE, PlainModel, QueueFigures, Simulation, plain_scenario


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over replications with its 99 % confidence interval (Student, one degree less than replications)."""

    mean: float
    half_width: float

    def holds(self, value: float) -> bool:
        return abs(value - self.mean) <= self.half_width

    def __str__(self) -> str:
        return f"{self.mean:.5g} ± {self.half_width:.2g}"


def interval(values: Sequence[float]) -> Interval:
    count = len(values)
    return Interval(fmean(values), float(student.ppf(0.995, count - 1)) * stdev(values) / sqrt(count))


def replicate(model: PlainModel, replications: int, first_seed: int) -> Callable[[str], Interval]:
    """Run the model so often, each time with the next seed; return what gives the interval of a figure by name."""
    runs: list[QueueFigures] = [
        Simulation(plain_scenario(model, first_seed + number)).run().queues[PLAIN_QUEUE]
        for number in range(replications)
    ]

    def of(figure: str) -> Interval:
        return interval([getattr(run, figure) for run in runs])

    return of

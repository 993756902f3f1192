"""Random durations of the simulated world: handling times, patience, delays. All in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from random import Random
from typing import Protocol

__all__ = ["Constant", "Distribution", "Empirical", "Exponential", "LogNormal"]


class Distribution(Protocol):
    """A random duration of at least 0."""

    def draw(self, rng: Random) -> float:
        """Return the next duration (seconds)."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    seconds: float

    def __post_init__(self) -> None:
        if self.seconds < 0:
            raise ValueError(f"a duration of {self.seconds} s is below 0")

    def draw(self, rng: Random) -> float:  # noqa: ARG002
        """Return the duration."""
        return self.seconds


@dataclass(frozen=True, slots=True)
class Exponential:
    """Memoryless: the handling and patience times of Erlang's models."""

    mean_s: float

    def __post_init__(self) -> None:
        if self.mean_s <= 0:
            raise ValueError(f"a mean of {self.mean_s} s is not above 0")

    def draw(self, rng: Random) -> float:
        """Return the next duration."""
        return -self.mean_s * log(1.0 - rng.random())


@dataclass(frozen=True, slots=True)
class LogNormal:
    """The usual shape of measured handling times.

    Brown et al., *Statistical Analysis of a Telephone Call Center* (2005), section 4.2. Given by mean and standard
    deviation of the duration itself, not of its logarithm.
    """

    mean_s: float
    sd_s: float

    def __post_init__(self) -> None:
        if self.mean_s <= 0 or self.sd_s <= 0:
            raise ValueError(f"mean {self.mean_s} s and standard deviation {self.sd_s} s must be above 0")

    def draw(self, rng: Random) -> float:
        """Return the next duration."""
        variance = log(1.0 + (self.sd_s / self.mean_s) ** 2)
        return rng.lognormvariate(log(self.mean_s) - variance / 2.0, sqrt(variance))


@dataclass(frozen=True, slots=True)
class Empirical:
    """Durations as they were measured: each of ``values`` with the same chance."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values or min(self.values) < 0:
            raise ValueError("measured durations must be given, none below 0")

    def draw(self, rng: Random) -> float:
        """Return one of the durations."""
        return self.values[int(rng.random() * len(self.values))]

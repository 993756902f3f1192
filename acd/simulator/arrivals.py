"""Calls to come: generated from rates, or as they were recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice, pairwise
from math import inf, log
from random import Random

from acd.simulator.distributions import Distribution

__all__ = ["PlannedCall", "Stream", "poisson_calls"]


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call of the future. ``at``: when it enters its queue (seconds from the start of the simulation).

    ``handle_s``: how long agent and caller will talk. ``patience_s``: the caller hangs up when not connected after so
    long. The rest is what the menus would have found out: see ``acd.core.events.CallQueued``.
    """

    at: float
    queue: str
    handle_s: float
    patience_s: float = inf
    skills: tuple[tuple[str, int], ...] = ()
    priority: int = 0
    customer: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """Calls of one kind that arrive independently of each other (a Poisson process).

    ``rate_per_hour``: one number, or a profile of pairs (from second, rate) that begins at 0 and holds each rate until
    the next pair. ``patience`` None: these callers never hang up.
    """

    queue: str
    rate_per_hour: float | Sequence[tuple[float, float]]
    handle: Distribution
    patience: Distribution | None = None
    skills: tuple[tuple[str, int], ...] = ()
    priority: int = 0

    def profile(self) -> tuple[tuple[float, float], ...]:
        """Return the rates as pairs (from second, calls per hour). Raises ValueError when they make no sense."""
        rate = self.rate_per_hour
        profile = ((0.0, float(rate)),) if isinstance(rate, int | float) else tuple(rate)
        if not profile or profile[0][0] != 0.0 or any(before[0] >= after[0] for before, after in pairwise(profile)):
            raise ValueError(f"the profile of {self.queue} must begin at 0 and go forward in time: {profile}")
        if any(rate < 0 for _, rate in profile):
            raise ValueError(f"the profile of {self.queue} has a rate below 0: {profile}")
        return profile


def poisson_calls(
    streams: Sequence[Stream], seed: int, *, count: int | None = None, until_s: float = inf
) -> Iterator[PlannedCall]:
    """Generate the calls of all streams in order of time: the first ``count``, or those before ``until_s``.

    Each stream draws from a generator of its own, made from ``seed`` and the stream's place: the same calls come
    whatever the staff, so that two staffings are compared on the same traffic. Raises ValueError for bad profiles.
    """
    sources = [
        _stream_calls(stream, Random(f"{seed}/stream {number}"))  # noqa: S311 - a simulation, nothing to be kept secret
        for number, stream in enumerate(streams)
    ]
    calls = sources[0] if len(sources) == 1 else merge(*sources, key=lambda call: call.at)
    for call in islice(calls, count):
        if call.at >= until_s:
            return
        yield call


def _stream_calls(stream: Stream, rng: Random) -> Iterator[PlannedCall]:
    handle, patience = stream.handle, stream.patience
    queue, skills, priority = stream.queue, stream.skills, stream.priority
    for at in _moments(stream.profile(), rng):
        yield PlannedCall(
            at, queue, handle.draw(rng), inf if patience is None else patience.draw(rng), skills, priority
        )


def _moments(profile: tuple[tuple[float, float], ...], rng: Random) -> Iterator[float]:
    """Moments of a Poisson process whose rate is constant piece by piece (a fresh start at each piece is exact)."""
    for number, (begin, per_hour) in enumerate(profile):
        end = profile[number + 1][0] if number + 1 < len(profile) else inf
        if per_hour <= 0:
            continue
        gap_s = 3600.0 / per_hour
        at = begin
        while True:
            at -= gap_s * log(1.0 - rng.random())
            if at >= end:
                break
            yield at

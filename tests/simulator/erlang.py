"""Erlang's formulas, written for the tests from their textbook forms; nothing of the product in here.

All durations in seconds. Load is arrivals per second times mean handling time, in erlangs.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from scipy.special import betainc


@dataclass(frozen=True, slots=True)
class Expected:
    """What theory says. ``asa_s``: mean wait of those who are answered. ``abandoned``: share of callers."""

    p_wait: float
    asa_s: float
    service_level: float
    abandoned: float = 0.0
    mean_wait_s: float = 0.0
    occupancy: float = 0.0


def erlang_b(load: float, agents: int) -> float:
    """Blocking of M/M/c/c, by the recursion B(0) = 1, B(n) = load B(n-1) / (n + load B(n-1))."""
    blocking = 1.0
    for n in range(1, agents + 1):
        blocking = load * blocking / (n + load * blocking)
    return blocking


def erlang_c(load: float, agents: int, aht_s: float, threshold_s: float) -> Expected:
    """M/M/c: C = B / (1 - (load/c)(1 - B)), W = C h / (c - load), P(W <= t) = 1 - C exp(-(c - load) t / h)."""
    if load >= agents:
        raise ValueError(f"no steady state with {load} erlangs and {agents} agents")
    blocking = erlang_b(load, agents)
    waits = blocking / (1.0 - load / agents * (1.0 - blocking))
    mean_s = waits * aht_s / (agents - load)
    in_time = 1.0 - waits * exp(-(agents - load) * threshold_s / aht_s)
    return Expected(waits, mean_s, in_time, mean_wait_s=mean_s, occupancy=load / agents)


def erlang_a(load: float, agents: int, aht_s: float, patience_s: float, threshold_s: float) -> Expected:
    """M/M/c+M (Palm's model), from its birth-and-death equations.

    With n in the system, n is left at rate min(n, c)/h + max(n - c, 0)/patience. A caller who finds j waiting is
    answered with probability c/h / (c/h + (j + 1)/patience), after a sum of exponential times of the rates
    c/h + i/patience, i = 1 .. j + 1, and exp(-that sum / patience) has the Beta(c patience/h + 1, j + 1) distribution.
    """
    arrivals, leaving = load / aht_s, 1.0 / patience_s
    service = agents / aht_s
    # Probabilities relative to the one of "all agents busy, nobody waits", downwards and upwards.
    below, share = [], 1.0
    for n in range(agents, 0, -1):
        share *= n / load
        below.append(share)
    queue, share = [1.0], 1.0
    while share > 1e-15 * queue[0] or len(queue) < 10:
        share *= arrivals / (service + len(queue) * leaving)
        queue.append(share)
    total = sum(below) + sum(queue)
    chances = [share / total for share in queue]
    waiting = sum(j * chance for j, chance in enumerate(chances))
    ratio = service / leaving
    answered_waiting = asa = in_time = elapsed = 0.0
    for j, chance in enumerate(chances):
        elapsed += 1.0 / (service + (j + 1) * leaving)
        answered = chance * service / (service + (j + 1) * leaving)
        answered_waiting += answered
        asa += answered * elapsed
        in_time += answered * (1.0 - betainc(ratio + 1.0, j + 1.0, exp(-leaving * threshold_s)))
    at_once = sum(below) / total
    answered_share = at_once + answered_waiting
    return Expected(
        p_wait=sum(chances),
        asa_s=asa / answered_share,
        service_level=at_once + in_time,
        abandoned=leaving * waiting / arrivals,
        mean_wait_s=waiting / arrivals,
        occupancy=load * answered_share / agents,
    )


def finite_queue(load: float, agents: int, lines: int, aht_s: float) -> tuple[float, float]:
    """M/M/c/K with K lines: (share of callers blocked, mean wait of those who enter)."""
    shares = [1.0]
    for n in range(1, lines + 1):
        shares.append(shares[-1] * load / min(n, agents))
    total = sum(shares)
    blocked = shares[-1] / total
    waiting = sum((n - agents) * share for n, share in enumerate(shares) if n > agents) / total
    return blocked, waiting * aht_s / (load * (1.0 - blocked))

"""The formulas that the theory tests stand on, against published figures and against another implementation.

Sources of the published figures:

- *The Erlang-C Formula*, the worked example of 360 calls per half hour of 4 minutes on 55 agents, answered within 15 s
  (Mitan Ltd, online; again in the Maxima notebook "Expected Waiting Time Formulas"): 0.2387, 8.184 s, 0.8459.
- Garnett, Mandelbaum, Reiman: *Designing a Call Center with Impatient Customers*, M&SOM 4(3), 2002, table 1: 50 agents,
  48 calls a minute of 1 minute. M/M/N: mean wait 20.8 s, utilisation 96 %. M/M/N+M with 2 minutes of patience: 3.1 %
  abandon, mean wait 3.7 s, utilisation 93 %.
"""

from __future__ import annotations

from math import exp

import pytest
from scipy.integrate import quad
from scipy.stats import poisson

from tests.simulator.erlang import erlang_a, erlang_b, erlang_c, finite_queue

PAIRS = [(0.5, 1), (1.5, 2), (8.0, 10), (48.0, 55), (185.0, 200), (480.0, 500)]


def test_erlang_c_meets_the_worked_example() -> None:
    expected = erlang_c(48, 55, 240, 15)
    assert expected.p_wait == pytest.approx(0.2387, abs=5e-5)
    assert expected.asa_s == pytest.approx(8.184, abs=5e-4)
    assert expected.service_level == pytest.approx(0.8459, abs=5e-5)


def test_erlang_c_and_a_meet_the_table_of_garnett_mandelbaum_reiman() -> None:
    without = erlang_c(48, 50, 60, 20)
    assert without.mean_wait_s == pytest.approx(20.8, abs=0.05)
    assert without.occupancy == pytest.approx(0.96, abs=0.005)
    impatient = erlang_a(48, 50, 60, 120, 20)
    assert impatient.abandoned == pytest.approx(0.031, abs=0.0005)
    assert impatient.mean_wait_s == pytest.approx(3.7, abs=0.05)
    assert impatient.occupancy == pytest.approx(0.93, abs=0.005)


@pytest.mark.parametrize(("load", "agents"), PAIRS)
def test_erlang_b_is_the_truncated_poisson_distribution(load: float, agents: int) -> None:
    assert erlang_b(load, agents) == pytest.approx(poisson.pmf(agents, load) / poisson.cdf(agents, load), rel=1e-9)


@pytest.mark.parametrize(("load", "agents"), PAIRS)
def test_erlang_a_with_endless_patience_is_erlang_c(load: float, agents: int) -> None:
    impatient, patient = erlang_a(load, agents, 180, 1e9, 20), erlang_c(load, agents, 180, 20)
    assert impatient.p_wait == pytest.approx(patient.p_wait, rel=1e-3)
    assert impatient.asa_s == pytest.approx(patient.asa_s, rel=1e-3)
    assert impatient.service_level == pytest.approx(patient.service_level, rel=1e-3)


@pytest.mark.parametrize(("load", "agents", "patience_s"), [(8.0, 10, 90.0), (48.0, 50, 120.0), (110.0, 100, 60.0)])
def test_erlang_a_meets_the_integral_form_of_baccelli_and_hebuterne(
    load: float, agents: int, patience_s: float
) -> None:
    """M/M/c+G (1981), with J = int exp(lambda int_0^x P(patience > u) du - c mu x) dx for exponential patience."""
    aht_s = 180.0
    arrivals, service = load / aht_s, agents / aht_s

    def density(x: float) -> float:
        return exp(arrivals * patience_s * (1.0 - exp(-x / patience_s)) - service * x)

    integral = quad(density, 0.0, 60.0 * patience_s, limit=500)[0]
    below = sum(poisson.pmf(n, load) for n in range(agents)) / poisson.pmf(agents - 1, load)
    p_wait = arrivals * integral / (below + arrivals * integral)
    assert erlang_a(load, agents, aht_s, patience_s, 20).p_wait == pytest.approx(p_wait, rel=1e-6)


def test_a_queue_with_ever_so_many_lines_is_erlang_c() -> None:
    blocked, wait_s = finite_queue(8.0, 10, 400, 180)
    assert blocked < 1e-9
    assert wait_s == pytest.approx(erlang_c(8.0, 10, 180, 20).mean_wait_s, rel=1e-6)


def test_a_queue_without_waiting_places_is_erlang_b() -> None:
    blocked, wait_s = finite_queue(8.0, 10, 10, 180)
    assert blocked == pytest.approx(erlang_b(8.0, 10))
    assert wait_s == 0.0

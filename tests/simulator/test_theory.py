"""The engine in virtual time against queueing theory: M/M/c (Erlang C), M/M/c+M (Erlang A), pooled skills.

Every figure of every case must lie within the simulation's own 99 % confidence interval, over ten independent
replications with fixed seeds, and no interval may be so wide that it means nothing. What theory expects comes from
``tests.simulator.erlang``, which ``test_erlang`` holds against published figures; it is written out here, too, so that
the pairs, the expected values and the sources stand in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from acd.core.specs import AgentSpec, QueueSpec, RoutingSpec
from acd.simulator import (
    Exponential,
    PlainModel,
    Results,
    Scenario,
    Simulation,
    Stream,
    poisson_calls,
)
from routing.skills import Requirement
from tests.simulator.erlang import Expected, erlang_a, erlang_c, finite_queue
from tests.simulator.replications import Interval, interval, replicate

_REPLICATIONS = 10


@dataclass(frozen=True, slots=True)
class Case:
    """Load in erlangs on so many agents, and what theory says of it."""

    load: float
    agents: int
    aht_s: float
    threshold_s: float
    p_wait: float
    asa_s: float
    service_level: float
    calls: int = 5_000
    patience_s: float | None = None
    abandoned: float = 0.0

    def __str__(self) -> str:
        patience = "" if self.patience_s is None else f"-patience-{self.patience_s:g}"
        return f"{self.load:g}-on-{self.agents}{patience}"

    @property
    def first_seed(self) -> int:
        """Other seeds for each case: the same would be the same luck for all of them."""
        return 1000 * self.agents + round(self.load)

    @property
    def model(self) -> PlainModel:
        warm_up = 500 + 5 * self.agents
        return PlainModel(
            self.load * 3600.0 / self.aht_s,
            self.aht_s,
            self.patience_s,
            self.agents,
            self.calls,
            warm_up,
            self.threshold_s,
        )


# Erlang C. Of 48 on 55 (240 s, 15 s) and 48 on 50 (60 s) the figures are published: see test_erlang.
ERLANG_C = [
    Case(0.5, 1, 180, 20, 0.50000, 180.000, 0.52702),
    Case(0.8, 1, 180, 60, 0.80000, 720.000, 0.25159),
    Case(1.5, 2, 120, 20, 0.64286, 154.286, 0.40854),
    Case(4, 5, 240, 30, 0.55411, 132.987, 0.51100),
    Case(8, 10, 180, 20, 0.40918, 36.8262, 0.67235),
    Case(15, 18, 180, 20, 0.36133, 21.6801, 0.74109),
    Case(25, 30, 210, 20, 0.24989, 10.4955, 0.84478),
    Case(48, 55, 240, 15, 0.23870, 8.18403, 0.84588),
    Case(48, 50, 60, 20, 0.69446, 20.8337, 0.64345, calls=9_000),
    Case(66, 75, 240, 20, 0.20007, 5.33514, 0.90549, calls=9_000),
    Case(90, 100, 300, 20, 0.21694, 6.50821, 0.88862, calls=9_000),
    Case(185, 200, 200, 10, 0.19535, 2.60461, 0.90773, calls=9_000),
    Case(280, 300, 180, 10, 0.16381, 1.47433, 0.94607, calls=12_000),
    Case(480, 500, 240, 10, 0.26651, 3.19815, 0.88417, calls=16_000),
]
# Erlang A. Of 48 on 50 (60 s, patience 120 s) the figures are published: see test_erlang.
ERLANG_A = [
    Case(8, 10, 180, 20, 0.29791, 10.1858, 0.79416, patience_s=240, abandoned=0.04708),
    Case(48, 50, 60, 20, 0.46777, 3.61590, 0.94302, patience_s=120, abandoned=0.03091),
    Case(48, 48, 240, 20, 0.43713, 7.55469, 0.78767, patience_s=120, abandoned=0.06729),
    Case(110, 100, 180, 20, 0.84172, 18.1349, 0.52699, patience_s=180, abandoned=0.09919),
    Case(220, 200, 120, 20, 0.81994, 5.87184, 0.89527, patience_s=60, abandoned=0.09663),
]


def _assert_meets(case: Case, expected: Expected) -> None:
    figure = replicate(case.model, _REPLICATIONS, case.first_seed)
    assert figure("occupancy").mean == pytest.approx(expected.occupancy, rel=0.02)
    abandoned, offered = figure("abandoned"), figure("offered")
    found = {
        "p_wait": (figure("p_wait"), expected.p_wait),
        "asa_s": (figure("asa_s"), expected.asa_s),
        "service_level": (figure("service_level"), expected.service_level),
        "abandoned": (
            Interval(abandoned.mean / offered.mean, abandoned.half_width / offered.mean),
            expected.abandoned,
        ),
    }
    for name, (measured, theory) in found.items():
        print(f"{case} {name}: {measured}, theory {theory:.5g}")
        assert measured.holds(theory), f"{name} is {measured}, theory says {theory}"
        assert name == "asa_s" or measured.half_width < 0.2, f"{name} is too vague to mean anything: {measured}"


def _assert_as_written(case: Case, expected: Expected) -> None:
    assert expected.p_wait == pytest.approx(case.p_wait, abs=6e-6)
    assert expected.asa_s == pytest.approx(case.asa_s, rel=6e-6)
    assert expected.service_level == pytest.approx(case.service_level, abs=6e-6)
    assert expected.abandoned == pytest.approx(case.abandoned, abs=6e-6)


def _erlang_c(case: Case) -> Expected:
    return erlang_c(case.load, case.agents, case.aht_s, case.threshold_s)


def _erlang_a(case: Case) -> Expected:
    assert case.patience_s is not None
    return erlang_a(case.load, case.agents, case.aht_s, case.patience_s, case.threshold_s)


@pytest.mark.parametrize("case", ERLANG_C, ids=str)
def test_what_erlang_c_says_is_as_written(case: Case) -> None:
    _assert_as_written(case, _erlang_c(case))


@pytest.mark.parametrize("case", ERLANG_A, ids=str)
def test_what_erlang_a_says_is_as_written(case: Case) -> None:
    _assert_as_written(case, _erlang_a(case))


@pytest.mark.parametrize("case", [ERLANG_C[2]], ids=str)
def test_longest_idle_meets_erlang_c(case: Case) -> None:
    _assert_meets(case, _erlang_c(case))


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in ERLANG_C if case is not ERLANG_C[2]], ids=str)
def test_longest_idle_meets_erlang_c_from_1_to_500_agents(case: Case) -> None:
    _assert_meets(case, _erlang_c(case))


@pytest.mark.parametrize("case", ERLANG_A[:1], ids=str)
def test_exponential_patience_meets_erlang_a(case: Case) -> None:
    _assert_meets(case, _erlang_a(case))


@pytest.mark.slow
@pytest.mark.parametrize("case", ERLANG_A[1:], ids=str)
def test_exponential_patience_meets_erlang_a_up_to_overload(case: Case) -> None:
    _assert_meets(case, _erlang_a(case))


@pytest.mark.slow
def test_a_wrong_theory_is_refused() -> None:
    """The counter-check: with one agent more or less, theory lies outside of the same intervals."""
    case = ERLANG_C[5]
    figure = replicate(case.model, _REPLICATIONS, case.first_seed)
    for agents in (case.agents - 1, case.agents + 1):
        expected = erlang_c(case.load, agents, case.aht_s, case.threshold_s)
        assert not figure("p_wait").holds(expected.p_wait)
        assert not figure("service_level").holds(expected.service_level)


# Wallace and Whitt: A Staffing Algorithm for Call Centers with Skill-Based Routing, M&SOM 7(4), 2005, section 4. Their
# balanced set-up: six call types alike, 84 erlangs in all of calls of 10 minutes, 90 agents alike, 30 waiting places;
# each agent has one primary skill and further ones evenly. Their finding: two skills are almost as good as all six.

_TYPES = 6
_AGENTS = 90
_LINES = 120
_LOAD = 84.0
_TALK_S = 600.0


def _balanced(skills: int, seed: int, calls: int) -> Scenario:
    """Agents with so many skills each; calls go to primary agents first, then to who has been idle longest."""
    queues = {
        f"type-{kind}": QueueSpec(
            f"type-{kind}", strategy="most-proficient", requirement=Requirement.of({f"skill-{kind}": 1})
        )
        for kind in range(_TYPES)
    }
    agents = {}
    for number in range(_AGENTS):
        primary, turn = number % _TYPES, number // _TYPES
        others = [(primary + 1 + (turn + step) % (_TYPES - 1)) % _TYPES for step in range(skills - 1)]
        kinds = [primary, *others]
        agents[f"agent-{number}"] = AgentSpec(
            f"agent-{number}",
            queues={f"type-{kind}": 0 for kind in kinds},
            skills={f"skill-{kind}": 10 if kind == primary else 5 for kind in kinds},
        )
    per_hour = _LOAD / _TALK_S * 3600.0 / _TYPES
    streams = [Stream(f"type-{kind}", per_hour, Exponential(_TALK_S)) for kind in range(_TYPES)]
    return Scenario(
        RoutingSpec(queues, agents),
        poisson_calls(streams, seed, count=calls + 4_000),
        seed,
        lines=_LINES,
        warm_up_calls=4_000,
        measured_calls=calls,
    )


def _blocked_and_wait(results: Results) -> tuple[float, float]:
    """Share of callers who found no line, and mean wait of the others (seconds)."""
    queues = results.queues.values()
    offered = sum(queue.offered for queue in queues)
    blocked = sum(queue.blocked for queue in queues)
    waited_s = sum((queue.mean_wait_s or 0.0) * queue.offered for queue in queues)
    return blocked / (offered + blocked), waited_s / offered


def _by_skills(calls: int, replications: int) -> dict[int, tuple[Interval, Interval]]:
    """Number of skills to (blocked, mean wait), on the same calls."""
    found = {}
    for skills in (1, 2, _TYPES):
        runs = [_blocked_and_wait(Simulation(_balanced(skills, seed, calls)).run()) for seed in range(replications)]
        found[skills] = interval([blocked for blocked, _ in runs]), interval([wait_s for _, wait_s in runs])
        print(f"{skills} skills: blocked {found[skills][0]}, mean wait {found[skills][1]} s")
    return found


@pytest.mark.slow
def test_two_skills_are_nearly_as_good_as_all_six() -> None:
    found = _by_skills(calls=20_000, replications=4)
    # With all skills it is M/M/90/120, of which theory says: 0.36 % blocked, 27.0 s of mean wait.
    blocked, wait_s = finite_queue(_LOAD, _AGENTS, _LINES, _TALK_S)
    assert blocked == pytest.approx(0.003643, abs=1e-6)
    assert wait_s == pytest.approx(27.0014, abs=1e-4)
    assert found[_TYPES][0].holds(blocked)
    assert found[_TYPES][1].holds(wait_s)
    for measure in (0, 1):
        one, two, all_six = (found[skills][measure].mean for skills in (1, 2, _TYPES))
        gained = (one - two) / (one - all_six)
        print(f"the second skill brings {gained:.1%} of what all of them bring")
        assert gained > 0.93


@pytest.mark.slow
def test_a_second_skill_brings_most_of_it() -> None:
    """The quick version: on fewer calls."""
    found = _by_skills(calls=5_000, replications=2)
    one, two, all_six = (found[skills][1].mean for skills in (1, 2, _TYPES))
    assert (one - two) / (one - all_six) > 0.9

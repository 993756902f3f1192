from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from bench.core import Case, Results, main
from bench.core_report import report

TARGET = (10_000, 5_000, 100)


def case(event: str, agents: int, p50_us: float, p99_us: float, **other: Any) -> Case:
    made: dict[str, Any] = {
        "event": event,
        "strategy": "longest-idle",
        "agents": agents,
        "waiting": 5_000,
        "queues": 100,
        "skills_per_agent": 4,
        "p50_us": p50_us,
        "p99_us": p99_us,
        "n": 100,
        "mean_us": p50_us,
        "max_us": p99_us,
        "p50_wall_us": p50_us,
        "p99_wall_us": p99_us,
        "matched": 1.0,
        "p50_matched_us": p50_us,
    }
    return cast("Case", made | other)


def results(cases: list[Case], *, per_agent: int = 4000, peers: list[Case] | None = None) -> Results:
    return Results(
        cases=cases,
        peers=peers or [],
        bytes_per_waiting_call=2000,
        bytes_per_agent=per_agent,
        bytes_detail={},
        site="",
        method={},
        machine={},
        seconds=1.0,
    )


GOOD = [
    case("agent_freed", 100, 20.0, 90.0),
    case("agent_freed", 10_000, 39.0, 149.0),
    case("call_arrives", 100, 15.0, 90.0),
    case("call_arrives", 10_000, 29.0, 149.0),
]


def test_limits_are_kept() -> None:
    text, met = report(results(GOOD), TARGET)
    assert met
    assert "MISSED" not in text
    assert text.count("kept") == 8  # p50 and p99 of two events, two growths, two sizes


@pytest.mark.parametrize(
    "bad",
    [
        results([*GOOD, case("agent_freed", 10_000, 41.0, 100.0, skills_per_agent=8)]),
        results([*GOOD, case("call_arrives", 10_000, 20.0, 151.0, skills_per_agent=8)]),
        results([case("agent_freed", 100, 19.0, 90.0), *GOOD[1:]]),
        results(GOOD, per_agent=4097),
    ],
    ids=["p50", "p99", "growth", "bytes"],
)
def test_a_missed_limit_is_told(bad: Results) -> None:
    text, met = report(bad, TARGET)
    assert not met
    assert text.count("MISSED") == 1


def test_cases_with_all_features_have_no_limit() -> None:
    _, met = report(results([*GOOD, case("agent_freed", 10_000, 80.0, 400.0, all_features=True)]), TARGET)
    assert met


def test_peers_stand_beside_the_same_case() -> None:
    peers = [case("agent_freed", 10_000, 4000.0, 5000.0, peer="app_queue", at_least=True)]
    text, _ = report(results(GOOD, peers=peers), TARGET)
    line = next(line for line in text.splitlines() if line.startswith("agent freed, 10,000 agents, 5,000 waiting"))
    assert line.split()[-6:] == ["39.0", "/", "149.0", ">4,000", "/", "5,000"]


@pytest.mark.slow
def test_a_run_has_every_strategy_both_events_and_both_peers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "core.json"
    assert main(["--quick", "--output", str(output)]) == 0
    found = json.loads(output.read_text())
    assert {case["event"] for case in found["cases"]} == {"agent_freed", "call_arrives"}
    assert len({case["strategy"] for case in found["cases"]}) == 11
    assert {case["peer"] for case in found["peers"]} == {"app_queue", "mod_callcenter"}
    wanted = {"event", "strategy", "agents", "waiting", "queues", "skills_per_agent", "p50_us", "p99_us", "n"}
    assert all(wanted <= case.keys() for case in found["cases"] + found["peers"])
    assert all(0 < case["p50_us"] <= case["p99_us"] for case in found["cases"])
    assert found["bytes_per_waiting_call"] > 0
    assert found["bytes_per_agent"] > 0
    assert "app_queue" in capsys.readouterr().out


def test_every_size_is_measured_for_the_default_strategy() -> None:
    from bench.core import _combinations

    sizes = {
        (shape.agents, waiting, shape.queues)
        for shape, waiting in _combinations(everything=False)
        if shape.strategy == "longest-idle"
    }
    assert sizes == {(a, w, q) for a in (10, 100, 1_000, 10_000) for w in (0, 100, 5_000) for q in (1, 10, 100)}
    full = list(_combinations(everything=True))
    assert len(full) > 11 * 100

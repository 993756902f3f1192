from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.pbx import Findings, Measured, _limits, _report, _results, main

GOOD = {
    "app_queue": Measured([360.0] * 10, [3.0] * 10, [360.0], [3.0]),
    "acd": Measured([3.0] * 10, [5.5] * 10, [3.0], [5.5]),
    "floor": Measured([2.8] * 10, [3.5] * 10, [2.8], [3.5]),
}


def kept(measured: dict[str, Measured]) -> list[bool]:
    return [value <= limit for _, value, limit in _limits(measured)]


def test_limits_compare_with_app_queue_and_the_floor() -> None:
    assert kept(GOOD) == [True, True, True]
    assert kept(GOOD | {"acd": Measured([4.6] * 10, [5.5] * 10)}) == [False, False, True]
    assert kept(GOOD | {"acd": Measured([3.8] * 10, [5.5] * 10)}) == [True, False, True]
    assert kept(GOOD | {"acd": Measured([3.0] * 10, [6.1] * 10)}) == [True, True, False]


def test_without_all_systems_there_is_nothing_to_compare() -> None:
    assert _limits({"acd": GOOD["acd"]}) == []


def test_results_have_the_published_shape() -> None:
    results = json.loads(json.dumps(_results(Findings(GOOD, 3, 150, "22.10.1", "clock"), 100.0)))
    for part in ("idle_gap_ms", "offer_ms"):
        assert set(results[part]) == {"acd", "app_queue", "floor"}
        assert all(set(found) == {"mean", "p50", "p95", "p99", "max", "n"} for found in results[part].values())
    assert (results["phones"], results["callers"]) == (20, 150)
    assert results["idle_gap_ms"]["acd"]["n"] == 10


def test_report_tells_figures_and_verdicts() -> None:
    text = _report(GOOD, _limits(GOOD))
    assert "120 times shorter" in text
    assert text.count("kept") == 3


@pytest.mark.pbx
@pytest.mark.timeout(240)
def test_a_short_run_on_a_real_asterisk(tmp_path: Path) -> None:
    output = tmp_path / "pbx.json"
    assert main(["--rounds", "1", "--callers", "30", "--output", str(output)]) == 0
    results = json.loads(output.read_text())
    for system in ("acd", "app_queue", "floor"):
        gaps, offers = results["idle_gap_ms"][system], results["offer_ms"][system]
        assert gaps["n"] == 10  # 30 callers, 20 phones: ten of them are called once more
        assert offers["n"] == 35
        assert 0 < gaps["p50"] <= gaps["max"]
        assert 0 < offers["p50"] <= offers["max"]

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acd.lab.errors import LabError
from bench.menus import Measured, _judge, _limits, _report, _results, main
from bench.process_cost import Memory

TIMES = {"mean": 1.0, "p50": 0.9, "p95": 2.0, "p99": 3.0, "max": 9.0, "n": 5900}
WINDOW: dict[str, Any] = {
    "next_command_ms": TIMES,
    "next_sound_ms": TIMES,
    "keys": 6000,
    "commands": {"STREAM FILE": 7000, "EXEC MSet": 5000},
    "calls": 180,
    "dropped": 0,
    "not_understood": {},
}
ACD = Measured(0.25, 5.0, 20.0, Memory(70_000_000, 60_000_000, 55_000_000), Memory(6_000_000, 5_000_000, 0), WINDOW)
FLOOR = Measured(0.05, 1.0, 20.0, Memory(20_000_000, 0, 0), Memory(300_000, 0, 0), WINDOW)


def kept(measured: dict[str, Measured]) -> list[bool]:
    return [value <= limit for _, value, limit in _limits(measured, 300)]


def test_the_engine_is_held_to_its_limits() -> None:
    assert kept({"acd": ACD}) == [True, True]
    assert kept({"acd": replace(ACD, cores=1.01)}) == [False, True]
    # The largest of the three counts: whatever was shared may have been made for the callers, too.
    assert kept({"acd": replace(ACD, memory=Memory(0, 0, 300 * 64_100))}) == [True, False]
    assert _limits({"floor": FLOOR}, 300) == []


def test_results_have_the_published_shape() -> None:
    results = json.loads(json.dumps(_results({"acd": ACD, "floor": FLOOR}, 300, 1)))
    assert results["systems"]["acd"]["cores"] == 0.25
    assert results["systems"]["acd"]["us_per_key"] == 833.3
    assert results["systems"]["acd"]["kb_per_caller"] == {"rss": 20.0, "pss": 16.7, "uss": 0.0}
    assert [limit["kept"] for limit in results["limits"]] == [True, True]


def test_report_tells_figures_and_verdicts() -> None:
    text = _report({"acd": ACD, "floor": FLOOR}, _limits({"acd": ACD}, 300), 300)
    assert text.count("kept") == 2
    assert "A key costs 5.0 times what it costs the floor." in text
    missed = {"acd": replace(ACD, cores=1.5)}
    assert "MISSED" in _report(missed, _limits(missed, 300), 300)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [({"dropped": 1}, "1 calls were dropped"), ({"not_understood": {"TDD": 3}}, "TDD"), ({"keys": 5300}, "too slow")],
)
def test_what_is_no_measurement_is_refused(wrong: dict[str, object], why: str) -> None:
    _judge("acd", ACD, 300)
    with pytest.raises(LabError, match=why):
        _judge("acd", replace(ACD, window=WINDOW | wrong), 300)


@pytest.mark.pbx  # for the voice that is fetched with the Asterisk; it runs none
@pytest.mark.timeout(240)
def test_a_short_run_of_the_engine_and_the_floor(tmp_path: Path) -> None:
    output = tmp_path / "menus.json"
    assert main(["--callers", "20", "--seconds", "3", "--output", str(output), "--check"]) == 0
    results = json.loads(output.read_text())
    for system in ("acd", "floor"):
        found = results["systems"][system]
        assert found["keys"] >= 54
        assert found["next_sound_ms"]["n"] >= 40
        assert found["us_per_key"] > 0
    assert results["systems"]["acd"]["commands"]["STREAM FILE"] > 20

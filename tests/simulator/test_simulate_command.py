"""``acd simulate`` as it is called from a shell."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from acd.cli import main
from tests.simulator.erlang import erlang_c

_PLAIN = ["--arrivals", "poisson", "--rate-per-hour", "300", "--aht-s", "180", "--patience-s", "none", "--agents", "18"]
_FIGURES = {
    "offered",
    "answered",
    "abandoned",
    "asa_s",
    "p_wait",
    "service_level",
    "service_level_threshold_s",
    "occupancy",
    "max_wait_s",
}


def _simulate(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["simulate", *arguments, "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    report: dict[str, object] = json.loads(printed.out)
    return report


def _queue(report: dict[str, object]) -> dict[str, float]:
    queues = report["queues"]
    assert isinstance(queues, dict)
    assert set(queues) == {"default"}
    figures: dict[str, float] = queues["default"]
    return figures


def test_the_json_is_as_promised(capsys: pytest.CaptureFixture[str]) -> None:
    report = _simulate(capsys, *_PLAIN, "--calls", "3000", "--seed", "5")
    assert set(report) == {"queues", "seed", "calls", "wall_s"}
    assert (report["seed"], report["calls"]) == (5, 3000)
    figures = _queue(report)
    assert set(figures) == _FIGURES
    assert figures["offered"] == figures["answered"] == 3000
    assert figures["abandoned"] == 0
    assert figures["service_level_threshold_s"] == 20.0
    expected = erlang_c(15, 18, 180, 20)
    assert figures["p_wait"] == pytest.approx(expected.p_wait, abs=0.1)
    assert figures["occupancy"] == pytest.approx(expected.occupancy, abs=0.03)
    assert figures["max_wait_s"] > figures["asa_s"] > 0


def test_the_same_seed_gives_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    def without_wall(seed: str) -> dict[str, object]:
        report = _simulate(capsys, *_PLAIN, "--calls", "500", "--seed", seed)
        assert isinstance(report.pop("wall_s"), float)
        return report

    assert without_wall("1") == without_wall("1")
    assert _queue(without_wall("1")) != _queue(without_wall("2"))


def test_impatient_callers_leave(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--rate-per-hour", "300", "--aht-s", "180", "--patience-s", "60", "--agents", "10", "--calls", "2000"]
    figures = _queue(_simulate(capsys, *arguments))
    assert figures["offered"] == 2000
    assert figures["abandoned"] > 400
    assert figures["answered"] + figures["abandoned"] == 2000


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", *_PLAIN, "--calls", "200", "--service-level-s", "30"]) == 0
    printed = capsys.readouterr().out
    assert "300 calls an hour of 180 s (15 erlangs), patience none, 18 agents, seed 1" in printed
    for words in ("offered", "average speed of answer", "longest wait", "answered within 30 s", "occupancy"):
        assert words in printed
    assert "200 calls measured after 200 to warm up" in printed


def test_more_work_than_agents_is_said_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--rate-per-hour", "300", "--aht-s", "180", "--agents", "10", "--calls", "50"]) == 0
    assert "15 erlangs for 10 agents and nobody hangs up" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--rate-per-hour", "0"], "argument --rate-per-hour: 0 is not a number above 0"),
        (["--rate-per-hour", "many"], "argument --rate-per-hour: 'many' is not a number"),
        (["--aht-s", "-5"], "argument --aht-s: -5 is not a number above 0"),
        (["--aht-s", "inf"], "argument --aht-s: inf is not a number above 0"),
        (["--patience-s", "0"], "argument --patience-s: 0 is not a number above 0"),
        (["--patience-s", "never"], "argument --patience-s: 'never' is not a number"),
        (["--agents", "0"], "argument --agents: 0 is not from 1 to 100000"),
        (["--agents", "2.5"], "argument --agents: '2.5' is not a whole number"),
        (["--calls", "0"], "argument --calls: 0 is not from 1"),
        (["--arrivals", "uniform"], "argument --arrivals: invalid choice: 'uniform'"),
        (["--seed", "x"], "argument --seed: invalid int value: 'x'"),
    ],
)
def test_wrong_usage_ends_with_2(wrong: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = list(_PLAIN)
    if wrong[0] in arguments:
        arguments[arguments.index(wrong[0]) + 1] = wrong[1]
    else:
        arguments += wrong
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *arguments])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_missing_arguments_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["simulate"])
    assert ended.value.code == 2
    assert "--rate-per-hour, --aht-s, --agents" in capsys.readouterr().err


def test_the_shells_view() -> None:
    """A process of its own, and at least 5,000 calls per second of wall time."""
    code = "from acd.cli import main; raise SystemExit(main())"
    arguments = [sys.executable, "-c", code, "simulate", *_PLAIN, "--calls", "20000", "--json"]
    rates = []
    for _ in range(3):  # the best of three: the machine may be busy with something else
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
        report = json.loads(done.stdout)
        rates.append(report["calls"] / report["wall_s"])
        if rates[-1] >= 5000:
            return
    raise AssertionError(f"calls per second: {rates}")


@pytest.mark.parametrize("absurd", [("--rate-per-hour", "1e-300"), ("--aht-s", "1e308"), ("--aht-s", "1e12")])
def test_times_that_no_clock_can_tell_apart_are_refused(
    absurd: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *_PLAIN, "--calls", "10", *absurd]) == 2
    assert "years; give fewer calls" in capsys.readouterr().err

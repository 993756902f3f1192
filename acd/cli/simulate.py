"""``acd simulate``: the engine in virtual time on a plain model, with figures to compare with Erlang's formulas."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable

from acd.simulator import PLAIN_QUEUE, PlainModel, QueueFigures, Results, Simulation, plain_scenario

__all__ = ["add_parser", "run"]

_MOST_AGENTS = 100_000
_MOST_CALLS = 1_000_000_000
_LONGEST_S = 1e10
"""Three centuries of virtual time: beyond, seconds on the engine's clock are no longer exact to a microsecond."""
_DETAILS = """\
One queue, calls served first come first served by the agent who has been idle longest, exponential handling times and
patience. Figures: asa_s, mean wait of the answered calls; p_wait, share of calls that waited more than 0;
service_level, answered within the threshold over offered (abandoned calls are offered and not answered); occupancy,
busy over staffed time of the agents; max_wait_s, the longest wait. The simulation starts empty, so the first
--warm-up-calls calls are served and not measured; --calls more are measured, each to its end.
"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _DETAILS
    parser.add_argument("--arrivals", choices=["poisson"], default="poisson", help="how calls arrive")
    parser.add_argument("--rate-per-hour", type=_above_0, required=True, metavar="L", help="calls per hour")
    parser.add_argument("--aht-s", type=_above_0, required=True, metavar="H", help="mean handling time, seconds")
    parser.add_argument(
        "--patience-s", type=_patience, default=None, metavar="P", help="mean patience, seconds; none: never hang up"
    )
    parser.add_argument("--agents", type=_whole(1, _MOST_AGENTS), required=True, metavar="N", help="how many agents")
    parser.add_argument(
        "--calls", type=_whole(1, _MOST_CALLS), default=10_000, metavar="K", help="how many calls are measured (10000)"
    )
    parser.add_argument(
        "--warm-up-calls",
        type=_whole(0, _MOST_CALLS),
        metavar="W",
        help="how many calls come before those (a tenth of them, and 10 for each agent)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed gives the same calls (1)")
    parser.add_argument(
        "--service-level-s", type=_above_0, default=20.0, metavar="T", help="answered in time: within so long (20)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")


def run(args: argparse.Namespace) -> int:
    """Simulate and print the figures. Returns the exit code."""
    warm_up_calls = args.calls // 10 + 10 * args.agents if args.warm_up_calls is None else args.warm_up_calls
    model = PlainModel(
        rate_per_hour=args.rate_per_hour,
        aht_s=args.aht_s,
        patience_s=args.patience_s,
        agents=args.agents,
        calls=args.calls,
        warm_up_calls=warm_up_calls,
        service_level_s=args.service_level_s,
    )
    longest_s = (model.calls + model.warm_up_calls) * max(3600.0 / model.rate_per_hour, model.aht_s / model.agents)
    if longest_s > _LONGEST_S:
        print(
            f"acd simulate: such calls take {longest_s / 31_557_600:.0e} years; give fewer calls, a higher "
            "rate or a shorter handling time",
            file=sys.stderr,
        )
        return 2
    started = time.perf_counter()
    results = Simulation(plain_scenario(model, args.seed)).run()
    wall_s = time.perf_counter() - started
    if args.json:
        print(json.dumps(_report(results, model, args.seed, wall_s)))
    else:
        _print_table(results, model, args.seed, wall_s)
    return 0


def _report(results: Results, model: PlainModel, seed: int, wall_s: float) -> dict[str, object]:
    queues = {
        queue_id: {
            "offered": figures.offered,
            "answered": figures.answered,
            "abandoned": figures.abandoned,
            "asa_s": figures.asa_s,
            "p_wait": figures.p_wait,
            "service_level": figures.service_level,
            "service_level_threshold_s": figures.service_level_threshold_s,
            "occupancy": figures.occupancy,
            "max_wait_s": figures.max_wait_s,
        }
        for queue_id, figures in results.queues.items()
    }
    return {"queues": queues, "seed": seed, "calls": model.calls, "wall_s": wall_s}


def _print_table(results: Results, model: PlainModel, seed: int, wall_s: float) -> None:
    figures = results.queues[PLAIN_QUEUE]
    if model.patience_s is None and model.load >= model.agents:
        print(
            f"acd: {model.load:g} erlangs for {model.agents} agents and nobody hangs up: waits grow without bound, "
            "the figures depend on --calls",
            file=sys.stderr,
        )
    patience = "none" if model.patience_s is None else f"{model.patience_s:g} s"
    print(
        f"{model.rate_per_hour:g} calls an hour of {model.aht_s:g} s ({model.load:g} erlangs), patience {patience}, "
        f"{model.agents} agents, seed {seed}"
    )
    for name, value in _rows(figures):
        print(f"  {name:<34}{value:>12}")
    print(
        f"{model.calls} calls measured after {model.warm_up_calls} to warm up, {wall_s:.2f} s of wall time "
        f"({results.calls / max(wall_s, 1e-9):,.0f} calls a second)"
    )


def _rows(figures: QueueFigures) -> list[tuple[str, str]]:
    return [
        ("offered", str(figures.offered)),
        ("answered", str(figures.answered)),
        ("abandoned", str(figures.abandoned)),
        ("average speed of answer", _seconds(figures.asa_s)),
        ("longest wait", _seconds(figures.max_wait_s)),
        ("waited more than 0", _share(figures.p_wait)),
        (f"answered within {figures.service_level_threshold_s:g} s", _share(figures.service_level)),
        ("occupancy of the agents", _share(figures.occupancy)),
    ]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _above_0(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def _patience(text: str) -> float | None:
    return None if text == "none" else _above_0(text)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
        return value

    return whole

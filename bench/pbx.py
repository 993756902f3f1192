"""Idle agents and waiting callers on a real Asterisk: the engine beside app_queue and the floor: ``make bench-pbx``.

Prints a table and writes ``bench/results/pbx.json``. One Asterisk, the same SIPp phones and callers for all three:

- ``app_queue``: Asterisk's own queue at its quickest settings (``bench.pbx_site``);
- ``acd``: the engine, ``acd run`` as a process of its own, as ``make run`` has it, without wrap-up;
- ``floor``: the least possible FastAGI responder (``bench.pbx_floor``), the best that is possible outside of Asterisk.

Each round has two phases for each of the three, in an order that changes from round to round, so that no drift of the
machine favours one of them:

- *saturation*: all callers enter within some seconds and wait; agents answer at once, talk and hang up. It gives the
  idle gap: agent's BYE to the same phone's next INVITE.
- *sparse*: callers enter one by one while agents are idle. It gives the offer: caller's INVITE to the agent's INVITE.

``bench.pbx_measure`` has the exact definitions. Times are the kernel's, from a packet capture, or where that is not
allowed (it takes root) SIPp's, from its message traces; the table and the JSON say which.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from acd.lab.errors import LabError
from acd.lab.fetch import ensure_asterisk
from bench.pbx_lab import SYSTEMS, BenchLab, open_bench_lab
from bench.pbx_measure import idle_gaps_ms, offers_ms
from bench.stats import Summary, summary
from bench.tables import table

__all__ = ["Findings", "Measured", "main", "run"]

RESULTS = Path(__file__).parent / "results" / "pbx.json"
PHONES = 20
CALLERS = 150
TALK_S = 2.0
SATURATION_RATE_PER_S = 30.0
SPARSE_CALLERS = 35
SPARSE_RATE_PER_S = 6.0
"""With talks of 2 s: 12 of 20 agents at work, so that there is always an idle one."""
UNCOUNTED = 5
"""The first sparse callers after a change of system only warm it up."""
ROUNDS = 3
LEAST_GAP_RATIO = 80.0
MOST_OVER_FLOOR = 1.3
MOST_OFFER_DELAY_MS = 3.0


@dataclass(slots=True)
class Measured:
    """Milliseconds of all rounds of one system, and each round's means for comparing them."""

    gaps_ms: list[float] = field(default_factory=list)
    offers_ms: list[float] = field(default_factory=list)
    round_gap_means_ms: list[float] = field(default_factory=list)
    round_offer_p50s_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a run found, and of what."""

    measured: dict[str, Measured]
    rounds: int
    callers: int
    asterisk: str
    clock: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write. Returns 1 when it could not be measured, or with ``--check`` when a limit was missed."""
    parser = argparse.ArgumentParser(prog="bench.pbx", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of all systems (default: %(default)s)")
    parser.add_argument("--callers", type=int, default=CALLERS, help="callers per round (default: %(default)s)")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="default: all")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a limit is missed")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes (default: %(default)s)")
    options = parser.parse_args(arguments)
    begun = monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="acd-bench-") as folder:
            found = asyncio.run(run(Path(folder), options.systems, options.rounds, options.callers))
    except (LabError, TimeoutError) as error:
        print(f"bench.pbx: {error}", file=sys.stderr)
        return 1
    results = _results(found, monotonic() - begun)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    limits = _limits(found.measured)
    print(_report(found.measured, limits))
    print(f"\n{monotonic() - begun:.0f} s, {found.rounds} rounds; clock: {found.clock}; JSON: {options.output}")
    return 1 if options.check and any(value > limit for _, value, limit in limits) else 0


async def run(folder: Path, systems: Sequence[str], rounds: int, callers: int) -> Findings:
    """Measure the systems. Raises LabError, TimeoutError."""
    _progress("fetching Asterisk and SIPp, if they are not here yet")
    install = await asyncio.to_thread(ensure_asterisk)
    agents = [f"agent{number:02}" for number in range(1, PHONES + 1)]
    measured = {system: Measured() for system in systems}
    async with open_bench_lab(install, folder, agents, TALK_S) as lab:
        for number in range(rounds):
            shift = number % len(systems)
            for system in (*systems[shift:], *systems[:shift]):
                _progress(f"round {number + 1} of {rounds}: {system}")
                async with lab.running(system):
                    await _measure(lab, system, callers, measured[system])
        clock = lab.clock
    _progress("")
    return Findings(measured, rounds, callers, install.version, clock)


async def _measure(lab: BenchLab, system: str, callers: int, into: Measured) -> None:
    """One round of one system: the sparse phase, then the saturation."""
    sparse = await lab.round(system, SPARSE_CALLERS + UNCOUNTED, SPARSE_RATE_PER_S, TALK_S)
    saturation = await lab.round(system, callers, SATURATION_RATE_PER_S, TALK_S)
    offers, gaps = offers_ms(sparse)[UNCOUNTED:], idle_gaps_ms(saturation)
    into.offers_ms += offers
    into.gaps_ms += gaps
    into.round_offer_p50s_ms.append(summary(offers)["p50"])
    into.round_gap_means_ms.append(summary(gaps)["mean"])


# What was found.

_DEFINITIONS = {
    "idle_gap_ms": "agent's phone sends BYE -> the same phone gets its next INVITE, while callers wait",
    "offer_ms": "caller sends INVITE -> an agent's phone gets the INVITE for this caller, while agents are idle",
    "rounds": "all systems in each round, in another order each time; the figures are of all rounds together",
    "app_queue": "leastrecent, autofill, wrapuptime 0, retry 1, no announcements",
    "acd": "acd run, longest-idle, no wrap-up",
    "floor": "FastAGI, a deque of idle agents, a deque of waiting callers, EXEC Dial",
}


def _results(found: Findings, seconds: float) -> dict[str, object]:
    measured = found.measured
    return {
        "idle_gap_ms": {system: _summary(its.gaps_ms) for system, its in measured.items()},
        "offer_ms": {system: _summary(its.offers_ms) for system, its in measured.items()},
        "phones": PHONES,
        "callers": found.callers,
        "talk_s": TALK_S,
        "rounds": found.rounds,
        "round_idle_gap_means_ms": {system: its.round_gap_means_ms for system, its in measured.items()},
        "round_offer_p50s_ms": {system: its.round_offer_p50s_ms for system, its in measured.items()},
        "limits": [
            {"what": what, "measured": round(value, 3), "limit": limit, "kept": value <= limit}
            for what, value, limit in _limits(measured)
        ],
        "definitions": _DEFINITIONS,
        "clock": found.clock,
        "asterisk": found.asterisk,
        "processors": os.cpu_count(),
        "seconds": round(seconds, 1),
    }


def _summary(values_ms: Sequence[float]) -> Summary:
    return summary(values_ms, 2)


def _limits(measured: dict[str, Measured]) -> list[tuple[str, float, float]]:
    """What has to hold between the systems, as (what, value, most that it may be)."""
    if not all(system in measured for system in SYSTEMS):
        return []
    gap = {system: summary(measured[system].gaps_ms)["mean"] for system in SYSTEMS}
    offer = {system: summary(measured[system].offers_ms)["p50"] for system in SYSTEMS}
    return [
        ("idle gap, mean: acd / app_queue", gap["acd"] / gap["app_queue"], 1 / LEAST_GAP_RATIO),
        ("idle gap, mean: acd / floor", gap["acd"] / gap["floor"], MOST_OVER_FLOOR),
        ("offer, p50: acd - app_queue, ms", offer["acd"] - offer["app_queue"], MOST_OFFER_DELAY_MS),
    ]


def _report(measured: dict[str, Measured], limits: Sequence[tuple[str, float, float]]) -> str:
    parts = []
    for title, values_ms in (
        (
            "Idle gap: agent hangs up -> that agent's next INVITE, milliseconds",
            {system: its.gaps_ms for system, its in measured.items()},
        ),
        (
            "Offer to an idle agent: caller enters -> agent's INVITE, milliseconds",
            {system: its.offers_ms for system, its in measured.items()},
        ),
    ):
        rows = []
        for system, values in values_ms.items():
            found = _summary(values)
            cells = (found["mean"], found["p50"], found["p95"], found["p99"], found["max"])
            rows.append((system, *(f"{value:.2f}" for value in cells), str(found["n"])))
        parts.append(f"{title}\n" + table(("", "mean", "p50", "p95", "p99", "max", "n"), rows))
    if limits:
        gaps = [summary(measured[system].gaps_ms)["mean"] for system in ("app_queue", "acd")]
        rows = [
            (what, f"{value:.4f}", f"{limit:.4f}", "kept" if value <= limit else "MISSED")
            for what, value, limit in limits
        ]
        parts.append("Limits\n" + table(("", "measured", "at most", ""), rows))
        parts.append(f"Agents are idle {gaps[0] / gaps[1]:.0f} times shorter than with app_queue.")
    return "\n\n".join(parts)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

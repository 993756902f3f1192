"""What one decision of the engine costs, and what it costs app_queue and mod_callcenter: ``make bench-core``.

Prints tables and writes ``bench/results/core.json``. Every case is one kind of event (``agent_freed``,
``call_arrives``) on one generated site (``bench.core_site`` says how) under steady load (``bench.core_load``). The
default strategy is measured on every combination of sizes, every other one on the ends of each scale, all of them with
skills, ageing priorities, and stories on. ``--all`` measures every strategy on every combination (about ten minutes).

``p50_us`` and ``p99_us`` are the thread's processor time: the cost of the event itself. ``p50_wall_us`` and
``p99_wall_us`` are the same by the wall clock, with whatever else the machine did in between.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import NotRequired, TypedDict

from bench.core_load import Timed, measure
from bench.core_memory import measure_memory
from bench.core_report import report
from bench.core_site import HOW_SITES_ARE_MADE, Shape, Site, generate
from bench.peer_app_queue import AppQueue
from bench.peer_callcenter import CallCenter
from bench.peers import PeerLoad, PeerResult, measure_peer, peer_queues
from bench.stats import summary
from routing.strategies import STRATEGIES

__all__ = ["Case", "Results", "main", "run"]

RESULTS = Path(__file__).parent / "results" / "core.json"
DEFAULT = "longest-idle"
AGENTS = (10, 100, 1_000, 10_000)
WAITING = (0, 100, 5_000)
QUEUES = (1, 10, 100)
SKILLS = (1, 4, 8)
TARGET = (10_000, 5_000, 100)
"""Agents, waiting calls and queues of the case that a limit is set for."""
SAMPLES = 1_000
TARGET_SAMPLES = 10_000
CASE_LIMIT_S = 5.0
"""No case is sampled for longer: on a slow machine there are fewer samples rather than no end."""
PEER_SAMPLES = 200
PEER_LIMIT_S = 1.0
PEER_SKILLS = 4


class Case(TypedDict):
    """One line of the results. Times in microseconds; ``matched`` is the share of events that led to an offer."""

    event: str
    strategy: str
    agents: int
    waiting: int
    queues: int
    skills_per_agent: int
    p50_us: float
    p99_us: float
    n: int
    mean_us: float
    max_us: float
    p50_wall_us: float
    p99_wall_us: float
    matched: float
    p50_matched_us: float | None
    peer: NotRequired[str]
    at_least: NotRequired[bool]
    all_features: NotRequired[bool]


class Results(TypedDict):
    """What is written to ``core.json``."""

    cases: list[Case]
    peers: list[Case]
    bytes_per_waiting_call: int
    bytes_per_agent: int
    bytes_detail: dict[str, int]
    site: str
    method: dict[str, str]
    machine: dict[str, str | int]
    seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write. Returns 1 with ``--check`` when a limit was missed."""
    parser = argparse.ArgumentParser(prog="bench.core", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="every strategy on every combination of sizes")
    parser.add_argument("--quick", action="store_true", help="few cases and samples: to see that it works")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a limit is missed")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes (default: %(default)s)")
    options = parser.parse_args(arguments)
    results = run(everything=options.all, quick=options.quick)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    text, met = report(results, TARGET)
    print(text)
    print(f"\n{len(results['cases'])} cases in {results['seconds']:.0f} s; all of them: {options.output}")
    return 1 if options.check and not met else 0


def run(*, everything: bool = False, quick: bool = False) -> Results:
    """Measure all cases, peers and memory."""
    begun = perf_counter()
    combinations = list(_quick() if quick else _combinations(everything=everything))
    cases: list[Case] = []
    for number, (shape, waiting) in enumerate(combinations, 1):
        _progress(f"{number}/{len(combinations)} {shape.strategy}, {shape.agents} agents, {waiting} waiting")
        cases += _measure(shape, waiting, 50 if quick else _samples(shape, waiting))
    peers: list[Case] = []
    for agents in (10,) if quick else AGENTS:
        for waiting in (0, 100) if quick else WAITING:
            _progress(f"peers, {agents} agents, {waiting} waiting")
            peers += _measure_peers(Shape(agents, QUEUES[-1], PEER_SKILLS), waiting, quick=quick)
    _progress("memory")
    memory = measure_memory(100, 200) if quick else measure_memory()
    _progress("")
    return Results(
        cases=cases,
        peers=peers,
        bytes_per_waiting_call=round(memory.call),
        bytes_per_agent=round(memory.agent),
        bytes_detail={
            "agent_just_logged_in": round(memory.agent_fresh),
            "waiting_call_in_a_plain_queue": round(memory.call_plain),
        },
        site=HOW_SITES_ARE_MADE,
        method=_METHOD,
        machine=_machine(),
        seconds=round(perf_counter() - begun, 1),
    )


_METHOD = {
    "p50_us, p99_us": "processor time of the thread around one Engine.handle, by CLOCK_THREAD_CPUTIME_ID",
    "p50_wall_us, p99_wall_us": "the same by the wall clock",
    "percentiles": "nearest rank: always a value that was measured",
    "garbage collector": "on, as in the service; what exists before the first sample is frozen (gc.freeze)",
    "explain": "on: stories can't be turned off",
    "agent_freed": "TalkEnded without wrap-up: the agent is offered the call that goes first, or is indexed as idle",
    "call_arrives": "CallQueued: the call is offered to the agent who goes first, or waits in line",
    "all_features": "queues that also relax, announce, overflow and hold calls for the last agent",
    "peers": "see bench/peers.py, bench/peer_app_queue.py, bench/peer_callcenter.py; same sites, skills as queues",
    "at_least": "some events took longer than the time given to the case and were cut off: the times are lower bounds",
    "bytes": "tracemalloc; agent with configuration and a full story, call in a queue with all features",
}


def _combinations(*, everything: bool) -> Iterator[tuple[Shape, int]]:
    for agents in AGENTS:
        for queues in QUEUES:
            for skills in SKILLS:
                for waiting in WAITING:
                    yield Shape(agents, queues, skills, DEFAULT), waiting
    agents, waiting, queues = TARGET
    yield Shape(agents, queues, PEER_SKILLS, DEFAULT, rich=True), waiting
    for strategy in STRATEGIES:
        if strategy == DEFAULT:
            continue
        for agents in AGENTS:
            for queues in QUEUES if everything else (QUEUES[-1],):
                for skills in SKILLS if everything else (PEER_SKILLS,):
                    for waiting in WAITING if everything else (WAITING[0], WAITING[-1]):
                        yield Shape(agents, queues, skills, strategy), waiting


def _quick() -> Iterator[tuple[Shape, int]]:
    for strategy in STRATEGIES:
        for waiting in (0, 50):
            yield Shape(20, 10, 4, strategy), waiting


def _samples(shape: Shape, waiting: int) -> int:
    return TARGET_SAMPLES if (shape.agents, waiting, shape.queues) == TARGET and shape.strategy == DEFAULT else SAMPLES


@lru_cache(maxsize=1)
def _site(shape: Shape) -> Site:
    """The site of the case; kept for the next case when it has the same shape."""
    return generate(shape)


def _measure(shape: Shape, waiting: int, samples: int) -> Iterator[Case]:
    for event, timed in measure(_site(shape), waiting, samples, CASE_LIMIT_S).items():
        case = _case(event, shape, waiting, timed)
        if shape.rich:
            case["all_features"] = True
        yield case
    gc.collect()


def _measure_peers(shape: Shape, waiting: int, *, quick: bool) -> Iterator[Case]:
    site = generate(shape)
    queues = peer_queues(site)
    for peer in (AppQueue, CallCenter):
        load = PeerLoad(peer(queues), site, queues, waiting)
        results: dict[str, PeerResult] = measure_peer(load, 5 if quick else PEER_SAMPLES, PEER_LIMIT_S)
        for event, result in results.items():
            if result.timed.samples:
                case = _case(event, shape, waiting, result.timed)
                case["peer"] = peer.name
                if result.at_least:
                    case["at_least"] = True
                yield case


def _case(event: str, shape: Shape, waiting: int, timed: Timed) -> Case:
    cpu, wall = summary(timed.cpu_us(), 1), summary(timed.wall_us(), 1)
    matched = timed.cpu_us(matched=True)
    return Case(
        event=event,
        strategy=shape.strategy,
        agents=shape.agents,
        waiting=waiting,
        queues=shape.queues,
        skills_per_agent=shape.skills_per_agent,
        p50_us=cpu["p50"],
        p99_us=cpu["p99"],
        n=cpu["n"],
        mean_us=cpu["mean"],
        max_us=cpu["max"],
        p50_wall_us=wall["p50"],
        p99_wall_us=wall["p99"],
        matched=round(len(matched) / cpu["n"], 3),
        p50_matched_us=summary(matched, 1)["p50"] if matched else None,
    )


def _machine() -> dict[str, str | int]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count() or 0,
        "load_average_1_min": round(os.getloadavg()[0]),
    }


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

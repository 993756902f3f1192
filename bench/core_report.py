"""The tables of ``bench.core``, and whether its limits were kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bench.tables import table

if TYPE_CHECKING:
    from bench.core import Case, Results

__all__ = ["report"]

P50_LIMIT_US = 40.0
P99_LIMIT_US = 150.0
GROWTH_LIMIT = 2.0
GROWTH_FROM, GROWTH_TO = 100, 10_000
BYTES_LIMIT = 4096
EVENTS = {"agent_freed": "agent freed", "call_arrives": "call arrives"}


def report(results: Results, target: tuple[int, int, int]) -> tuple[str, bool]:
    """Return the tables, and whether every limit was kept. ``target``: agents, waiting, queues of the limits."""
    plain = [case for case in results["cases"] if "all_features" not in case]
    parts = [_sizes(plain), _strategies(results["cases"], target), _peers(plain, results["peers"])]
    limits = [*_limits(plain, target), *_growth(plain), *_bytes(results)]
    rows = [
        (what, f"{value:.1f}", f"{limit:g}", "kept" if value <= limit else "MISSED") for what, value, limit in limits
    ]
    if rows:
        parts.append("Limits\n" + table(("what", "measured", "limit", ""), rows))
    return "\n\n".join(part for part in parts if part), all(value <= limit for _, value, limit in limits)


def _times(case: Case) -> str:
    more = ">" if case.get("at_least") else ""
    return f"{more}{_number(case['p50_us'])} / {_number(case['p99_us'])}"


def _number(microseconds: float) -> str:
    return f"{microseconds:.1f}" if microseconds < 1000 else f"{microseconds:,.0f}"


def _sizes(cases: Sequence[Case]) -> str:
    """Agents down, waiting calls across, for most queues and skills of the default strategy."""
    chosen = _default(cases)
    if not chosen:
        return ""
    queues = max(case["queues"] for case in chosen)
    skills = max(case["skills_per_agent"] for case in chosen)
    chosen = [case for case in chosen if (case["queues"], case["skills_per_agent"]) == (queues, skills)]
    waiting = sorted({case["waiting"] for case in chosen})
    rows = []
    for event, words in EVENTS.items():
        for agents in sorted({case["agents"] for case in chosen}):
            found = {case["waiting"]: case for case in chosen if case["event"] == event and case["agents"] == agents}
            cells = (_times(found[count]) if count in found else "" for count in waiting)
            rows.append((f"{words}, {agents:,} agents", *cells))
    title = f"{chosen[0]['strategy']}, {queues} queues, {skills} skills per agent: microseconds, p50 / p99"
    return title + "\n" + table(("", *(f"{count:,} waiting" for count in waiting)), rows)


def _strategies(cases: Sequence[Case], target: tuple[int, int, int]) -> str:
    agents, waiting, queues = target
    of_size = [case for case in cases if (case["agents"], case["queues"]) == (agents, queues)]
    rows = []
    names = dict.fromkeys((case["strategy"], "all_features" in case) for case in of_size)
    for name, rich in names:
        cells = []
        for event in EVENTS:
            for count in (0, waiting):
                found = [
                    case
                    for case in of_size
                    if (case["strategy"], "all_features" in case, case["event"], case["waiting"])
                    == (name, rich, event, count)
                ]
                best = max(found, key=lambda case: case["p50_us"], default=None)
                cells.append(_times(best) if best is not None else "")
        rows.append((f"{name}, all features" if rich else name, *cells))
    if not rows:
        return ""
    head = ("", *(f"{words}, {count:,} waiting" for words in EVENTS.values() for count in (0, waiting)))
    return f"Strategies at {agents:,} agents, {queues} queues: microseconds, p50 / p99\n" + table(head, rows)


def _peers(cases: Sequence[Case], peers: Sequence[Case]) -> str:
    rows = []
    ours = {_size(case): case for case in _default(cases)}
    names = list(dict.fromkeys(case.get("peer", "") for case in peers))
    for size in dict.fromkeys(_size(case) for case in peers):
        found = {case.get("peer"): case for case in peers if _size(case) == size}
        event, agents, waiting, _, _ = size
        row = [f"{EVENTS[event]}, {agents:,} agents, {waiting:,} waiting"]
        row.append(_times(ours[size]) if size in ours else "")
        row += [_times(found[name]) if name in found else "" for name in names]
        rows.append(row)
    if not rows:
        return ""
    return "The same work by peers: microseconds, p50 / p99\n" + table(("", "acd", *names), rows)


def _size(case: Case) -> tuple[str, int, int, int, int]:
    return case["event"], case["agents"], case["waiting"], case["queues"], case["skills_per_agent"]


def _default(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if case["strategy"] == "longest-idle"]


def _limits(cases: Sequence[Case], target: tuple[int, int, int]) -> Iterable[tuple[str, float, float]]:
    for event, words in EVENTS.items():
        found = [
            case
            for case in _default(cases)
            if case["event"] == event and (case["agents"], case["waiting"], case["queues"]) == target
        ]
        if found:
            size = f"{target[0]:,} agents, {target[1]:,} waiting, {target[2]} queues, worst of all skills"
            yield f"{words} p50 us ({size})", max(case["p50_us"] for case in found), P50_LIMIT_US
            yield f"{words} p99 us ({size})", max(case["p99_us"] for case in found), P99_LIMIT_US


def _growth(cases: Sequence[Case]) -> Iterable[tuple[str, float, float]]:
    """How much dearer the same event is with 100 times the agents, at most."""
    for event, words in EVENTS.items():
        small, large = (
            {_size(case)[2:]: case for case in _default(cases) if case["event"] == event and case["agents"] == agents}
            for agents in (GROWTH_FROM, GROWTH_TO)
        )
        ratios = [large[size]["p50_us"] / small[size]["p50_us"] for size in small if size in large]
        if ratios:
            yield f"{words}, p50 at 10,000 agents over p50 at 100, worst of {len(ratios)}", max(ratios), GROWTH_LIMIT


def _bytes(results: Results) -> Iterable[tuple[str, float, float]]:
    yield "bytes per waiting call", float(results["bytes_per_waiting_call"]), BYTES_LIMIT
    yield "bytes per agent", float(results["bytes_per_agent"]), BYTES_LIMIT

"""Writes the figures of the last benchmarks from ``bench/results`` into README.md (``make figures``).

Only what the JSON files hold is written, so that the README says what was measured. A benchmark that has not been run
has no table.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- figures:begin -->\n", "<!-- figures:end -->"
WHAT = """\
`make bench-pbx` compares, on one Asterisk in one run with SIPp phones and callers, this engine with Asterisk's own
`app_queue` and with the least possible FastAGI responder (a deque) as the floor; `make bench-codec` compares the AMI
parser with pyst2's and panoramisk's; `make bench-core` measures the core's decisions, and what the peers' ways of
deciding cost on the same site; `make bench-menus` measures what callers in menus cost, on a scripted Asterisk, beside
a responder that has no menus and answers each key with the same two commands. Each prints tables and writes
`bench/results/*.json`; `make figures` puts them here.
"""
SYSTEMS = {"app_queue": "app_queue", "acd": "this engine", "floor": "floor"}
MEASURES = {
    "idle_gap_ms": "an agent hangs up → that agent's next INVITE, while callers wait",
    "offer_ms": "a caller enters → an idle agent's INVITE",
}


def main() -> int:
    """Rewrites the block between the two marks; returns the exit code."""
    readme = ROOT / "README.md"
    text = readme.read_text()
    try:
        before, rest = text.split(BEGIN)
        _old, after = rest.split(END)
    except ValueError:
        print(f"figures: README.md must have {BEGIN.strip()} and {END} once each", file=sys.stderr)
        return 1
    parts = [
        WHAT,
        *pbx_part(_read("pbx")),
        *core_part(_read("core")),
        *menus_part(_read("menus")),
        *codec_part(_read("codec")),
    ]
    readme.write_text(before + BEGIN + "\n".join(parts) + END + after)
    return 0


def _read(name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = json.loads((ROOT / "bench" / "results" / f"{name}.json").read_text())
    except FileNotFoundError:
        return None
    return found


def pbx_part(results: Mapping[str, Any] | None) -> list[str]:
    """The tables of ``bench-pbx``, in milliseconds."""
    if results is None:
        return []
    about = f"{results['phones']} phones, {results['callers']} callers, Asterisk {results['asterisk']}"
    lines = [f"Milliseconds; {about}, {results['processors']} processors:", ""]
    for measure, title in MEASURES.items():
        lines += [
            f"| {title} | mean | p50 | p95 | p99 | max | n |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for system, name in SYSTEMS.items():
            found = results[measure][system]
            cells = [f"{found[key]:,.1f}" for key in ("mean", "p50", "p95", "p99", "max")]
            lines.append(f"| {name} | {' | '.join(cells)} | {found['n']:,} |")
        lines.append("")
    return ["\n".join(lines)]


CORE_SITE = {"agents": 10_000, "waiting": 5_000, "queues": 100, "skills_per_agent": 4, "strategy": "longest-idle"}
PEERS = {"": "this engine", "app_queue": "app_queue's scan", "mod_callcenter": "mod_callcenter's SQL"}


def core_part(results: Mapping[str, Any] | None) -> list[str]:
    """The table of ``bench-core``: one decision at the largest site, in microseconds of processor time."""
    if results is None:
        return []
    site = "10,000 agents, 5,000 waiting calls, 100 queues, 4 skills per agent"
    lines = [
        f"Microseconds of one decision, p50 / p99; {site}:",
        "",
        "| | an agent is freed | a call arrives |",
        "| --- | ---: | ---: |",
    ]
    for peer, name in PEERS.items():
        found = {
            case["event"]: case
            for case in (results["peers"] if peer else results["cases"])
            if case.get("peer", "") == peer
            and "all_features" not in case
            and all(case[key] == value for key, value in CORE_SITE.items())
        }
        if len(found) == 2:
            cells = (found[event] for event in ("agent_freed", "call_arrives"))
            lines.append(f"| {name} | {' | '.join(_times(case) for case in cells)} |")
    return ["\n".join([*lines, ""])]


def _times(case: Mapping[str, Any]) -> str:
    more = "over " if case.get("at_least") else ""
    return f"{more}{case['p50_us']:,.0f} / {case['p99_us']:,.0f}"


def menus_part(results: Mapping[str, Any] | None) -> list[str]:
    """The table of ``bench-menus``."""
    if results is None:
        return []
    about = f"{results['callers']} callers in menus, a key a second each"
    lines = [
        f"| {about} | cores | µs per key | resident kB per caller | a key → the next sound, ms: p50 / p95 / p99 |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for system, found in results["systems"].items():
        sound = " / ".join(f"{found['next_sound_ms'][key]:.1f}" for key in ("p50", "p95", "p99"))
        memory = found["kb_per_caller"]["rss"]
        cells = (f"{found['cores']:.2f}", f"{found['us_per_key']:,.0f}", f"{memory:,.0f}", sound)
        lines.append(f"| {SYSTEMS[system]} | {' | '.join(cells)} |")
    return ["\n".join([*lines, ""])]


def codec_part(results: Mapping[str, Any] | None) -> list[str]:
    """The table of ``bench-codec``, in events per second of processor time."""
    if results is None:
        return []
    lines = ["| AMI events parsed per second, in one process | median |", "| --- | ---: |"]
    lines += [f"| {name} | {rate:,.0f} |" for name, rate in results["events_per_s"].items()]
    return ["\n".join([*lines, ""])]


if __name__ == "__main__":
    sys.exit(main())

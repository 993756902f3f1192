"""``acd doctor``: check an Asterisk and its set-up, with a remedy for each fault.

Exit codes: 0 no fault (there may be warnings; with ``--strict`` there are none), 1 a fault, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from acd.cli.site import add_config_options, config_folder, config_overrides
from acd.doctor.examination import Examination, examine
from acd.doctor.findings import Finding, Level

__all__ = ["add_parser", "run"]

_INDENT = 26


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_config_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    parser.add_argument("--strict", action="store_true", help="fail at warnings, too")
    parser.add_argument(
        "--no-test-call",
        action="store_true",
        help="do not place the call to nowhere (it rings no phone) by which events are checked",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=5.0,
        help="how long to wait for each answer (default: 5)",
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 300:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.1 to 300")
    return value


def run(args: argparse.Namespace) -> int:
    """Examine, print what was found, and return 0 if there is no fault, else 1."""
    found = examine(
        Examination(
            folder=config_folder(args),
            overrides=config_overrides(args),
            timeout_s=args.timeout,
            test_call=not args.no_test_call,
        )
    )
    findings = _as_json(found) if args.json else _as_lines(found)
    bad = {Level.FAULT, Level.WARNING} if args.strict else {Level.FAULT}
    return 1 if any(finding.level in bad for finding in findings) else 0


def _as_lines(found: Iterable[Finding]) -> Sequence[Finding]:
    findings = []
    for finding in found:
        findings.append(finding)
        level = finding.level.upper() if finding.level is Level.FAULT else finding.level
        print(f"{level:<10} {finding.check:<14} {finding.text}")
        if finding.remedy:
            print(f"{'':<{_INDENT}}-> {finding.remedy}")
        sys.stdout.flush()
    counts = Counter(finding.level for finding in findings)
    print("\n" + ", ".join(_counted(level, counts[level]) for level in Level if counts[level]))
    return findings


def _counted(level: Level, count: int) -> str:
    plural = "s" if count > 1 and level in (Level.WARNING, Level.FAULT) else ""
    return f"{count} {level}{plural}"


def _as_json(found: Iterable[Finding]) -> Sequence[Finding]:
    findings = list(found)
    worst = next(
        (level for level in (Level.FAULT, Level.WARNING) if any(finding.level is level for finding in findings)),
        Level.OK,
    )
    print(json.dumps({"result": worst, "findings": [asdict(finding) for finding in findings]}, indent=2))
    return findings

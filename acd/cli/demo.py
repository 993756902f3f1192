"""``acd demo``: callers and phones of SIPp on a real Asterisk, with a live table and a summary.

Exit codes: 0 every caller got what he or she had come for, 1 somebody did not or the demo could not be run, 2 wrong
usage.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from acd.lab.demo import CALLERS, DemoPlan, run_demo
from acd.lab.demo_screen import print_summary, screen_for
from acd.lab.errors import LabError

__all__ = ["add_parser", "run"]

MOST_CALLERS = 99


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "--callers", metavar="N", type=_count, default=CALLERS, help=f"how many callers (default: {CALLERS})"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_CALLERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_CALLERS}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Run the demo; returns the exit code."""
    plan = DemoPlan(callers=args.callers)
    try:
        result = asyncio.run(run_demo(plan, screen_for()))
    except LabError as error:
        print(f"acd demo: {error}", file=sys.stderr)
        return 1
    print()
    print_summary(result.stories, result.served)
    print(result)
    return 0 if result.succeeded else 1

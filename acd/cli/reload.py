"""``acd reload``: have the running engine take its changed configuration folder, or take back the last change."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from acd.cli.asking import ask, show
from acd.cli.client import ApiClient
from acd.cli.site import add_config_options

__all__ = ["add_parser", "run"]

_TIMEOUT_S = 300.0
"""New prompts are made before the change is taken (seconds)."""


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "The folder is checked whole first; with a fault in it nothing changes. Nobody who waits is lost or "
        "re-ordered. Exit code 0: taken, or nothing had changed; 1: refused."
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="only say what would change")
    what.add_argument("--undo", action="store_true", help="take back the last change, once")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    add_config_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the engine and print what it says; returns the exit code."""
    answer = ask(args, "acd reload", lambda client: _ask(client, args), unusable="nothing was changed")
    if answer is None:
        return 1
    show(answer, _lines(answer, dry_run=args.dry_run), as_json=args.json)
    return 0


def _ask(client: ApiClient, args: argparse.Namespace) -> Any:
    if args.undo:
        return client.post("configuration", "undo", timeout_s=_TIMEOUT_S)
    query = {"dry_run": "yes"} if args.dry_run else None
    return client.post("configuration", "reload", query=query, timeout_s=_TIMEOUT_S)


def _lines(answer: dict[str, Any], *, dry_run: bool) -> Iterator[str]:
    yield from answer["warnings"]
    yield from answer["changes"]
    yield from (f"takes a restart: {setting}" for setting in answer["restart"])
    number = len(answer["changes"])
    counted = f"{number} change" if number == 1 else f"{number} changes"
    if dry_run:
        yield f"would be taken: {counted}"
    else:
        yield f"taken: {counted}" if answer["taken"] else "nothing has changed"

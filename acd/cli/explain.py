"""``acd explain``: why a call went where it went, and why an agent has no call now."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from acd.cli.asking import show
from acd.cli.client import ApiError, NotKnown
from acd.cli.explain_text import explanation_text
from acd.cli.site import add_config_options, engine_client, load_config
from acd.service.status import dated
from acd.store.history import Recalled, recall_call
from acd.store.replay import JournalError
from config import ConfigErrors

__all__ = ["add_parser", "run"]


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Asks the running engine. It knows live calls and the last thousand that ended; older ones are looked up in "
        "its journal."
    )
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("call", nargs="?", metavar="CALL", help="id of a call, as status and logs name it")
    asked.add_argument("--agent", metavar="AGENT", help="why this agent has no call now")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="PLACE",
        help="ask no engine: look the call up in this journal, a folder or one segment",
    )
    add_config_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask and print; returns the exit code."""
    if args.journal is not None and args.call is None:
        print("acd explain: --journal is for calls; an agent's present is known to the engine alone", file=sys.stderr)
        return 2
    try:
        answer = _of_journal(args.journal, args.call) if args.journal is not None else _of_engine(args)
    except (ConfigErrors, ApiError, JournalError) as error:
        print(error if isinstance(error, ConfigErrors) else f"acd explain: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"acd explain: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    show(answer, explanation_text(answer), as_json=args.json)
    return 0


def _of_engine(args: argparse.Namespace) -> Any:
    config = load_config(args)
    journal = Path(config.acd.state_dir) / "journal"
    client = engine_client(config)
    if args.agent is not None:
        return client.get("agents", args.agent, "explanation")
    try:
        return client.get("calls", args.call, "explanation")
    except NotKnown:
        if not journal.is_dir():
            raise
        print(f"not in the engine's memory; looking it up in {journal}", file=sys.stderr)
        return _of_journal(journal, args.call)
    except ApiError as error:
        raise ApiError(f"{error}\nWhat it has written down: acd explain {args.call} --journal {journal}") from error


def _of_journal(place: Path, call_id: str) -> Any:
    """What a journal tells of a call: as the engine's answer, with ``journal`` and what engines before knew."""
    answers = [_answer(recalled) for recalled in recall_call(place, call_id)]
    if not answers:
        raise ApiError(f"{place} names no call {call_id}; GET /api/status lists the live ones")
    return answers[-1] | {"earlier": answers[:-1]}


def _answer(recalled: Recalled) -> dict[str, Any]:
    told: dict[str, Any] = dated(recalled.explanation, lambda at_s: at_s + recalled.wall_s)
    header = recalled.segment.header
    written = {"file": str(recalled.segment.path), "version": header.get("version", ""), "parts_at": recalled.parts_at}
    return told | {"journal": written}

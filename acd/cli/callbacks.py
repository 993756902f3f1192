"""``acd callbacks``: who is still to be called back by the running engine; take a promise back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from acd.cli.asking import ask, show
from acd.cli.client import ApiClient
from acd.cli.site import add_config_options

__all__ = ["add_parser", "run"]


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Lists the open callbacks, who has waited longest first; times are in UTC. Exit code 0: done; 1: refused, no "
        "such callback, or no engine answers."
    )
    parser.add_argument("action", nargs="?", choices=("list", "cancel"), default="list", help="what to do")
    parser.add_argument(
        "id", nargs="?", default="", metavar="ID", help="of the callback to cancel, as the list says it"
    )
    parser.add_argument("--queue", default="", help="list only those of this queue")
    parser.add_argument("--json", action="store_true", help="print all that is known as JSON")
    add_config_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the engine and print what it says; returns the exit code."""
    if (args.action == "cancel") != bool(args.id):
        print("acd callbacks: name the callback to cancel, and no other: acd callbacks cancel ID", file=sys.stderr)
        return 2
    found = ask(
        args,
        "acd callbacks",
        lambda client: _cancelled(client, args.id) if args.id else _listed(client, args.queue),
    )
    if found is None:
        return 1
    answer, lines = found
    show(answer, lines, as_json=args.json)
    return 0


def _cancelled(client: ApiClient, call_id: str) -> tuple[Any, list[str]]:
    answer = client.delete("callbacks", call_id)
    return answer, [f"{answer['id']}: cancelled, was {answer['was']}"]


def _listed(client: ApiClient, queue: str) -> tuple[Any, list[str]]:
    found = [one for one in client.get("callbacks")["callbacks"] if queue in ("", one["queue"])]
    return found, list(_lines(found))


def _lines(callbacks: list[Mapping[str, Any]]) -> Iterator[str]:
    if not callbacks:
        yield "nobody is to be called back"
    for one in callbacks:
        name = f" ({one['name']})" if one["name"] else ""
        until = f" until {one['next_at']}" if one["next_at"] else ""
        agents = f", {', '.join(one['agents'])}" if one["agents"] else ""
        tried = f", attempt {one['attempts']} of {one['attempts_most']}" if one["attempts"] else ""
        yield (
            f"{one['waiting_since']}  {one['queue']}: {one['number']}{name}, {one['state']}{until}{agents}{tried}"
            f"  {one['id']}"
        )

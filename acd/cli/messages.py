"""``acd messages``: mails and webhooks that wait or were given up; send those again, or drop them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from acd.cli.asking import ask, show
from acd.cli.client import ApiClient, ApiError
from acd.cli.site import add_config_options

__all__ = ["add_parser", "run"]


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    commands = parser.add_subparsers(title="commands", dest="messages_command", metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="what was given up, with the reason; and how much waits")
    listing.add_argument("--json", action="store_true", help="print all that is known as JSON")
    retry = commands.add_parser("retry", help="send what was given up after all")
    drop = commands.add_parser("drop", help="remove what was given up for good")
    for command in (retry, drop):
        command.add_argument("ids", nargs="*", metavar="ID", help="the message's id, as 'list' shows it")
        command.add_argument("--all", action="store_true", help="all that were given up, or all to the one of --to")
    for command in (listing, retry, drop):
        command.add_argument("--to", default="", metavar="WHOM", help="only to this address, or this webhook")
        add_config_options(command)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    name = f"acd messages {args.messages_command}"
    if args.messages_command != "list" and bool(args.ids) == args.all:
        print(f"{name}: name the messages by their ids, or give --all", file=sys.stderr)
        return 2
    code = ask(args, name, lambda client: _do(client, args))
    return 1 if code is None else code


def _do(client: ApiClient, args: argparse.Namespace) -> int:
    found = client.get("messages")
    dead = [letter for letter in found["dead"] if args.to in ("", letter["to"])]
    if args.messages_command != "list":
        return _act(client, args.messages_command, args.ids or [letter["id"] for letter in dead])
    waiting = [line for line in found["waiting"] if args.to in ("", line["to"])]
    show({"waiting": waiting, "dead": dead}, _lines(waiting, dead), as_json=args.json)
    return 0


def _act(client: ApiClient, command: str, ids: Sequence[str]) -> int:
    """Do it with one after the other; what fails keeps none of the others from it."""
    failed = 0
    for message_id in ids:
        try:
            if command == "retry":
                client.post("messages", message_id, "retry")
            else:
                client.delete("messages", message_id)
        except ApiError as error:
            print(f"acd messages {command}: {message_id}: {error}", file=sys.stderr)
            failed += 1
    done = "to be sent again" if command == "retry" else "dropped"
    print(f"{len(ids) - failed} {done}" + (f", {failed} failed" if failed else ""))
    return 1 if failed else 0


def _lines(waiting: Sequence[Mapping[str, Any]], dead: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for line in waiting:
        to = "by mail" if line["kind"] == "mail" else f"to webhook {line['to']}"
        failure = f"; the last failure: {line['last_failure']}" if line["last_failure"] else ""
        yield f"{line['messages']} waiting {to}, the oldest since {line['oldest']}{failure}"
    if not dead:
        yield "nothing was given up"
    for letter in dead:
        kind = {"mail": "mail to ", "hook": "webhook "}.get(letter["kind"], "")
        yield f"{letter['given_up'] or 'at some time'}  {kind}{letter['to'] or 'no message'}: {letter['why']}"
        yield f"    {letter['id']}" + (f"  ({letter['about']})" if letter["about"] else "")

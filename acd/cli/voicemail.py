"""``acd voicemail``: make the hash of a box's PIN; list what lies in the boxes of the running engine."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from acd.cli.asking import ask, show
from acd.cli.site import add_config_options

__all__ = ["add_parser", "run"]


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    commands = parser.add_subparsers(title="commands", dest="voicemail_command", metavar="COMMAND", required=True)
    pin = commands.add_parser("pin", help="make the hash that a box has as pin_hash in voicemail.yaml")
    pin.description = (
        "Asks for the PIN twice, without showing it, and prints its hash. Without a terminal the PIN is read from the "
        "standard input, one line."
    )
    listing = commands.add_parser("list", help="list the messages, by box or state")
    listing.add_argument("--box", default="", help="only of this box")
    listing.add_argument("--state", default="", choices=("", "new", "saved", "assigned", "closed"), help="only these")
    listing.add_argument("--json", action="store_true", help="print all that is known as JSON")
    add_config_options(listing)


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    return _pin() if args.voicemail_command == "pin" else _list(args)


def _pin() -> int:
    from acd.service.voicemail.pins import hash_pin

    pin = getpass.getpass("PIN: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if sys.stdin.isatty() and getpass.getpass("Once more: ") != pin:
        print("acd voicemail pin: the two are not the same", file=sys.stderr)
        return 1
    try:
        print(hash_pin(pin))
    except ValueError as error:
        print(f"acd voicemail pin: {error}", file=sys.stderr)
        return 1
    return 0


def _list(args: argparse.Namespace) -> int:
    messages = ask(args, "acd voicemail list", lambda client: client.get("voicemail", "messages")["messages"])
    if messages is None:
        return 1
    wanted = [
        message for message in messages if args.box in ("", message["box"]) and args.state in ("", message["state"])
    ]
    show(wanted, _lines(wanted), as_json=args.json)
    return 0


def _lines(messages: list[Mapping[str, Any]]) -> Iterator[str]:
    if not messages:
        yield "no messages"
    for message in messages:
        caller = message["call"]["caller"] or "unknown number"
        agent = f" by {message['agent']}" if message["agent"] else ""
        urgent = ", urgent" if message["urgent"] else ""
        yield (
            f"{message['left_at']}  {message['box']}: {message['state']}{agent}{urgent}, {message['seconds']:g} s "
            f"from {caller}  {message['id']}"
        )

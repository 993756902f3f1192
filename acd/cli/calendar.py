"""``acd calendar``: what the calendars of the running engine say; open or close one by hand."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any

from acd.cli.asking import ask, show
from acd.cli.client import ApiClient
from acd.cli.site import add_config_options

__all__ = ["add_parser", "run"]

_STATES = {"open": "open", "close": "closed"}
_NONE = "there are no calendars; calendars.yaml holds them"


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Without a word all calendars are told. What is opened or closed by hand ends by itself at --until; times are "
        "by the calendar's own clock. Exit code 0: done; 1: refused, or no engine answers."
    )
    parser.add_argument("action", nargs="?", choices=("show", *_STATES, "withdraw"), default="show", help="what to do")
    parser.add_argument("calendar", nargs="?", default="", metavar="CALENDAR", help="its name in calendars.yaml")
    parser.add_argument("--until", default="", metavar="TIME", help="when it ends, such as 2026-11-23T18:00")
    parser.add_argument("--reason", default="", metavar="TEXT", help="for callers, pages and explanations")
    parser.add_argument("--by", default="", metavar="NAME", help="who does it, for the log (default: the user)")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    add_config_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the engine and print what it says; returns the exit code."""
    if args.action != "show" and not args.calendar:
        print(f"acd calendar: name the calendar: acd calendar {args.action} CALENDAR", file=sys.stderr)
        return 2
    answers = ask(args, "acd calendar", lambda client: _ask(args, client), unusable="nothing was changed")
    if answers is None:
        return 1
    show(answers, map(_line, answers) if answers else [_NONE], as_json=args.json)
    return 0


def _ask(args: argparse.Namespace, client: ApiClient) -> list[Any]:
    by = args.by or getpass.getuser()
    match args.action:
        case "show":
            return [client.get("calendars", args.calendar)] if args.calendar else client.get("calendars")["calendars"]
        case "withdraw":
            return [client.delete("calendars", args.calendar, "override", query={"by": by})]
    wish = {"state": _STATES[args.action], "until": args.until, "reason": args.reason, "by": by}
    return [client.put("calendars", args.calendar, "override", body=wish)]


def _line(told: Any) -> str:
    until = f" until {told['until']}" if told["until"] else ""
    override = told["override"]
    hand = f" (by {override['by']}, to {override['until']})" if override else ""
    return f"{told['calendar']}: {'open' if told['open'] else 'closed'}{until}: {told['why']}{hand}"

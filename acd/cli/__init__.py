"""The one console script, ``acd``.

Each subcommand is a module of this package with two functions, ``add_parser(parser)``, which adds its arguments to
an ``argparse.ArgumentParser`` of its own, and ``run(args) -> int``, which returns the exit code. A module is imported
only when its command is asked for, so every command starts quickly.

Exit codes: 0 all well, 1 it failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, cast

from acd.cli.packages import PackagesError, check_packages

__all__ = ["COMMANDS", "CommandModule", "main"]

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "run": "run the engine: take calls from Asterisk, distribute them, serve status and metrics",
        "check-config": "check a configuration folder and print every fault in it",
        "doctor": "check an Asterisk and its set-up, with a remedy for each fault",
        "reload": "take the changed configuration folder while calls are on",
        "calendar": "what the calendars say; open or close one by hand",
        "explain": "why a call went where it went, or why an agent has no call",
        "prompts": "make the sounds of all prompts, or say how each stands",
        "ivr": "walk through the menus in a terminal, or draw them",
        "callbacks": "who is to be called back; take a promise back",
        "voicemail": "make the hash of a voicemail box's PIN, or list the messages",
        "messages": "mails and webhooks that were given up: list them, send them again, drop them",
        "replay": "run a journal through the engine and say where it decides differently",
        "simulate": "simulate a queue with the engine in virtual time: waits, service level, occupancy",
        "demo": "callers and phones on a private Asterisk, with a live table and a summary",
        "lab": "start a private Asterisk without root, with the engine attached",
    }
)
"""Every subcommand with its line in ``acd --help``; ``check-config`` is the module ``acd.cli.check_config``."""


class CommandModule(Protocol):
    """What a subcommand's module offers."""

    def add_parser(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments to its own parser."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work; returns the exit code."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: the process's own) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        check_packages()
    except PackagesError as error:
        print(f"acd: {error}", file=sys.stderr)
        return 1
    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    parser = argparse.ArgumentParser(prog="acd", description="Automatic call distribution for Asterisk.")
    parser.add_argument("--version", action="version", version=f"acd {importlib.metadata.version('acd-engine')}")
    subcommands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    module: CommandModule | None = None
    for name, summary in COMMANDS.items():
        subparser = subcommands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name == asked:
            module = _load(name)
            module.add_parser(subparser)
    args = parser.parse_args(arguments)
    if module is None:  # argparse has ended the process for every other case
        parser.error("no such command")
    try:
        code = module.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output (`head`, `less`) has gone
        # What is left of it must not be tried again at the end of the process, which would complain and exit by 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _load(command: str) -> CommandModule:
    return cast("CommandModule", importlib.import_module(f"acd.cli.{command.replace('-', '_')}"))

"""``acd ivr``: walk through the menus in a terminal, and draw them."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import CollectorRegistry

from acd.cli.site import add_config_options, config_folder, config_overrides, load_config
from acd.service.compile import Compiled, compile_config
from acd.service.logs import set_up_logging
from acd.service.lookups.service import LookUpService
from acd.walker.answers import AnswersError, FakedLookUps, answers_of, read_answers
from acd.walker.callers import Caller, KeyboardCaller, ScriptedCaller, ScriptError, parse_script
from acd.walker.graph import graph_of
from acd.walker.graph_svg import svg_of
from acd.walker.steps import Step, ending
from acd.walker.terminal import keys_of, printable, told_end, told_step
from acd.walker.walk import Call, Teller, walk
from acd.walker.zones import MomentError, beginning
from config import Config, ConfigErrors
from config.loader import examine
from config.schema.routing import DEFAULT_NUMBER
from ivr.lookups import LookUpAnswer
from ivr.outcome import Outcome

__all__ = ["add_parser", "run"]

_WRONG_USAGE = 2


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parsers = parser.add_subparsers(dest="ivr_command", metavar="WHAT", required=True)
    _add_walk(parsers.add_parser("walk", help="be a caller in a terminal, by keyboard or by a script of keys"))
    _add_graph(parsers.add_parser("graph", help="draw all trees as SVG, with what is to be looked at marked"))


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # prompts may be in any script
    try:
        if args.ivr_command == "graph":
            return _graph(args)
        return _walk(args, load_config(args))
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
        return 1


def _add_graph(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.svg", help="where to (default: standard output)")


def _graph(args: argparse.Namespace) -> int:
    draft, findings = examine(config_folder(args), overrides=config_overrides(args))
    trees = graph_of(draft)
    picture = svg_of(trees)
    try:
        if args.output is None:
            sys.stdout.write(picture)
        else:
            args.output.write_text(picture, encoding="utf-8")
    except OSError as error:
        print(f"acd ivr graph: {args.output} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    for tree in trees:
        for node in tree.nodes:
            for mark, why in node.marks.items():
                print(printable(f"{'.'.join(node.place)}: {mark}: {why}"), file=sys.stderr)
    if findings.errors:
        print("the configuration has errors: see acd check-config", file=sys.stderr)
    return 0


def _add_walk(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser)
    parser.add_argument(
        "--keys",
        type=_script,
        metavar="KEYS",
        help="what the caller does each time a key is asked for, with commas between: keys (several are pressed at "
        "once, such as 12345678#), 'timeout' or 'hangup'; then the caller keeps silent (default: the keyboard)",
    )
    parser.add_argument("--caller", default="", metavar="NUMBER", help="the caller's number")
    parser.add_argument("--caller-name", default="", metavar="NAME", help="the caller's name, as the network tells it")
    parser.add_argument("--dialled", metavar="NUMBER", help="the number dialled (default: the first under 'numbers')")
    parser.add_argument(
        "--at",
        default="",
        metavar="MOMENT",
        help="when the call begins, such as 2026-11-23T10:00 (default: now); time passes by what is heard and by "
        "time-outs, not by the clock on the wall",
    )
    parser.add_argument(
        "--zone", default="", metavar="ZONE", help="zone of that moment (default: that of the calendars, else UTC)"
    )
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument(
        "--answers",
        type=_answers,
        default={},
        metavar="FILE",
        help="what look-ups answer (YAML or JSON): by name an outcome, or outcome, status and values, or a list of "
        "these; look-ups that it does not name fail",
    )
    answers.add_argument("--real-lookups", action="store_true", help="ask the real systems")
    parser.add_argument(
        "--talked",
        action="store_true",
        help="go on behind a queue as if an agent had talked with the caller and hung up",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for each step, for programs")


def _script(text: str) -> tuple[str, ...]:
    try:
        return parse_script(text)
    except ScriptError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _answers(text: str) -> dict[str, tuple[LookUpAnswer, ...]]:
    try:
        return read_answers(Path(text))
    except AnswersError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _walk(args: argparse.Namespace, config: Config) -> int:
    zones = (calendar.zone for calendar in config.calendars.values())
    try:
        at = beginning(args.at, args.zone, zones, datetime.now(UTC))
    except MomentError as error:
        print(f"acd ivr walk: {error}", file=sys.stderr)
        return _WRONG_USAGE
    site = compile_config(config)
    try:
        lookups = FakedLookUps(answers_of(site.lookups, args.answers))
    except AnswersError as error:
        print(f"acd ivr walk: --answers: {error}", file=sys.stderr)
        return _WRONG_USAGE
    call = Call(caller=args.caller, caller_name=args.caller_name, dialled=_dialled(args, config), at=at)
    teller = _JsonTeller() if args.json else _TextTeller()
    with _caller(args) as caller:
        asyncio.run(_run(args, config, site, call, caller, teller, lookups))
    return 0


async def _run(
    args: argparse.Namespace,
    config: Config,
    site: Compiled,
    call: Call,
    caller: Caller,
    teller: Teller,
    lookups: FakedLookUps,
) -> None:
    if not args.real_lookups:
        await walk(site, call, caller, teller, lookups=lookups, talked=args.talked)
        return
    set_up_logging("warning", "auto", sys.stderr)
    service = LookUpService(config.acd.http, lambda: site, CollectorRegistry())
    await service.open()
    try:
        await walk(site, call, caller, teller, lookups=service.desk, talked=args.talked)
    finally:
        await service.close()


def _dialled(args: argparse.Namespace, config: Config) -> str:
    if args.dialled is not None:
        return str(args.dialled)
    return next((number for number in config.routing.numbers if number != DEFAULT_NUMBER), "")


@contextmanager
def _caller(args: argparse.Namespace) -> Iterator[Caller]:
    if args.keys is not None:
        yield ScriptedCaller(args.keys)
        return
    with keys_of(sys.stdin) as read:
        yield KeyboardCaller(read, _ask)


def _ask(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class _JsonTeller:
    """One object for each step, the last with the end."""

    holds = True

    def hear(self, text: str) -> None:
        """Told with the step."""

    def step(self, step: Step) -> None:
        print(json.dumps(step.as_json(), ensure_ascii=False), flush=True)

    def end(self, outcome: Outcome) -> None:
        """Told with the last step."""


class _TextTeller:
    """Lines for people, as things happen."""

    holds = False

    def hear(self, text: str) -> None:
        print(f'    "{printable(text)}"', flush=True)

    def step(self, step: Step) -> None:
        print(told_step(step), flush=True)

    def end(self, outcome: Outcome) -> None:
        print(told_end(ending(outcome)), flush=True)

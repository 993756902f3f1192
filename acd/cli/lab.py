"""``acd lab``: a private Asterisk without root, with the engine attached, and callers and phones to try it."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from pathlib import Path
from secrets import token_hex

import config as config_package
from acd.lab.engine import acd_command
from acd.lab.errors import LabError
from acd.lab.fetch import ensure_asterisk
from acd.lab.install import AsteriskInstall, Tool
from acd.lab.notes import running_lab
from acd.lab.session import LabPlan, default_run_dir, run_lab_somewhere
from acd.lab.terminal import CallWish, PhoneWish, run_call, run_phone
from config import ConfigErrors, load
from config.secrets import secret_variable

__all__ = ["add_parser", "run"]

PHONE_TECHNOLOGY = "PJSIP/"


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parsers = parser.add_subparsers(dest="lab_command", metavar="WHAT", required=True)
    _add_run(parsers.add_parser("run", help="start Asterisk and the engine; Ctrl-C stops both"))
    _add_call(parsers.add_parser("call", help="be a caller: place a call to the running lab"))
    _add_phone(parsers.add_parser("phone", help="be a phone: register at the running lab and answer"))
    env = parsers.add_parser("env", help='print the running lab\'s settings as shell commands (eval "$(acd lab env)")')
    _add_run_dir(env)
    fetch = parsers.add_parser("fetch", help="only find or fetch Asterisk, SIPp and espeak-ng")
    for known in (parsers.choices["run"], fetch):
        known.add_argument(
            "--fetched",
            action="store_true",
            help="take Debian's packages even if this machine has an Asterisk of its own",
        )


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    try:
        match args.lab_command:
            case "fetch":
                return _fetch(args)
            case "run":
                return _run(args)
            case "env":
                return _env(args)
            case "call":
                return _call(args)
            case _:
                return _phone(args)
    except LabError as error:
        print(f"acd lab {args.lab_command}: {error}", file=sys.stderr)
        return 1


def _add_run_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run-dir",
        type=Path,
        metavar="DIR",
        default=default_run_dir(),
        help="folder of the lab's configuration, logs and state (default: ACD_LAB_DIR, else %(default)s)",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_run_dir(parser)
    parser.add_argument("--config", type=Path, metavar="DIR", help="configuration folder (default: the demo)")
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="this machine's IPv4 address for softphones on other machines (default: %(default)s, none)",
    )


def _add_call(parser: argparse.ArgumentParser) -> None:
    _add_run_dir(parser)
    parser.add_argument("number", help="the number to dial, such as 100")
    parser.add_argument("--digits", default="", help="keys to press after the answer; a comma waits a second")
    parser.add_argument("--seconds", type=float, metavar="S", help="hang up that long after the answer")
    parser.add_argument(
        "--from", dest="caller", default="+4930200100", metavar="NUMBER", help="caller's number (%(default)s)"
    )
    parser.add_argument("--name", default="", help="caller's name")
    parser.add_argument("--speak", action="store_true", help="speak, with a tone for a voice: to leave a message")
    parser.add_argument("--record", type=Path, metavar="FILE.wav", help="keep what the caller hears")


def _add_phone(parser: argparse.ArgumentParser) -> None:
    _add_run_dir(parser)
    parser.add_argument("name", help="the phone, such as anna; caller: who is called back")
    parser.add_argument("--answer-after", type=float, default=3.0, metavar="S", help="ring that long (%(default)s s)")
    parser.add_argument("--talk", type=float, metavar="S", help="hang up that long after the answer")


def _fetch(args: argparse.Namespace) -> int:
    install = ensure_asterisk(use_system=not args.fetched)
    print(f"asterisk   {install.version}  {shlex.join(install.asterisk)}")
    print(f"sipp       {shlex.join(install.sipp)}")
    print(f"espeak-ng  {shlex.join(install.espeak_ng)}")
    print(f"sounds     {install.sounds_dir}")
    return 0


def _run(args: argparse.Namespace) -> int:
    folder = args.config or Path(config_package.__file__).parent / "examples" / "demo"
    try:
        config = load(folder)
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
        return 1
    agents = {
        agent.phone.removeprefix(PHONE_TECHNOLOGY): agent.name
        for agent in config.agents.values()
        if agent.phone.startswith(PHONE_TECHNOLOGY)
    }
    number = next((number for number in config.routing.numbers if number != "default"), "100")
    install = ensure_asterisk(use_system=not args.fetched)
    not_given = [name for name in config.acd.secrets if name not in config.secrets]
    if not_given:
        _say(f"Not given, so made up for the engine: secret {', '.join(not_given)}")
    plan = LabPlan(
        args.run_dir.absolute(),
        agents,
        number,
        (*acd_command(), "run"),
        folder.absolute(),
        args.listen,
        {secret_variable(name): token_hex() for name in not_given},
    )
    return asyncio.run(run_lab_somewhere(install, plan, _say))


def _env(args: argparse.Namespace) -> int:
    notes = running_lab(args.run_dir)
    for name, value in notes.engine_env.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _call(args: argparse.Namespace) -> int:
    notes = running_lab(args.run_dir)
    wish = CallWish(args.number, args.caller, args.name, args.digits, args.seconds, args.record, args.speak)
    return asyncio.run(run_call(_sipp(), notes, wish, _say))


def _phone(args: argparse.Namespace) -> int:
    notes = running_lab(args.run_dir)
    return asyncio.run(run_phone(_sipp(), notes, PhoneWish(args.name, args.answer_after, args.talk), _say))


def _sipp() -> tuple[str, ...]:
    install: AsteriskInstall = ensure_asterisk({Tool.SIPP})
    return install.sipp


def _say(text: str) -> None:
    print(text, flush=True)

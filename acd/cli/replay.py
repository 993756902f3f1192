"""``acd replay``: run a journal through the engine of this version and say where it decides differently, if it does."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

from acd.core.commands import Command
from acd.store.event_codec import encode, encode_commands, event_name
from acd.store.journal import segments
from acd.store.replay import Input, JournalError, Replayed, Segment, TornSegment, read_segment, replay

__all__ = ["add_parser", "run"]


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Feeds every journalled input to the engine of this version, at its time, and compares the commands byte for "
        "byte. Exit code 0: all the same; 1: they part, or the file is no journal."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a journal segment, or a folder of them")
    parser.add_argument("--commands", action="store_true", help="print each input and the commands it leads to")
    parser.add_argument("--go-on", action="store_true", help="go on after the first difference")


def run(args: argparse.Namespace) -> int:
    """Replay and report; returns the exit code."""
    paths = segments(args.file) if args.file.is_dir() else [args.file]
    if not paths:
        print(f"acd replay: {args.file}: no journal segments (journal-*.jsonl) in this folder", file=sys.stderr)
        return 1
    failed = False
    for path in paths:
        try:
            segment = read_segment(path)
            result = replay(segment, on_input=_print if args.commands else None, go_on=args.go_on)
        except TornSegment as torn:
            print(torn)
            continue
        except JournalError as error:
            print(f"acd replay: {error}", file=sys.stderr)
            failed = True
        except OSError as error:
            print(f"acd replay: {path}: {error.strerror}", file=sys.stderr)
            failed = True
        else:
            print(_report(segment, result))
            failed = failed or result.parting is not None
    return 1 if failed else 0


def _print(entry: Input, made: list[Command]) -> None:
    print(f"#{entry.number} {entry.now:.6f} {event_name(entry.event)} {encode(entry.event).decode()}")
    for line in encode_commands(made).decode().splitlines():
        print(f"    {line}")


def _report(segment: Segment, result: Replayed) -> str:
    path = segment.path
    if result.parting is None:
        return f"{path}: {result.inputs} inputs, {result.commands} commands, all the same"
    entry = result.parting.input
    now = encode_commands(list(result.parting.commands)).decode() or "(no commands)"
    recorded = f"commands of digest {entry.digest}" if entry.digest else "no commands"
    return (
        f"{path}: the two part at input {entry.number} ({entry.now:.6f} s): {event_name(entry.event)} "
        f"{encode(entry.event).decode()}\n  recorded by version {segment.header.get('version') or '?'}: {recorded}\n"
        f"  now, by version {version('acd-engine')}: {now}"
    )

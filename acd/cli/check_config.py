"""``acd check-config``: check a configuration folder and print every fault in it, one a line."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acd.cli.site import add_config_options, config_folder, load_config
from config import Config, ConfigErrors, Problem
from config.files import shown
from config.json_schema import write_json_schemas

__all__ = ["add_parser", "run"]


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_config_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    parser.add_argument(
        "--json-schema",
        metavar="OUTDIR",
        type=Path,
        help="check nothing: write the files' JSON Schemas into OUTDIR, for editors",
    )


def run(args: argparse.Namespace) -> int:
    """Check, print what was found, and return 0 if the configuration can be used, else 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names in the files may be in any script
    if args.json_schema is not None:
        return _write_schemas(args.json_schema)
    folder = config_folder(args)
    config: Config | None = None
    errors: tuple[Problem, ...] = ()
    try:
        config = load_config(args)
        warnings = config.warnings
    except ConfigErrors as found:
        errors, warnings = found.errors, found.warnings
    counts = _counts(config) if config else {}
    if args.json:
        _print_json(folder, errors, warnings, counts)
    else:
        _print_lines(folder, errors, warnings, counts)
    return 1 if errors else 0


def _write_schemas(folder: Path) -> int:
    try:
        for path in write_json_schemas(folder):
            print(path)
    except OSError as error:
        print(f"acd check-config: the schemas cannot be written to {folder}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _counts(config: Config) -> dict[str, int]:
    return {"queues": len(config.routing.queues), "agents": len(config.agents), "trees": len(config.trees)}


def _print_lines(
    folder: Path, errors: tuple[Problem, ...], warnings: tuple[Problem, ...], counts: Mapping[str, int]
) -> None:
    for problem in (*errors, *warnings):
        print(problem)
    if errors:
        print(f"failed: {_counted(len(errors), 'error')}, {_counted(len(warnings), 'warning')} in {shown(folder)}")
    else:
        site = ", ".join(_counted(count, name.removesuffix("s")) for name, count in counts.items())
        print(f"ok: {site}" + (f"; {_counted(len(warnings), 'warning')}" if warnings else ""))


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _print_json(
    folder: Path, errors: tuple[Problem, ...], warnings: tuple[Problem, ...], counts: Mapping[str, int]
) -> None:
    report = {
        "ok": not errors,
        "folder": shown(folder),
        "errors": [_as_json(problem) for problem in errors],
        "warnings": [_as_json(problem) for problem in warnings],
        **counts,
    }
    print(json.dumps(report, indent=2))


def _as_json(problem: Problem) -> dict[str, Any]:
    """Describe a problem; one of the environment or the command line has no line and column."""
    at = problem.position
    return {"file": at.file, "line": at.line or None, "column": at.column or None, "message": problem.message}

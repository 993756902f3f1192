"""``acd prompts``: make the sounds of all prompts beforehand, and say how each stands."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from acd.cli.site import add_config_options, config_folder, config_overrides, load_config
from acd.service.compile import compile_config
from acd.service.logs import set_up_logging
from acd.service.prompts.cache import CacheError
from acd.service.prompts.preparing import PromptFailure, WarmUp
from acd.service.prompts.report import PromptReport, PromptRow, report_on
from acd.service.prompts.site import MEGABYTE, open_voices, prompt_store, speech_of_site
from acd.walker.terminal import printable
from config import Config, ConfigErrors
from config.checks import Draft
from config.loader import examine
from config.schema import Acd
from config.schema.shared import LANGUAGES

__all__ = ["add_parser", "run"]

_PLAIN_WIDTH = 160


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parsers = parser.add_subparsers(dest="prompts_command", metavar="WHAT", required=True)
    build = parsers.add_parser("build", help="make every sound that the menus may play, so that no caller waits")
    check = parsers.add_parser("check", help="say of each prompt and language whether it is there and of use")
    for known in (build, check):
        add_config_options(known)
        known.add_argument("--language", choices=LANGUAGES, help="this language alone")
        known.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    check.add_argument(
        "--all", action="store_true", help="show those of the engine's own, too, that are as they should be"
    )


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # texts may be in any script
    set_up_logging("warning", "auto", sys.stderr)
    try:
        if args.prompts_command == "build":
            return asyncio.run(_build(args, load_config(args)))
        folder = config_folder(args)
        draft, findings = examine(folder, overrides=config_overrides(args))
        return asyncio.run(_check(args, draft, folder.absolute(), len(findings.errors)))
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
    except CacheError as error:
        print(f"acd prompts {args.prompts_command}: {error}", file=sys.stderr)
    return 1


async def _build(args: argparse.Namespace, config: Config) -> int:
    site = compile_config(config)
    language = args.language
    prompts = {
        name: {key: source for key, source in variants.items() if language in (None, key)}
        for name, variants in site.prompts.items()
    }
    voices = await open_voices(config.acd, config.secrets)
    store = prompt_store(config.acd, config.folder, voices)
    progress = _Progress(quiet=args.json)
    try:
        await store.survey()
        done = await store.warm_up(
            prompts,
            speech=speech_of_site(site),
            languages=[language] if language else sorted(site.languages),
            progress=progress.tell,
        )
    finally:
        progress.end()
        await store.close()
        await voices.close()
    failures = [failure for failure in done.failures if language in (None, failure.language)]
    limit_bytes = round(config.acd.prompts.cache_mb * MEGABYTE)
    if args.json:
        print(json.dumps(_built_json(done, failures, limit_bytes), ensure_ascii=False, indent=2))
    else:
        _print_built(done, failures, limit_bytes)
    return 1 if failures else 0


class _Progress:
    """Counts on one line of standard error, where that is a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()

    def tell(self, done: int, total: int) -> None:
        if self._shown:
            print(f"\r{done} of {total}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _built_json(done: WarmUp, failures: list[PromptFailure], limit_bytes: int) -> dict[str, object]:
    return {
        "ok": not failures,
        "ready": done.ready,
        "sounds": done.sounds,
        "bytes": done.sounds_bytes,
        "limit_bytes": limit_bytes,
        "seconds": round(done.duration_s, 1),
        "failures": [asdict(failure) for failure in failures],
    }


def _print_built(done: WarmUp, failures: list[PromptFailure], limit_bytes: int) -> None:
    for failure in failures:
        print(printable(f"failed: {failure.prompt} ({failure.language}): {failure.reason}"))
    size = f"{done.sounds} sounds of {_megabytes(done.sounds_bytes)}"
    print(f"{'failed' if failures else 'ok'}: {done.ready} ready, {len(failures)} failed; {size} in the cache")
    if done.sounds_bytes > limit_bytes:
        print(f"warning: that is more than prompts.cache_mb ({_megabytes(limit_bytes)}); it is kept all the same")


async def _check(args: argparse.Namespace, draft: Draft, folder: Path, errors: int) -> int:
    acd = draft.acd.model or Acd()
    secrets = dict(draft.secrets.items())
    voices = await open_voices(acd, secrets)
    store = prompt_store(acd, folder, voices)
    try:
        await store.survey()
        report = report_on(draft, store, round(acd.prompts.cache_mb * MEGABYTE), args.language or "")
    finally:
        await store.close()
        await voices.close()
    failed = bool(report.faults) or report.over_limit or errors > 0
    if args.json:
        print(json.dumps(_checked_json(report, errors, ok=not failed), ensure_ascii=False, indent=2))
    else:
        _print_checked(report, errors, failed=failed, everything=args.all)
    return 1 if failed else 0


def _checked_json(report: PromptReport, errors: int, *, ok: bool) -> dict[str, object]:
    return {
        "ok": ok,
        "prompts": [asdict(row) | {"fault": row.is_fault} for row in report.rows],
        "unused": list(report.unused),
        "languages_missing": {name: list(languages) for name, languages in report.untranslated.items()},
        "bytes": report.size_bytes,
        "limit_bytes": report.limit_bytes,
        "over_limit": report.over_limit,
        "config_errors": errors,
    }


def _print_checked(report: PromptReport, errors: int, *, failed: bool, everything: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("prompt", "language", "state", "size", "detail"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "size" else "left")
    for row in report.rows:
        if row.built_in and not row.is_fault and not everything:
            continue
        table.add_row(*(printable(cell) for cell in _cells(row)))
    console = Console(markup=False, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    console.print(table)
    for name in report.unused:
        print(printable(f"warning: prompt '{name}' is played nowhere"))
    for name, languages in report.untranslated.items():
        print(printable(f"warning: prompt '{name}' has no {', '.join(languages)}, which callers may have chosen"))
    if report.over_limit:
        print(
            f"over the size limit: {_megabytes(report.size_bytes)} of sound, prompts.cache_mb is "
            f"{_megabytes(report.limit_bytes)}"
        )
    if errors:
        print("the configuration has errors: see acd check-config")
    own = sum(not row.built_in for row in report.rows)
    print(
        f"{'failed' if failed else 'ok'}: {own} prompts of the site, {len(report.rows) - own} of the engine, "
        f"{report.faults} faults; {_megabytes(report.size_bytes)} in the cache"
    )


def _cells(row: PromptRow) -> tuple[str, ...]:
    size = f"{row.size_bytes / 1000:.0f} kB" if row.size_bytes else ""
    return row.prompt, row.language, f"{'! ' if row.is_fault else ''}{row.state}", size, row.detail


def _megabytes(count: int) -> str:
    return f"{count / MEGABYTE:.1f} MB"

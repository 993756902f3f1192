"""Surveys on disk: a file for each day, a line for each survey, only ever added to; old days make room.

All methods block on the disk.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from acd.service.surveys.records import SurveyFilter, SurveyRecord, decode, encode

__all__ = ["SurveyLimits", "SurveyStore"]

log = structlog.get_logger(__name__)

_FILE: Final = re.compile(r"(\d{4}-\d\d-\d\d)\.jsonl")
_LONGEST_LINE: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyLimits:
    """Bounds of what is kept; the oldest days make room."""

    days: int = 400
    size_bytes: int = 256 * 1024 * 1024


class SurveyStore:
    """The folder. One process writes to it; any may read."""

    def __init__(self, folder: Path, limits: SurveyLimits, wall: Callable[[], float]) -> None:
        self._folder = folder
        self._limits = limits
        self._wall = wall
        self._swept = ""
        """The day on which old files were last removed."""

    def add(self, records: Sequence[SurveyRecord]) -> None:
        """Add records; when this returns they are on disk.

        Raises:
            OSError: they are not, or not all of them.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        by_day: dict[str, list[SurveyRecord]] = {}
        for record in records:
            by_day.setdefault(f"{record.at:%Y-%m-%d}", []).append(record)
        for day, of_day in by_day.items():
            self._append(self._folder / f"{day}.jsonl", b"".join(map(encode, of_day)))
        self._sweep()

    def read(self, wanted: SurveyFilter, most: int) -> list[SurveyRecord]:
        """Return the records that are wanted, the newest first, at most so many.

        A call that was asked again, because the engine was ended in the middle, counts once, with its last answers.
        """
        found: dict[tuple[str, str], SurveyRecord] = {}
        for path in self._files(wanted):
            for record in self._newest_first(path):
                if wanted.takes(record):
                    found.setdefault((record.call, record.survey), record)
                    if len(found) >= most:
                        return list(found.values())
        return list(found.values())

    def _files(self, wanted: SurveyFilter) -> Iterator[Path]:
        """Yield the files that may hold what is wanted, the newest first."""
        since = "" if wanted.since is None else f"{wanted.since.astimezone(UTC):%Y-%m-%d}"
        before = "9" if wanted.before is None else f"{wanted.before.astimezone(UTC):%Y-%m-%d}"
        for day, path in sorted(self._days(), reverse=True):
            if since <= day <= before:
                yield path

    def _days(self) -> Iterator[tuple[str, Path]]:
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            match = _FILE.fullmatch(path.name)
            if match is not None:
                yield match[1], path

    @staticmethod
    def _newest_first(path: Path) -> list[SurveyRecord]:
        records: list[SurveyRecord] = []
        with path.open("rb") as file:
            for line in file:
                try:
                    records.append(decode(line[:_LONGEST_LINE]))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    log.warning("a line of a survey file is no survey", file=str(path), why=str(error))
        records.reverse()
        return records

    @staticmethod
    def _append(path: Path, lines: bytes) -> None:
        """Add whole lines; a line that was torn by a power cut before is ended first, so that it spoils no other."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with io.FileIO(handle, "r+b") as file:
            end = os.fstat(handle).st_size
            torn = bool(end) and os.pread(handle, 1, end - 1) != b"\n"
            content = b"\n" + lines if torn else lines
            try:
                _write_all(file, content)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, end)  # all or nothing: what failed is added again as a whole
                raise

    def _sweep(self) -> None:
        """Remove what is over the limits, once a day."""
        today = datetime.fromtimestamp(self._wall(), UTC)
        if self._swept == f"{today:%Y-%m-%d}":
            return
        self._swept = f"{today:%Y-%m-%d}"
        oldest = f"{today - timedelta(days=self._limits.days):%Y-%m-%d}"
        size = 0
        for day, path in sorted(self._days(), reverse=True):
            size += path.stat().st_size
            if day < oldest or (size > self._limits.size_bytes and day != self._swept):
                log.info("old surveys removed", file=str(path))
                path.unlink(missing_ok=True)


def _write_all(file: io.FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) or 0 :]

"""Surveys on disk: a file for each day, a line for each survey, only ever added to; old days make room.

All methods block on the disk.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from acd.service.surveys.records import SurveyFilter, SurveyRecord, decode, encode

__all__ = ["SurveyStore"]

log = structlog.get_logger(__name__)

_FILE: Final = re.compile(r"(\d{4}-\d\d-\d\d)\.jsonl")
_LONGEST_LINE: Final = 64 * 1024


_MOST_BYTES: Final = 256 * 1024 * 1024


class SurveyStore:
    """The folder. One process writes to it; any may read.

    Args:
        folder: where the files lie; made when needed.
        keep_days: so many days back surveys are kept, as configured now; 0: all of them.
        wall: the clock, UNIX time (seconds).
        most_bytes: of all files together; the oldest days make room, the present one never does.
    """

    def __init__(
        self, folder: Path, keep_days: Callable[[], int], wall: Callable[[], float], most_bytes: int = _MOST_BYTES
    ) -> None:
        self._folder = folder
        self._keep_days = keep_days
        self._wall = wall
        self._most_bytes = most_bytes

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

    def sweep(self) -> None:
        """Remove the days that have been kept long enough, and the oldest of what is too much.

        Raises:
            OSError: not all of it could be removed.
        """
        now, keep_days, size_bytes = datetime.fromtimestamp(self._wall(), UTC), self._keep_days(), 0
        today = f"{now:%Y-%m-%d}"
        oldest = f"{now - timedelta(days=keep_days):%Y-%m-%d}" if keep_days else ""
        for day, path in sorted(self._days(), reverse=True):
            size_bytes += path.stat().st_size
            if day < oldest or (size_bytes > self._most_bytes and day != today):
                path.unlink(missing_ok=True)
                log.info("old surveys removed", file=str(path))

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


def _write_all(file: io.FileIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) or 0 :]

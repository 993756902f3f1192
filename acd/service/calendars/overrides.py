"""Calendars that somebody has opened or closed by hand, kept over restarts in a file of the state folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from acd.core.calendars import Override
from acd.service.kept_file import KeptFile
from acd.web.calendars import NotKept

__all__ = ["Overrides", "SetOverride"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SetOverride:
    """An override, and who set it when. ``by`` is what the person (or program) called itself."""

    override: Override
    by: str
    set_at: datetime


class Overrides:
    """The overrides in force, at most one for each calendar. One that is over is gone by itself.

    ``wall``: UNIX time (seconds).
    """

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._set: dict[str, SetOverride] = {}
        self._file = KeptFile(path, "calendars opened or closed by hand", self._encode)

    def load(self) -> None:
        """Read what was kept; of a file that cannot be used, nothing."""
        content = self._file.read()
        if content is None:
            return
        try:
            self._set = _decode(content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._file.unusable(error)

    def get(self, calendar: str) -> SetOverride | None:
        """Return the override in force for a calendar."""
        found = self._set.get(calendar)
        if found is not None and found.override.until.timestamp() <= self._wall():
            del self._set[calendar]
            return None
        return found

    def override(self, calendar: str) -> Override | None:
        """Return what is in force for a calendar."""
        found = self.get(calendar)
        return found.override if found is not None else None

    async def set(self, calendar: str, override: Override, by: str) -> SetOverride:
        """Put an override in force instead of the calendar's present one; it is kept when this returns.

        Raises:
            NotKept: it cannot be kept.
        """
        now = datetime.fromtimestamp(self._wall(), UTC)
        new = SetOverride(override, by, now)
        await self._change(calendar, new)
        return new

    async def withdraw(self, calendar: str) -> SetOverride | None:
        """End a calendar's override; returns it, None when there is none. Raises NotKept."""
        found = self.get(calendar)
        if found is not None:
            await self._change(calendar, None)
        return found

    async def _change(self, calendar: str, new: SetOverride | None) -> None:
        before = self._set.get(calendar)
        self._put(calendar, new)
        if not await self._file.write_now():
            self._put(calendar, before)
            raise NotKept(str(self._file.path))

    def _put(self, calendar: str, new: SetOverride | None) -> None:
        if new is None:
            self._set.pop(calendar, None)
        else:
            self._set[calendar] = new

    def _encode(self) -> bytes:
        return orjson.dumps({"format": _FORMAT, "overrides": dict(self._records())})

    def _records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for calendar in tuple(self._set):
            found = self.get(calendar)
            if found is not None:
                yield (
                    calendar,
                    {
                        "open": found.override.is_open,
                        "until": found.override.until.isoformat(),
                        "reason": found.override.why,
                        "by": found.by,
                        "set_at": found.set_at.isoformat(),
                    },
                )


def _decode(content: bytes) -> dict[str, SetOverride]:
    document = orjson.loads(content)
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError(f"not a file of format {_FORMAT}")
    return {
        str(calendar): SetOverride(
            Override(record["open"] is True, _moment(record["until"]), str(record["reason"])),
            str(record["by"]),
            _moment(record["set_at"]),
        )
        for calendar, record in document["overrides"].items()
    }


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment

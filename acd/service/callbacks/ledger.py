"""All callbacks that are open, what bounds them, and the file that they survive in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from acd.service.callbacks.entries import Callback, entry_of
from acd.service.kept_file import KeptFile

__all__ = ["Answers", "Bounds", "Ledger"]

_FORMAT = 2
_OLDEST_FORMAT = 1
_ANSWERS_KEPT = 5000
ANSWERS_WINDOW_S = 24 * 3600.0
"""Over so long silent answers are counted (seconds)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be promised. ``per_number_per_day`` counts what a number asks for and what is to call it.

    ``zone``: whose day.
    """

    open: int = 1000
    per_day: int = 1000
    per_number_per_day: int = 5
    zone: ZoneInfo = ZoneInfo("UTC")


@dataclass(slots=True)
class Answers:
    """The customers who answered when they were rung first, and which of them got no agent in time."""

    seen: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=_ANSWERS_KEPT))
    """When (wall-clock seconds), and whether it was silent."""

    def note(self, now: float, *, silent: bool) -> None:
        """Count one."""
        self.seen.append((now, silent))

    def one_more_is_allowed(self, now: float, limit: float, under_way: int) -> bool:
        """Tell whether the share of silent answers stays within ``limit`` (0 to 1) even if all under way become silent.

        ``under_way``: customers who are being rung or wait for an agent. With few answers the share says little, so
        one silent answer is let pass for as many answers as make the limit a whole one (34 at 3 %), seen or not.
        """
        if limit <= 0:
            return False
        while self.seen and self.seen[0][0] <= now - ANSWERS_WINDOW_S:
            self.seen.popleft()
        silent = sum(1 for _, was_silent in self.seen if was_silent) + under_way + 1
        answers = max(len(self.seen) + under_way + 1, 1 / limit)
        return silent <= limit * answers + 1e-9


@dataclass(slots=True)
class _Day:
    """What was promised today. A day that is over is forgotten."""

    date: str = ""
    numbers: dict[str, int] = field(default_factory=dict)
    """To each number."""
    askers: dict[str, int] = field(default_factory=dict)
    """By each caller's own number, to other numbers."""

    @property
    def total(self) -> int:
        return sum(self.numbers.values())

    def of(self, number: str) -> int:
        return self.numbers.get(number, 0) + self.askers.get(number, 0)


class Ledger:
    """See the module. ``wall``: UNIX time (seconds)."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._open: dict[str, Callback] = {}
        self._by_number: dict[str, str] = {}
        self._taken_back: set[str] = set()
        """Open until what rings has stopped, and not to be taken up by an engine after us."""
        self._day = _Day()
        self.answers = Answers()
        self.file = KeptFile(path, "callbacks", self._encode)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Callback]:
        return iter(self._open.values())

    def get(self, call_id: str) -> Callback | None:
        """The open callback of this id."""
        return self._open.get(call_id)

    def of_number(self, number: str) -> Callback | None:
        """The open callback to this number."""
        return self._open.get(self._by_number.get(number, ""))

    def refusal(self, number: str, bounds: Bounds, asker: str = "") -> str:
        """Say why no further callback may be promised to this number now; empty when it may.

        ``asker``: the number of the caller who wishes it, which may be another one.
        """
        day = self._today(bounds.zone)
        if len(self._open) >= bounds.open:
            return "open-limit"
        if day.total >= bounds.per_day:
            return "per-day-limit"
        if any(known and day.of(known) >= bounds.per_number_per_day for known in (number, asker)):
            return "per-number-limit"
        return ""

    def add(self, entry: Callback, bounds: Bounds, asker: str = "") -> None:
        """Note a new one, and that one more was promised today. ``asker``: see ``refusal``."""
        day = self._today(bounds.zone)
        day.numbers[entry.number] = day.numbers.get(entry.number, 0) + 1
        if asker and asker != entry.number:
            day.askers[asker] = day.askers.get(asker, 0) + 1
        self.keep(entry)

    def keep(self, entry: Callback) -> None:
        """Note one, new or changed."""
        self._open[entry.id] = entry
        self._by_number[entry.number] = entry.id
        self.file.changed()

    def take_back(self, call_id: str) -> None:
        """Keep one no longer in the file, though it is open until it is dropped."""
        self._taken_back.add(call_id)
        self.file.changed()

    def drop(self, call_id: str) -> Callback | None:
        """Forget one; it is returned."""
        entry = self._open.pop(call_id, None)
        self._taken_back.discard(call_id)
        if entry is not None:
            if self._by_number.get(entry.number) == call_id:
                del self._by_number[entry.number]
            self.file.changed()
        return entry

    def note_answer(self, *, silent: bool) -> None:
        """Count a customer who was rung first and answered."""
        self.answers.note(self._wall(), silent=silent)
        self.file.changed()

    def restore(self) -> None:
        """Take over what was promised before a restart."""
        content = self.file.read()
        if content is None:
            return
        try:
            entries, day, answers = _decode(content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self.file.unusable(error)
            return
        for entry in entries:
            self._open[entry.id] = entry
            self._by_number[entry.number] = entry.id
        self._day = day
        self.answers.seen.extend(answers)

    def _today(self, zone: ZoneInfo) -> _Day:
        date = datetime.fromtimestamp(self._wall(), UTC).astimezone(zone).date().isoformat()
        if self._day.date != date:
            self._day = _Day(date)
        return self._day

    def _encode(self) -> bytes:
        return orjson.dumps(
            {
                "format": _FORMAT,
                "callbacks": [asdict(entry) for entry in self._open.values() if entry.id not in self._taken_back],
                "today": {"date": self._day.date, "numbers": self._day.numbers, "askers": self._day.askers},
                "answers": list(self.answers.seen),
            }
        )


def _decode(content: bytes) -> tuple[list[Callback], _Day, list[tuple[float, bool]]]:
    document = orjson.loads(content)
    if not isinstance(document, dict) or document.get("format") not in range(_OLDEST_FORMAT, _FORMAT + 1):
        raise ValueError(f"not a file of format {_OLDEST_FORMAT} to {_FORMAT}")
    entries = [entry_of(found) for found in document["callbacks"]]
    today: dict[str, Any] = document.get("today", {})
    counted = ({str(number): int(count) for number, count in today.get(of, {}).items()} for of in ("numbers", "askers"))
    answers = [(float(at), bool(silent)) for at, silent in document.get("answers", ())]
    if not all(isfinite(at) for at, _ in answers):
        raise ValueError("an answer without a time")
    return entries, _Day(str(today.get("date", "")), *counted), answers

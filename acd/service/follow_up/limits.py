"""So many messages a day: counted over 24 hours for each rule and number, and kept over restarts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

from acd.service.kept_file import KeptFile

__all__ = ["DailyLimits"]

_DAY_S: Final = 24 * 3600.0
_FORMAT: Final = 1
_MOST_KEPT: Final = 50_000
"""Numbers that are remembered; the longest unseen make room."""
_GATHER_S: Final = 2.0


class DailyLimits:
    """Times of what was sent, by subject. ``wall``: UNIX time (seconds)."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._sent: dict[str, deque[float]] = {}
        self._file = KeptFile(path, "limits of follow-ups", self._encode, _GATHER_S)

    def load(self) -> None:
        """Take over what was counted before a restart."""
        content = self._file.read()
        try:
            self._sent = _decode(content) if content is not None else {}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._file.unusable(error)

    def is_met(self, subject: str, most: int) -> bool:
        """Tell whether so many were sent within the last 24 hours."""
        return len(self._recent(subject)) >= most

    def note(self, subject: str) -> None:
        """Note that one is sent now."""
        times = self._recent(subject)
        times.append(self._wall())
        self._sent.pop(subject, None)
        self._sent[subject] = times
        while len(self._sent) > _MOST_KEPT:
            del self._sent[next(iter(self._sent))]
        self._file.changed()

    def _recent(self, subject: str) -> deque[float]:
        times = self._sent.get(subject, deque())
        since = self._wall() - _DAY_S
        while times and times[0] <= since:
            times.popleft()
        return times

    async def run(self) -> None:
        """Keep the file, see ``KeptFile``."""
        await self._file.run()

    def _encode(self) -> bytes:
        recent = {subject: list(self._recent(subject)) for subject in self._sent}
        return orjson.dumps({"format": _FORMAT, "sent": {subject: times for subject, times in recent.items() if times}})


def _decode(content: bytes) -> dict[str, deque[float]]:
    document: Any = orjson.loads(content)
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError(f"not a file of format {_FORMAT}")
    return {str(subject): deque(float(at) for at in times) for subject, times in document["sent"].items()}

"""A clock for tests of parts that ask for ``call_later``: time passes when the test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Clockwork:
    now: float = 100.0
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _sequence: int = 0

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        self._sequence += 1
        self._due.append((self.now + seconds, self._sequence, action))

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := sorted(entry for entry in self._due if entry[0] <= end):
            entry = due[0]
            self._due.remove(entry)
            self.now = entry[0]
            entry[2]()
        self.now = end

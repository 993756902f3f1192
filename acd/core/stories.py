"""What happened to a call or an agent: a short, bounded list that explains and debugs."""

from __future__ import annotations

from typing import Any

__all__ = ["Happening", "Story"]

Happening = tuple[float, int, str, Any]
"""(seconds on the engine's clock, number of the input event, what, detail)."""


class Story:
    """The last ``limit`` happenings, oldest first; ``dropped`` counts those that made room."""

    __slots__ = ("dropped", "happenings", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.dropped = 0
        self.happenings: list[Happening] = []

    def tell(self, now: float, cause: int, what: str, detail: Any = "") -> None:
        """Add one. Details are kept as they are and put into words only when somebody asks."""
        happenings = self.happenings
        happenings.append((now, cause, what, detail))
        if len(happenings) > self.limit:
            # Half at a time: dropping one by one would shift the whole list at each call.
            half = self.limit // 2
            del happenings[:half]
            self.dropped += half

    def lines(self) -> tuple[str, ...]:
        """Return the story in words, oldest first."""
        return tuple(
            f"{at:.3f} #{cause} {what}{f' {detail}' if detail != '' else ''}"
            for at, cause, what, detail in self.happenings
        )

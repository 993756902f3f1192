"""What happened to a call or an agent: a short, bounded list that explains and debugs."""

from __future__ import annotations

from typing import Any

__all__ = ["Happening", "Story"]

Happening = tuple[float, int, str, Any]
"""(seconds on the engine's clock, number of the input event, what, detail)."""


_FIELDS = 4
"""Values kept per happening."""


class Story(list[Any]):
    """The last ``limit`` happenings, oldest first; ``dropped`` counts those that made room.

    It is itself the list of their values, one after the other. A tuple for each, or a list beside the story, would be
    more objects for the garbage collector to look at, and there are ten thousands of them.
    """

    __slots__ = ("dropped", "limit")

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.dropped = 0

    def tell(self, now: float, cause: int, what: str, detail: Any = "") -> None:
        """Add one. Details are kept as they are and put into words only when somebody asks."""
        self += (now, cause, what, detail)
        if len(self) > self.limit * _FIELDS:
            # Half at a time: dropping one by one would shift the whole list at each call.
            half = self.limit // 2
            del self[: half * _FIELDS]
            self.dropped += half

    @property
    def happenings(self) -> list[Happening]:
        """What is still kept, oldest first."""
        fields = iter(self)
        return list(zip(fields, fields, fields, fields, strict=True))

    def lines(self) -> tuple[str, ...]:
        """Return the story in words, oldest first."""
        return tuple(
            f"{at:.3f} #{cause} {what}{f' {detail}' if detail != '' else ''}"
            for at, cause, what, detail in self.happenings
        )

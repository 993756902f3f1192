"""Agents for the tests of ``routing``: plain values instead of the engine's entities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from routing.candidate import Candidate


@dataclass(eq=False)
class FakeAgent:
    """An agent of whom everything can be set; counts and times are the same for every queue unless given per queue."""

    index: int
    id: str = ""
    idle_stamp: int = 1
    weight: float = 1.0
    levels: Mapping[str, int] = field(default_factory=dict)
    place: int = 0
    idle_since: float = 0.0
    calls: int = 0
    talk_s: float = 0.0
    per_queue: Mapping[str, tuple[float, int, float]] = field(default_factory=dict)
    """Queue to idle since, calls, talk time."""

    def order_in(self, queue: str) -> int:
        return self.place

    def idle_since_for(self, queue: str) -> float:
        return self.per_queue[queue][0] if queue in self.per_queue else self.idle_since

    def calls_for(self, queue: str) -> int:
        return self.per_queue[queue][1] if queue in self.per_queue else self.calls

    def talk_s_for(self, queue: str) -> float:
        return self.per_queue[queue][2] if queue in self.per_queue else self.talk_s

    def leave(self) -> None:
        """Stop being idle."""
        self.idle_stamp += 1

    def come_back(self) -> None:
        """Become idle again."""
        self.idle_stamp += 1


def indexes(agents: Iterable[Candidate | None]) -> list[int]:
    return [agent.index for agent in agents if agent is not None]

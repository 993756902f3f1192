"""What comes after a talk or a call, put together: surveys, and the messages that follow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from acd.core.commands import Command
from acd.core.events import Event
from acd.service.follow_up.courses import CallCourses, Course
from acd.service.follow_up.desk import FollowUpDesk, FollowUpTools
from acd.service.follow_up.rules import FollowUpRule
from acd.service.messages import Message
from acd.service.surveys import SurveyDesk, SurveyLimits, SurveyStore
from ivr.context import CallContext

__all__ = ["Aftercare", "AftercareTools"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AftercareTools:
    """What it uses of the process around it."""

    context_of: Callable[[str], CallContext | None]
    """What the menus know of a call whose line is with us."""
    rules: Callable[[], Sequence[FollowUpRule]]
    post: Callable[[Message], Awaitable[bool]]
    wall: Callable[[], float]
    """UNIX time (seconds)."""
    now: Callable[[], float]
    """The engine's time (monotonic seconds)."""
    uniform: Callable[[float, float], float]
    """Chance."""


class Aftercare:
    """See the module."""

    def __init__(self, state_dir: Path, registry: CollectorRegistry, tools: AftercareTools) -> None:
        self.courses = CallCourses(tools.context_of, self._call_ended)
        self.follow_ups = FollowUpDesk(
            state_dir / "follow-ups.json",
            FollowUpTools(tools.rules, tools.post, tools.wall, tools.now, self.courses.of_call),
        )
        self.surveys = SurveyDesk(
            SurveyStore(state_dir / "surveys", SurveyLimits(), tools.wall),
            registry,
            tools.uniform,
            tools.wall,
            self.follow_ups.surveyed,
        )

    def observe(self, sequence: int, event: Event, now: float, commands: Sequence[Command]) -> None:
        """Take note of an input of the engine (see ``EngineHost.observe``)."""
        self.courses.observe(sequence, event, now, commands)

    def _call_ended(self, course: Course, now: float) -> None:
        self.follow_ups.call_ended(course, now)

    def load(self) -> None:
        """Take over what was kept. Blocks on the disk; once, before the first call."""
        self.follow_ups.load()

    async def run(self) -> None:
        """Keep what comes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.surveys.run())
            group.create_task(self.follow_ups.run())

    def metrics(self) -> Iterator[Metric]:
        """Read the counts for a scrape."""
        return self.follow_ups.metrics()

"""What comes after a talk or a call, put together: surveys, and the messages that follow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from acd.core.commands import Command
from acd.core.events import Event
from acd.service.callbacks.entries import Callback
from acd.service.follow_up.courses import CallCourses, Course
from acd.service.follow_up.desk import Caller, FollowUpDesk, FollowUpTools
from acd.service.follow_up.rules import FollowUpRule
from acd.service.messages import Message
from acd.service.surveys import SurveyDesk, SurveyStore
from acd.service.voicemail.message import MessageState, StoredMessage
from ivr.context import CallContext

__all__ = ["Aftercare", "AftercareTools"]

_MESSAGES_KNOWN: Final = 10_000
_MESSAGE_RECENT_S: Final = 24 * 3600.0
"""An older message is not new, whatever changes about it after a restart (seconds)."""
_GIVEN_UP: Final = frozenset({"expired", "no-queue", "unreached"})
"""What becomes of a callback that nobody has wanted to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AftercareTools:
    """What it uses of the process around it."""

    context_of: Callable[[str], CallContext | None]
    """What the menus know of a call whose line is with us."""
    rules: Callable[[], Sequence[FollowUpRule]]
    post: Callable[[Message], Awaitable[bool]]
    surveys_keep_days: Callable[[], int]
    """So long surveys are kept; 0: for ever."""
    wall: Callable[[], float]
    """UNIX time (seconds)."""
    now: Callable[[], float]
    """The engine's time (monotonic seconds)."""
    uniform: Callable[[float, float], float]
    """Chance."""


class Aftercare:
    """See the module."""

    def __init__(self, state_dir: Path, registry: CollectorRegistry, tools: AftercareTools) -> None:
        self._tools = tools
        self._messages: dict[str, None] = {}
        """Messages that were told of, the last ones."""
        self.courses = CallCourses(tools.context_of, self._call_ended)
        self.follow_ups = FollowUpDesk(
            state_dir / "follow-ups.json",
            FollowUpTools(tools.rules, tools.post, tools.wall, tools.now, self.courses.of_call),
        )
        self.surveys = SurveyDesk(
            SurveyStore(state_dir / "surveys", tools.surveys_keep_days, tools.wall),
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

    def voicemail_changed(self, message: StoredMessage) -> None:
        """A message in a box is new or has changed (see ``MessageStore.watch``): what is new is told of once."""
        is_recent = self._tools.wall() - message.left_at < _MESSAGE_RECENT_S
        if message.state is not MessageState.NEW or message.id in self._messages or not is_recent:
            return
        self._messages[message.id] = None
        while len(self._messages) > _MESSAGES_KNOWN:
            del self._messages[next(iter(self._messages))]
        call = message.call
        about = {
            "voicemail.box": message.box,
            "voicemail.seconds": str(round(message.seconds)),
            "voicemail.id": message.id,
        }
        self.follow_ups.told(
            "voicemail",
            Caller(call.call_id, call.caller, call.caller_name, call.dialled, call.language, call.queue, call.data),
            about,
        )

    def callback_ended(self, entry: Callback, result: str) -> None:
        """A callback has come to its end (see ``Callbacks.watch``)."""
        if result in _GIVEN_UP:
            caller = Caller(entry.id, entry.number, entry.name, entry.dialled, entry.language, entry.queue, entry.data)
            self.follow_ups.told("callback-given-up", caller, {}, self._tools.wall() - entry.entered_at)

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

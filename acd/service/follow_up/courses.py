"""The course of each call, watched from the engine's inputs: what its menus and what is sent afterwards are told.

Observers are called when the engine's commands have been carried out, so nothing here delays an offer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from acd.core.commands import ChangeQueue, Command, Overflow
from acd.core.events import (
    CallArrived,
    CallEnded,
    CallLeftQueue,
    CallQueued,
    Event,
    OfferBridged,
    TalkEnded,
    TalkRestored,
)
from acd.core.specs import OverflowActionKind
from ivr.context import CallContext

__all__ = ["CallCourses", "Course"]

_TALKED_KNOWN: Final = 1000


@dataclass(slots=True)
class Course:
    """One call, so far. Times are the engine's (monotonic seconds)."""

    call_id: str
    arrived_at: float
    context: CallContext | None = None
    """What its menus know of it; None for a call that has no caller's line to us."""
    queue: str = ""
    """The last queue that it was in."""
    entered_at: float = 0.0
    waiting: bool = False
    left_at: float | None = None
    """When the last wait ended, by an answer or otherwise."""
    answered_at: float | None = None
    talk_ended_at: float | None = None
    agent: str = ""
    """Who talked to the caller last."""
    promised: bool = False
    """The caller has been promised a callback."""

    def waited_s(self, now: float) -> float:
        """How long the last wait was, or is."""
        if not self.queue:
            return 0.0
        until = now if self.left_at is None else self.left_at
        return max(0.0, until - self.entered_at)

    def talked_s(self, now: float) -> float:
        """How long the last talk was."""
        if self.answered_at is None:
            return 0.0
        return max(0.0, (now if self.talk_ended_at is None else self.talk_ended_at) - self.answered_at)


class CallCourses:
    """All live calls. ``observe`` is for ``EngineHost.observe``.

    ``context_of`` gives what the menus know of a call whose line is with us. ``on_end`` is told of the end of each
    call that had one, with the time.
    """

    def __init__(
        self, context_of: Callable[[str], CallContext | None], on_end: Callable[[Course, float], None]
    ) -> None:
        self._context_of = context_of
        self._on_end = on_end
        self._courses: dict[str, Course] = {}
        self._talked: dict[str, Course] = {}
        """Talks that were found after a restart and are over: their callers come in again in a moment."""

    def of_call(self, call_id: str) -> Course | None:
        """The course of a live call."""
        return self._courses.get(call_id)

    def came_in(self, call_id: str) -> None:
        """The caller of a call that was there before is on a line to us again: its menus learn who has served it."""
        if call_id in self._courses or call_id in self._talked:
            course = self._course(call_id, 0.0)
            if course.agent:
                self._tell(course)

    def promised(self, call_id: str) -> None:
        """The caller of this call has been promised a callback: nobody is missed."""
        course = self._courses.get(call_id)
        if course is not None:
            course.promised = True

    def observe(self, sequence: int, event: Event, now: float, commands: Sequence[Command]) -> None:  # noqa: ARG002
        """Take note of an input of the engine and of what it led to."""
        match event:
            case CallArrived():
                self._course(event.call_id, now)
            case CallQueued():
                self._queued(event, now)
            case OfferBridged():
                self._answered(event.offer_id.rpartition(".")[0], event.agent_id, now)
            case TalkRestored():
                course = self._course(event.call_id, event.talking_since)
                course.queue, course.entered_at = event.queue, event.talking_since
                self._answered(event.call_id, event.agent_id, event.talking_since)
            case TalkEnded():
                self._talk_ended(event.call_id, now)
            case CallLeftQueue():
                self._left(event.call_id, now)
            case CallEnded():
                self._ended(event.call_id, now)
        for command in commands:
            match command:
                case ChangeQueue():
                    course = self._course(command.call_id, now)
                    course.queue, course.entered_at = command.queue, command.entered_at
                case Overflow():
                    self._left(command.call_id, now)
                    if command.action.kind is OverflowActionKind.CALLBACK:
                        self.promised(command.call_id)

    def _course(self, call_id: str, now: float) -> Course:
        course = self._courses.get(call_id)
        if course is None:
            known = self._talked.pop(call_id) if call_id in self._talked else None
            course = self._courses[call_id] = Course(call_id, now) if known is None else known
        if course.context is None:
            course.context = self._context_of(call_id)
            if course.agent:
                self._tell(course)
            elif course.context is not None:  # told by the line: the talk was over before we were there
                course.agent = course.context.facts.get("agent", "")
                course.queue = course.context.facts.get("queue", "") if course.agent else course.queue
        return course

    def _queued(self, event: CallQueued, now: float) -> None:
        course = self._course(event.call_id, now)
        course.queue = event.queue
        course.entered_at = now if event.entered_at is None else event.entered_at
        course.waiting, course.left_at, course.promised = True, None, False

    def _answered(self, call_id: str, agent_id: str, now: float) -> None:
        course = self._courses.get(call_id)
        if course is None:
            return
        course.waiting, course.left_at = False, now
        course.answered_at, course.talk_ended_at, course.agent = now, None, agent_id
        self._tell(course)

    def _talk_ended(self, call_id: str, now: float) -> None:
        course = self._courses.get(call_id)
        if course is not None:
            course.talk_ended_at = now
            if course.context is None:  # the talk was found after a restart, and the caller is back with us
                course.context = self._context_of(call_id)
            self._tell(course)

    def _left(self, call_id: str, now: float) -> None:
        course = self._courses.get(call_id)
        if course is not None and course.waiting:
            course.waiting, course.left_at = False, now

    def _ended(self, call_id: str, now: float) -> None:
        course = self._courses.pop(call_id, None)
        if course is None:
            return
        if course.context is not None:
            self._on_end(course, now)
        elif course.agent:
            self._talked[call_id] = course
            while len(self._talked) > _TALKED_KNOWN:
                del self._talked[next(iter(self._talked))]

    @staticmethod
    def _tell(course: Course) -> None:
        """Let the call's menus know who has served it."""
        facts: Mapping[str, str] = {"agent": course.agent, "queue": course.queue}
        if course.context is not None:
            course.context.facts.update(facts)

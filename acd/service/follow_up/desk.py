"""Sending what follows a call: which rules hold, within their limits, once for each call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client.core import CounterMetricFamily, Metric

from acd.service.follow_up.courses import Course
from acd.service.follow_up.limits import DailyLimits
from acd.service.follow_up.rules import FollowUpRule, Happening
from acd.service.messages import Message
from acd.service.moments import wall_text
from ivr.context import CallContext
from ivr.surveys import SurveyResult

__all__ = ["Caller", "FollowUpDesk", "FollowUpTools"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FollowUpTools:
    """What follow-ups use of the process around them."""

    rules: Callable[[], Sequence[FollowUpRule]]
    """Those in force."""
    post: Callable[[Message], Awaitable[bool]]
    """Puts a message into the outbox; False: it is known there, or was refused."""
    wall: Callable[[], float]
    """UNIX time (seconds)."""
    now: Callable[[], float]
    """The engine's time (monotonic seconds)."""
    course_of: Callable[[str], Course | None]
    """The course of a live call."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom something is about, where there is no live call. All but the id and the queue are the caller's: hostile."""

    call_id: str
    number: str
    name: str
    dialled: str
    language: str
    queue: str
    data: Mapping[str, str]


class FollowUpDesk:
    """See the module. Everything is done after what it follows, in the event loop's next round."""

    def __init__(self, path: Path, tools: FollowUpTools) -> None:
        self._tools = tools
        self._limits = DailyLimits(path, tools.wall)
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts: Counter[tuple[str, str]] = Counter()

    def load(self) -> None:
        """Take over what was counted before a restart."""
        self._limits.load()

    async def run(self) -> None:
        """Keep the limits, until cancelled; what is being handed over then is waited for."""
        try:
            await self._limits.run()
        finally:
            if self._tasks:
                await asyncio.wait(self._tasks)

    # What happens.

    def call_ended(self, course: Course, now: float) -> None:
        """A call is over (see ``CallCourses``)."""
        if course.context is None or not self._tools.rules():
            return
        fields = self._fields(course, course.context, now)
        events = ["ended"]
        if course.queue and not course.promised:
            events += [] if course.agent else ["missed"]
            events += ["abandoned"] if course.waiting else []
        for event in events:
            self._happened(event, course, {**fields, "call.event": event}, now)

    def surveyed(self, result: SurveyResult) -> None:
        """A caller has answered a survey (complete or not)."""
        course = self._tools.course_of(result.call_id)
        if course is None or course.context is None:
            return
        now = self._tools.now()
        more = {"call.event": "survey", "survey.outcome": result.outcome.value, "survey.comment": result.comment}
        more |= {f"survey.{question}": str(answer) for question, answer in result.answers.items()}
        fields = {**self._fields(course, course.context, now), **more}
        self._happened("survey", course, fields, now, result.answers)

    def told(self, event: str, caller: Caller, about: Mapping[str, str], waited_s: float = 0.0) -> None:
        """Something has happened about a call that may be over: a voicemail message, a callback given up."""
        call = {
            "id": caller.call_id,
            "caller": caller.number,
            "caller_name": caller.name,
            "dialled": caller.dialled,
            "language": caller.language,
            "queue": caller.queue,
            "at": self._at(),
            "waited_s": str(round(waited_s)),
            "event": event,
        }
        fields = {f"call.{name}": value for name, value in call.items()}
        fields |= {f"data.{name}": value for name, value in caller.data.items()}
        self.happened(
            Happening(
                event=event,
                call_id=caller.call_id,
                number=caller.number,
                queue=caller.queue,
                waited_s=waited_s,
                fields={**fields, **about},
            )
        )

    def happened(self, happening: Happening) -> None:
        """Find the rules that hold, and send what they say, in the event loop's next round."""
        asyncio.get_running_loop().call_soon(self._follow, happening)

    def metrics(self) -> Iterator[Metric]:
        """Read the counts for a scrape."""
        family = CounterMetricFamily("acd_follow_ups", "Follow-ups by what became of them.", labels=["rule", "outcome"])
        for (rule, outcome), count in sorted(self._counts.items()):
            family.add_metric([rule, outcome], count)
        yield family

    def _happened(
        self,
        event: str,
        course: Course,
        fields: Mapping[str, str],
        now: float,
        answers: Mapping[str, int] | None = None,
    ) -> None:
        self.happened(
            Happening(
                event=event,
                call_id=course.call_id,
                number=course.context.caller if course.context is not None else "",
                queue=course.queue,
                waited_s=course.waited_s(now),
                answers=answers or {},
                fields=fields,
            )
        )

    def _fields(self, course: Course, context: CallContext, now: float) -> dict[str, str]:
        call = {
            "id": course.call_id,
            "caller": context.caller,
            "caller_name": context.caller_name,
            "dialled": context.dialled,
            "language": context.language,
            "queue": course.queue,
            "agent": course.agent,
            "at": self._at(),
            "waited_s": str(round(course.waited_s(now))),
            "talked_s": str(round(course.talked_s(now))),
            "lasted_s": str(round(now - course.arrived_at)),
        }
        fields = {f"call.{name}": value for name, value in call.items()}
        fields |= {f"data.{name}": value for name, value in context.data.items()}
        return fields

    def _at(self) -> str:
        return wall_text(self._tools.wall(), "seconds")

    # What follows.

    def _follow(self, happening: Happening) -> None:
        for rule in self._tools.rules():
            if not rule.holds(happening):
                continue
            subject = f"{rule.name} {happening.number}"
            if (happening.number and self._limits.is_met(subject, rule.most_per_number)) or self._limits.is_met(
                rule.name, rule.most
            ):
                self._counts[rule.name, "limited"] += 1
                log.info("follow-up not sent: its limit is met", rule=rule.name, call_id=happening.call_id)
                continue
            self._limits.note(rule.name)
            if happening.number:
                self._limits.note(subject)
            task = asyncio.get_running_loop().create_task(self._send(rule, happening))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, rule: FollowUpRule, happening: Happening) -> None:
        for message in rule.messages(happening):
            taken = await self._tools.post(message)
            self._counts[rule.name, "sent" if taken else "not-taken"] += 1
            if taken:
                log.info("follow-up", rule=rule.name, call_id=happening.call_id, message=message.id)

"""What nodes ask of the world in a walk: as in a real call where nothing comes of it, and noted instead of done where
something would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from acd.service.calendars.desk import CalendarDesk
from acd.service.calendars.overrides import Overrides
from acd.service.compile import Compiled
from acd.service.hashes import Argon2Hashes
from acd.service.lookups.customers import AsksLookUps
from acd.service.outbound import Exchange
from acd.walker.clock import VirtualClock
from ivr.callbacks import AskedHow, CallbackWish, Promise
from ivr.context import CallContext
from ivr.mailboxes import Access, BoxFace, BoxTrouble, BoxUnavailable, Login, Shelf
from ivr.opening import QueueState
from ivr.recordings import Draft
from ivr.surveys import SurveyResult
from ivr.tools import Tools
from ivr.webhooks import Payload

__all__ = ["Acts", "walk_tools"]

NOWHERE = "/dev/null"


@dataclass(slots=True)
class Acts:
    """What would have been done in a real call, in order."""

    noted: list[str] = field(default_factory=list)

    def note(self, act: str) -> None:
        """Note one."""
        self.noted.append(act)

    def take(self) -> tuple[str, ...]:
        """Give out what was noted since the last time."""
        taken = tuple(self.noted)
        self.noted.clear()
        return taken


def walk_tools(site: Compiled, clock: VirtualClock, lookups: AsksLookUps, acts: Acts) -> Tools:
    """The tools of one walk. Calendars, PIN hashes and the rules for numbers are real; nothing is sent or kept."""
    wall = _Wall(clock)
    calendars = CalendarDesk(Overrides(Path(NOWHERE), wall), lambda: site, wall, lambda: None)
    return Tools(
        clock=clock,
        calendars=calendars,
        queues=_Queues(site, calendars),
        callbacks=_Callbacks(site, acts),
        hashes=Argon2Hashes(),
        exchange=Exchange(lambda: site.outbound),
        lookups=lookups,
        webhooks=_Webhooks(acts),
        recordings=_Recordings(acts),
        mailboxes=_Mailboxes(site, acts),
        surveys=_Surveys(acts),
    )


@dataclass(frozen=True, slots=True)
class _Wall:
    """The walk's clock as UNIX time."""

    clock: VirtualClock

    def __call__(self) -> float:
        return self.clock.now().timestamp()


@dataclass(frozen=True, slots=True)
class _Standing:
    """A queue in which nobody waits and one agent is ready (implements ``ivr.opening.QueueState``)."""

    is_open: bool
    calls_waiting: int = 0
    estimated_wait_s: float | None = 0.0
    ready_agents: int = 1
    nobody_ready: bool = False
    nobody_logged_in: bool = False


@dataclass(frozen=True, slots=True)
class _Queues:
    site: Compiled
    calendars: CalendarDesk

    def queue_state(self, queue: str) -> QueueState | None:
        if queue not in self.site.routing.queues:
            return None
        calendar = self.site.opening_hours.get(queue)
        opening = self.calendars.opening(calendar) if calendar is not None else None
        return _Standing(is_open=opening is None or opening.is_open)


@dataclass(frozen=True, slots=True)
class _Callbacks:
    site: Compiled
    acts: Acts

    def asked_how(self, queue: str) -> AskedHow:
        how = self.site.callbacks.of_queue(queue)
        return AskedHow(confirm=how.confirm, other_number=how.other_number)

    def number(self, text: str) -> str:
        return self.site.callbacks.numbers.check(text).number

    async def promise(self, wish: CallbackWish) -> Promise:
        self.acts.note(f"callback to {wish.number} promised, queue {wish.queue}")
        return Promise.PROMISED


@dataclass(frozen=True, slots=True)
class _Webhooks:
    acts: Acts

    def post(self, target: str, event: str, payload: Payload, *, key: str) -> None:  # noqa: ARG002 - sent nowhere
        self.acts.note(f"webhook {target} told of {event}")


@dataclass(frozen=True, slots=True)
class _Recordings:
    acts: Acts

    async def open(self, call: CallContext, node: str) -> Draft:  # noqa: ARG002 - no file is made
        return Draft(id=node, path=NOWHERE)

    async def keep(self, draft: Draft) -> None:
        self.acts.note(f"recording of {draft.id} kept")

    async def discard(self, draft: Draft) -> None:
        self.acts.note(f"recording of {draft.id} dropped")

    def leave(self, draft: Draft) -> None:
        self.acts.note(f"recording of {draft.id} left as it is")


@dataclass(frozen=True, slots=True)
class _Mailboxes:
    site: Compiled
    acts: Acts

    def face(self, box: str) -> BoxFace | None:
        spec = self.site.boxes.by_name.get(box)
        return None if spec is None else BoxFace(name=box, greeting=spec.greeting, manner=spec.manner)

    async def open(self, box: str, call: CallContext, node: str) -> Draft:  # noqa: ARG002 - no file is made
        if box not in self.site.boxes.by_name:
            raise BoxUnavailable(BoxTrouble.UNKNOWN)
        return Draft(id=box, path=NOWHERE)

    async def deliver(self, draft: Draft, *, urgent: bool, hung_up: bool) -> None:
        how = f"{', urgent' if urgent else ''}{', ended by hanging up' if hung_up else ''}"
        self.acts.note(f"message left in box {draft.id}{how}")

    async def discard(self, draft: Draft) -> None:
        self.acts.note(f"message for box {draft.id} dropped")

    def leave(self, draft: Draft) -> None:
        self.acts.note(f"message for box {draft.id} left as it is")

    def own(self, call: CallContext) -> Sequence[Access]:  # noqa: ARG002 - nobody's phone
        return ()

    async def login(self, number: str, pin: str, call: CallContext) -> tuple[Login, str]:  # noqa: ARG002
        self.acts.note(f"PIN of box {number} compared")
        return Login.WRONG, ""

    def number_of(self, box: str) -> str:
        spec = self.site.boxes.by_name.get(box)
        return (spec.number or box) if spec is not None else box

    async def shelf(self, box: str, call: CallContext) -> Shelf:  # noqa: ARG002 - messages are not shown
        raise BoxUnavailable(BoxTrouble.UNKNOWN, f"box {box} is not opened in a walk")


@dataclass(frozen=True, slots=True)
class _Surveys:
    acts: Acts

    def chosen(self, share_percent: float) -> bool:
        return share_percent > 0

    def keep(self, result: SurveyResult) -> None:
        self.acts.note(f"survey {result.survey} {result.outcome}: {_told(result.answers)}")


def _told(answers: Mapping[str, int]) -> str:
    return ", ".join(f"{question} {answer}" for question, answer in answers.items()) or "no answers"

"""`callback`: offer to call the caller back, who may hang up then and keeps the place in the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr.callbacks import CallbackWish, Promise
from ivr.outcome import End, EndReason, GiveUp, Go, HangUp, Move, NodeId, WaitOn
from ivr.record import StepOutcome
from ivr.speech import Digits, DigitStyle, Prompt, Speech
from ivr.tree import Node
from ivr.visit import Visit

__all__ = ["CallbackNode"]

CONFIRM, OTHER, CANCEL, TERMINATOR = "1", "2", "*", "#"
_TRIES = 3
_MOST_KEYS = 64
"""So many are read of what is no number any more, so that the rest of it is not taken for the next one."""
_NOT_POSSIBLE = (Prompt("callback-not-possible"),)
CALLBACK_PROMPTS = (
    "callback-number",
    "callback-confirm",
    "callback-confirm-only",
    "callback-enter",
    "callback-not-possible",
    "callback-promised",
    "callback-already",
    "callback-refused",
)
"""Prompts that every site has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackNode(Node):
    """Offers a callback by `queue`, in the place that the caller has now.

    `number` is a template for the number to call back. Where that can be called it is read back and confirmed with 1;
    with 2 the caller keys in another one, ended by `#`; with `*` the caller does without. What is confirmed and by
    whom is the site's setting for the queue. `prompts` are heard first. A caller who has been promised a callback goes
    to `next`, else is told so and the call ends; one whose number cannot be called, or when the site promises no more
    callbacks, goes to `on_refused`; one who does without, or does not answer, to `on_failure`. With `waiting` the
    caller came from a queue, and all but those who were promised a callback wait on there.
    """

    type: ClassVar[str] = "callback"
    asks: ClassVar[bool] = True
    leaves: ClassVar[bool] = True

    queue: str
    number: str = "{call.caller}"
    priority: int = 0
    requires: Mapping[str, int] = field(default_factory=dict)
    prompts: tuple[Speech, ...] = ()
    timeout_s: float = 5.0
    next: NodeId | None = None
    on_refused: NodeId | None = None
    on_failure: NodeId | None = None
    waiting: bool = False

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        await visit.play(self.prompts, barge_in=True)
        number = await self._agreed(visit)
        if not number:
            return self._without("cancelled") if number is None else self._refused()
        promise = await visit.tools.callbacks.promise(
            CallbackWish(
                call=visit.call,
                number=number,
                queue=self.queue,
                priority=self.priority + visit.call.priority,
                requires={**visit.call.requires, **self.requires},
            )
        )
        if promise is Promise.REFUSED:
            await visit.play((Prompt("callback-refused"),), barge_in=False)
            return self._refused()
        said = "callback-promised" if promise is Promise.PROMISED else "callback-already"
        await visit.play((Prompt(said),), barge_in=False)
        if self.next is not None:
            return Go(self.next, promise)
        return End(HangUp(reason=EndReason.NODE), promise)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return tuple(dict.fromkeys(node for node in (self.next, self.on_refused, self.on_failure) if node))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return (*self.prompts, *(Prompt(name) for name in CALLBACK_PROMPTS))

    async def _agreed(self, visit: Visit) -> str | None:
        """The number that the caller agrees to; None: does without, empty: there is none that can be called."""
        desk = visit.tools.callbacks
        how = desk.asked_how(self.queue)
        number = desk.number(visit.fill(self.number))
        if number and not how.confirm:
            return number
        if not number and not how.other_number:
            await visit.play(_NOT_POSSIBLE, barge_in=False)
            return ""
        for _ in range(_TRIES):
            if not number:
                keyed = await self._keyed_in(visit)
                if not keyed:
                    return keyed
                number = keyed
            answer = await self._confirmed(visit, number, other=how.other_number)
            if answer == CONFIRM:
                return number
            if answer != OTHER:
                return None
            number = ""
        return None

    async def _confirmed(self, visit: Visit, number: str, *, other: bool) -> str:
        choices = "callback-confirm" if other else "callback-confirm-only"
        said = (Prompt("callback-number"), Digits(number, DigitStyle.PHONE), Prompt(choices))
        keys = CONFIRM + CANCEL + (OTHER if other else "")
        for _ in range(_TRIES):
            await visit.play(said, barge_in=True)
            key = await visit.read_digit(self.timeout_s)
            if key in keys and key:
                return key
            visit.tried(StepOutcome.INVALID if key else StepOutcome.NO_INPUT)
        return ""

    async def _keyed_in(self, visit: Visit) -> str | None:
        """A number that can be called; None: the caller does without, empty: none of those keyed in can be."""
        entered = False
        for _ in range(_TRIES):
            await visit.play((Prompt("callback-enter"),), barge_in=True)
            text = await self._read(visit)
            if text is None:
                return None
            number = visit.tools.callbacks.number(text) if text else ""
            if number:
                return number
            entered = entered or bool(text)
            visit.tried(StepOutcome.INVALID if text else StepOutcome.NO_INPUT)
            if text:
                await visit.play(_NOT_POSSIBLE, barge_in=True)
        return "" if entered else None

    async def _read(self, visit: Visit) -> str | None:
        """What is keyed in up to `#` or a pause; None for `*`."""
        keyed = ""
        while len(keyed) < _MOST_KEYS:
            key = await visit.read_digit(self.timeout_s)
            if key == CANCEL:
                return None
            if not key or key == TERMINATOR:
                break
            keyed += key
        return keyed

    def _refused(self) -> Move:
        if self.waiting:
            return End(WaitOn(), Promise.REFUSED)
        to = self.on_refused or self.on_failure
        return Go(to, Promise.REFUSED) if to is not None else GiveUp(EndReason.MENU_FAILED)

    def _without(self, why: str) -> Move:
        if self.waiting:
            return End(WaitOn(), why)
        return Go(self.on_failure, why) if self.on_failure is not None else GiveUp(EndReason.MENU_FAILED)

"""`voicemail`: let the caller leave a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.line import LineHungUp, RecordLimits
from ivr.mailboxes import BoxUnavailable
from ivr.outcome import End, EndReason, Go, HangUp, Move, NodeId
from ivr.record import ProblemKind, StepOutcome
from ivr.recordings import Draft, Manner
from ivr.speech import Prompt, Speech
from ivr.taking import OWN_KEYS, Take, TakeEnd, speech_of, take_after
from ivr.tree import Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Voicemail(Node):
    """Greets for `box`, records a message, and goes to `next`; without one it says thank you and ends the call.

    `greeting` is said instead of the box's own. A caller who leaves no message goes to `no_message` (or `next`), one
    whose message cannot be taken (the box is full, the disk is full) to `on_failure` (or on, after an apology).
    """

    type: ClassVar[str] = "voicemail"
    asks: ClassVar[bool] = True

    box: str
    greeting: tuple[Speech, ...] = ()
    next: NodeId | None = None
    no_message: NodeId | None = None
    on_failure: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        boxes = visit.tools.mailboxes
        face = boxes.face(self.box)
        try:
            draft = await boxes.open(self.box, visit.call, self.id)
        except BoxUnavailable as error:
            return await self._failure(visit, error)
        if face is None or draft.is_kept:
            return await self._go(visit, TakeEnd.KEPT)
        taken = await take_after(visit, draft, face.manner, self.greeting or face.greeting, boxes)
        return await self._finish(visit, draft, taken)

    async def _finish(self, visit: Visit, draft: Draft, taken: Take) -> Move:
        boxes = visit.tools.mailboxes
        if taken.end is not TakeEnd.KEPT:
            await boxes.discard(draft)
        else:
            try:
                await boxes.deliver(draft, urgent=taken.urgent, hung_up=taken.hung_up)
            except BoxUnavailable as error:
                if taken.hung_up:
                    raise LineHungUp("the caller hung up while recording") from error
                return await self._failure(visit, error)
        taken.go_on()
        if taken.end is TakeEnd.FAILED:
            return await self._failure(visit, "the line cannot record")
        return await self._go(visit, taken.end)

    async def _go(self, visit: Visit, end: TakeEnd) -> Move:
        to = self.next if end is TakeEnd.KEPT else self.no_message or self.next
        if end is TakeEnd.KEPT:
            await visit.play((Prompt("voicemail-saved"),), barge_in=True)
        if to is not None:
            return Go(to, end)
        await visit.play((Prompt("goodbye"),), barge_in=False)
        return End(HangUp(reason=EndReason.END_OF_TREE), end)

    async def _failure(self, visit: Visit, why: BoxUnavailable | str) -> Move:
        visit.problem(ProblemKind.CANNOT_RECORD, f"{self.box}: {why}")
        if self.on_failure is not None:
            return Go(self.on_failure, StepOutcome.FAILED)
        await visit.play((Prompt("voicemail-unavailable"),), barge_in=False)
        to = self.no_message or self.next
        if to is not None:
            return Go(to, StepOutcome.FAILED)
        return End(HangUp(reason=EndReason.END_OF_TREE), StepOutcome.FAILED)

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return OWN_KEYS

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return tuple(dict.fromkeys(to for to in (self.next, self.no_message, self.on_failure) if to))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        # How the box records is not known here: all of it, then.
        said = speech_of(Manner(limits=RecordLimits(longest_s=1.0), urgent=True))
        greeting = self.greeting or (Prompt("voicemail-greeting"),)
        return (*greeting, *said, *(Prompt(name) for name in ("voicemail-saved", "voicemail-unavailable")))

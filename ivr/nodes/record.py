"""`record`: record what the caller says, for the site's own use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.nodes.play import go_or_end
from ivr.outcome import Go, Move, NodeId
from ivr.record import ProblemKind, StepOutcome
from ivr.recordings import Draft, Manner, RecordingImpossible
from ivr.speech import Speech
from ivr.taking import OWN_KEYS, Take, TakeEnd, speech_of, take_after
from ivr.tree import Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Node):
    """Says `prompts`, records, and goes to `next` with the recording's id in the call data `into`.

    The length stands in `INTO_s`, in whole seconds. A caller who says too little goes to `too_short`, one who cancels
    to `on_cancel` (each to `next` if there is none, without a recording); where nothing can be recorded: `on_failure`.
    """

    type: ClassVar[str] = "record"
    asks: ClassVar[bool] = True

    prompts: tuple[Speech, ...]
    into: str
    manner: Manner
    next: NodeId | None = None
    too_short: NodeId | None = None
    on_cancel: NodeId | None = None
    on_failure: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        recordings = visit.tools.recordings
        try:
            draft = await recordings.open(visit.call, self.id)
        except RecordingImpossible as error:
            return self._failure(visit, str(error))
        if draft.is_kept:
            self._note(visit, draft, draft.seconds)
            return self._go(TakeEnd.KEPT)
        taken = await take_after(visit, draft, self.manner, self.prompts, recordings)
        return await self._finish(visit, draft, taken)

    async def _finish(self, visit: Visit, draft: Draft, taken: Take) -> Move:
        recordings = visit.tools.recordings
        if taken.end is TakeEnd.KEPT:
            try:
                await recordings.keep(draft)
            except RecordingImpossible as error:
                return self._failure(visit, str(error))
            self._note(visit, draft, taken.seconds)
        else:
            await recordings.discard(draft)
        taken.go_on()
        if taken.end is TakeEnd.FAILED:
            return self._failure(visit, "the line cannot record")
        return self._go(taken.end)

    def _note(self, visit: Visit, draft: Draft, seconds: float) -> None:
        visit.call.data[self.into] = draft.id
        visit.call.data[f"{self.into}_s"] = str(round(seconds))

    def _go(self, end: TakeEnd) -> Move:
        branches = {TakeEnd.TOO_SHORT: self.too_short, TakeEnd.CANCELLED: self.on_cancel}
        to = branches.get(end) or self.next
        return Go(to, end) if to is not None else go_or_end(None)

    def _failure(self, visit: Visit, why: str) -> Move:
        visit.problem(ProblemKind.CANNOT_RECORD, why)
        to = self.on_failure or self.next
        return Go(to, StepOutcome.FAILED) if to is not None else go_or_end(None)

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return OWN_KEYS

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return tuple(dict.fromkeys(to for to in (self.next, self.too_short, self.on_cancel, self.on_failure) if to))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts + speech_of(self.manner)

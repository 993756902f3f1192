"""`play`: say something and go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.outcome import End, EndReason, Go, HangUp, Move, NodeId
from ivr.record import StepOutcome
from ivr.speech import Speech
from ivr.tree import Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Play(Node):
    """Says `prompts`, then goes to `next`; without a next node the call ends.

    With `barge_in` a key stops it and counts for the next node that asks for one.
    """

    type: ClassVar[str] = "play"

    prompts: tuple[Speech, ...]
    next: NodeId | None = None
    barge_in: bool = True

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        await visit.play(self.prompts, barge_in=self.barge_in)
        return go_or_end(self.next)

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return ""

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next,) if self.next else ()

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts


def go_or_end(to: NodeId | None) -> Move:
    """Go on at `to`; the call ends where no next node is named."""
    if to is None:
        return End(HangUp(reason=EndReason.END_OF_TREE), StepOutcome.HANG_UP)
    return Go(to)

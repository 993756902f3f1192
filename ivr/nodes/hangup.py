"""`hangup`: end the call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.outcome import End, HangUp, HangUpCause, Move
from ivr.record import StepOutcome
from ivr.speech import Speech
from ivr.tree import Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUpNode(Node):
    """Ends the call after `prompts`.

    A call not answered before and with nothing to say is refused with `cause`, unanswered.
    """

    type: ClassVar[str] = "hangup"
    leaves: ClassVar[bool] = True

    prompts: tuple[Speech, ...] = ()
    cause: HangUpCause = HangUpCause.NORMAL

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        await visit.play(self.prompts, barge_in=False)
        return End(HangUp(cause=self.cause), StepOutcome.HANG_UP)

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts

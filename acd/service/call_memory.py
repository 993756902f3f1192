"""What the caller's channel remembers of the call, so that an engine after us goes on where it was."""

from __future__ import annotations

from dataclasses import replace

from acd.service.agi_line import AgiLine
from acd.service.call_place import CallPlace
from acd.service.call_state import CALL_VARIABLE, STATE_VARIABLE, CallPhase
from acd.service.session_tools import SessionTools
from ivr.context import CallContext
from ivr.dialling import Dial

__all__ = ["CallMemory"]


class CallMemory:
    """Writes ``place`` and what the menus know of the call on the channel. ``begin`` comes before anything else."""

    def __init__(self, channel: str, place: CallPlace, tools: SessionTools) -> None:
        self._channel = channel
        self._place = place
        self._tools = tools
        self._call_id = ""
        self._begun: tuple[AgiLine, CallContext] | None = None

    def begin(self, line: AgiLine, context: CallContext) -> None:
        """The call is known."""
        self._call_id = context.call_id
        self._begun = (line, context)

    @property
    def _line(self) -> AgiLine:
        return self._known()[0]

    @property
    def _context(self) -> CallContext:
        return self._known()[1]

    def _known(self) -> tuple[AgiLine, CallContext]:
        if self._begun is None:
            raise LookupError(f"nothing is known of the call on {self._channel} yet")
        return self._begun

    async def note_place(self) -> None:
        """Let the channel remember the node that the caller is at, if it does not yet."""
        if self._place.queued is None and self._place.node != self._place.saved and not self._line.released:
            await self.save()

    async def note_dial(self, dial: Dial | None) -> None:
        """Let the channel remember that a node connects the caller with somebody, or that this is over."""
        if self._line.released:
            return
        self._place.dial = dial
        await self.save()

    def to_remember(self) -> tuple[str, str]:
        """The call's id and what the channel is to remember of it, for a dial that brings it along."""
        return self._call_id, self._state()

    async def save(self) -> None:
        """Let the channel remember the place, by the line."""
        # The results are cleared so that they tell of our own dial or bridge, not of one before the caller came to us.
        await self._line.set_variables(
            (
                (CALL_VARIABLE, self._call_id),
                (STATE_VARIABLE, self._state()),
                ("DIALSTATUS", ""),
                ("BRIDGERESULT", ""),
                *self._tools.stay.variables(),
            )
        )

    def _state(self) -> str:
        """What the channel is to remember, which is told so now."""
        state = self._place.state(self._context)
        if state.phase is CallPhase.QUEUE and not state.node:
            state = replace(state, node=self._place.survey(self._tools.survey) or "")
        return state.encode()

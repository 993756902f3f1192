"""Where a call goes that has left its queue for something that is not a queue, carried out on the caller's line."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import Enum

import structlog

from acd.core.commands import Overflow
from acd.core.events import MenuStepped
from acd.core.specs import OverflowAction, OverflowActionKind
from acd.service.agi_line import DONE_VARIABLE, AgiLine
from acd.service.call_state import STATE_VARIABLE
from acd.service.menus.leaving import callback_node
from acd.service.outbound import Outbound
from ami_bridge.translation import ANSWERED
from ivr.line import LineHungUp
from ivr.outcome import NodeId
from ivr.speech import Prompt
from ivr.tree import node_id

__all__ = ["After", "OverflowActions"]

log = structlog.get_logger(__name__)

VOICEMAIL_TREE = "@voicemail"
"""The tree of the nodes that every box of the site has."""
RING_OUTSIDE_S = 60
"""So long an outside number rings (seconds)."""
LONGEST_OUTSIDE_CALL_S = 4 * 3600
"""A call to an outside number is ended after so long, whatever becomes of the two ends (seconds)."""


_DIALLED = {
    ANSWERED: "answered",
    "BUSY": "busy",
    "NOANSWER": "no answer",
    "CANCEL": "the caller hung up before an answer",
}
"""What DIALSTATUS means, in words; all others: it failed."""


class After(Enum):
    """What follows for the caller."""

    OVER = "over"
    """The call ends; the line has been told how."""
    BACK = "back"
    """The action could not be done: the caller waits on, with the time waited so far."""


class OverflowActions:
    """Carries out what is neither a queue nor a menu.

    ``outbound``: what may be dialled, as configured now. ``nodes``: all nodes of the menus. ``takes_message``: whether
    a box of the site's own (by its name) takes one now. ``post``: hears, for the call's story, what came of it.
    """

    def __init__(
        self,
        outbound: Callable[[], Outbound],
        nodes: Callable[[], Collection[NodeId]] = tuple,
        takes_message: Callable[[str], bool] = lambda _: True,
        post: Callable[[MenuStepped], None] = lambda _: None,
    ) -> None:
        self._outbound = outbound
        self._nodes = nodes
        self._takes_message = takes_message
        self._post = post

    def node(self, action: OverflowAction) -> NodeId | None:
        """The menu node that an action leads to; None: it is carried out by ``carry_out``."""
        match action.kind:
            case OverflowActionKind.MENU:
                return NodeId(action.target)
            case OverflowActionKind.CALLBACK:
                return callback_node(action.target)
            case OverflowActionKind.VOICEMAIL:
                # A box of the site's own goes before one of Asterisk's.
                own = node_id(VOICEMAIL_TREE, action.target)
                return own if own in self._nodes() and self._takes_message(action.target) else None
            case _:
                return None

    @staticmethod
    def comes_back(action: OverflowAction) -> bool:
        """Whether the caller may wait on afterwards, in the old place."""
        return action.kind is OverflowActionKind.CALLBACK

    async def carry_out(self, command: Overflow, line: AgiLine, call_id: str) -> After:
        """Do it. Raises LineHungUp when the caller is gone."""
        target = command.action.target
        match command.action.kind:
            case OverflowActionKind.CLOSING if target:
                return await self._close(line, target, call_id)
            case OverflowActionKind.VOICEMAIL:
                return await self._voicemail(line, target, call_id)
            case OverflowActionKind.NUMBER:
                return await self._dial_number(line, target, call_id)
            case _:
                log.warning("call goes to the dialplan's fall-back", call_id=call_id, why=command.reason)
                await line.release("fallback")
                return After.OVER

    async def _close(self, line: AgiLine, prompt: str, call_id: str) -> After:
        try:
            await line.play((Prompt(prompt),))
        except LineHungUp:
            self._tell(call_id, "closing prompt", f"{prompt}: the caller hung up before its end")
            raise
        self._tell(call_id, "closing prompt", f"{prompt}: heard to its end")
        await line.hangup("normal")
        return After.OVER

    def _tell(self, call_id: str, what: str, came_of_it: str) -> None:
        self._post(MenuStepped(call_id, "", what, detail=came_of_it))

    async def _voicemail(self, line: AgiLine, box: str, call_id: str) -> After:
        if node_id(VOICEMAIL_TREE, box) in self._nodes():
            log.error("the voicemail box takes no message: the caller waits on", call_id=call_id, box=box)
            return After.BACK
        await self.let_go(line)
        await line.run_application("VoiceMail", f"{box},u")
        (status,) = await line.read_variables(("VMSTATUS",))
        if status in ("SUCCESS", "USEREXIT"):
            return After.OVER
        log.error("no voicemail: is the box in voicemail.conf?", call_id=call_id, box=box, status=status)
        return await self._keep(line)

    async def _dial_number(self, line: AgiLine, number: str, call_id: str) -> After:
        device = self._outbound().device(number)
        if device is None:
            log.error("number not dialled: outbound does not allow it", call_id=call_id, number=number)
            return After.BACK
        await self.let_go(line)
        # No option lets either end transfer; g: the engine ends the call, as ever.
        limit_ms = LONGEST_OUTSIDE_CALL_S * 1000
        try:
            await line.run_application("Dial", f"{device},{RING_OUTSIDE_S},grL({limit_ms})")
        except LineHungUp:
            # The caller's own hang-up ends most talks: the channel still knows whether there was one.
            self._dialled(call_id, number, (await line.read_variables(("DIALSTATUS",), even_if_dead=True))[0])
            raise
        (status,) = await line.read_variables(("DIALSTATUS",))
        self._dialled(call_id, number, status)
        if status == ANSWERED:
            return After.OVER
        return await self._keep(line)

    def _dialled(self, call_id: str, number: str, status: str) -> None:
        log.info("outside number dialled", call_id=call_id, number=number, status=status)
        self._tell(call_id, "outside number", f"{number}: {_DIALLED.get(status, 'failed')}")

    @staticmethod
    async def let_go(line: AgiLine) -> None:
        """The caller waits no longer: an engine after us must not take the call for a waiting one."""
        line.released = "hangup"
        await line.music_off()
        await line.set_variables(((DONE_VARIABLE, "hangup"), (STATE_VARIABLE, ""), ("DIALSTATUS", "")))

    @staticmethod
    async def _keep(line: AgiLine) -> After:
        line.released = ""
        await line.set_variable(DONE_VARIABLE, "")
        return After.BACK

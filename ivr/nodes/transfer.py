"""`transfer`: connect the caller with an outside number or an extension inside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from ivr.dialling import Dial, DialEnd
from ivr.directory import Directory
from ivr.nodes.play import go_or_end
from ivr.outcome import AgentMiss, End, EndReason, GiveUp, Go, Move, NodeId, ToAgent
from ivr.record import StepOutcome
from ivr.speech import Speech
from ivr.tree import Node
from ivr.visit import Visit

__all__ = ["REFUSED", "TransferNode"]

_NOT_A_NUMBER = re.compile(r"[^0-9+]")
_LONGEST_NUMBER = 24
REFUSED = "refused"
"""The step's outcome when the site does not allow what was to be dialled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferNode(Node):
    """Connects the caller with `number` (outside), `extension` (of the `directory`), or `phone`, one of the three.

    Number and extension are templates; a phone is what the switch dials, and comes from the configuration alone. An
    agent's extension makes it a call for this agent alone; one of a node leads there. Else it rings `ring_s`; a talk
    lasts `longest_s` at most. The other end is shown `caller_id` (a template; empty: the caller's number). The caller
    hears music of the name `music`, or ringing where it is empty. `prompts` are heard first. After the talk the caller
    goes to `next`, without one the call ends. Nobody there: `on_busy`, `on_no_answer`, `on_refused` (not allowed, no
    such extension), and `on_failure` for all of these that lead nowhere.
    """

    type: ClassVar[str] = "transfer"

    number: str = ""
    extension: str = ""
    phone: str = ""
    directory: Directory | None = None
    ring_s: float = 30.0
    longest_s: float = 4 * 3600.0
    caller_id: str = ""
    music: str = ""
    prompts: tuple[Speech, ...] = ()
    next: NodeId | None = None
    on_busy: NodeId | None = None
    on_no_answer: NodeId | None = None
    on_refused: NodeId | None = None
    on_failure: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        if self.extension:
            return await self._to_extension(visit, visit.fill(self.extension).strip())
        device = self.phone or visit.tools.exchange.number(visit.fill(self.number).strip())
        if not device:
            return self._failed(self.on_refused, REFUSED)
        await visit.play(self.prompts, barge_in=False)
        if self.music:
            await visit.answer()
        return await self._dial(visit, device)

    async def _to_extension(self, visit: Visit, extension: str) -> Move:
        directory = self.directory
        if directory is None or extension not in directory:
            return self._failed(self.on_refused, REFUSED)
        await visit.play(self.prompts, barge_in=False)
        if extension in directory.nodes:
            return Go(directory.nodes[extension], StepOutcome.EXTENSION)
        await visit.answer()
        leads = {
            AgentMiss.BUSY: self.on_busy,
            AgentMiss.NOT_READY: self.on_busy,
            AgentMiss.NO_ANSWER: self.on_no_answer,
            AgentMiss.UNKNOWN: self.on_refused,
        }
        wish = ToAgent(
            agent=directory.agents[extension],
            ring_timeout_s=self.ring_s,
            not_reached=self.on_failure,
            on={why: node for why, node in leads.items() if node is not None},
            node=self.id,
            then=self.next,
            language=visit.call.language,
        )
        return End(wish, StepOutcome.EXTENSION)

    async def _dial(self, visit: Visit, device: str) -> Move:
        dialled = await visit.dial(
            Dial(
                device=device,
                ring_s=self.ring_s,
                longest_s=self.longest_s,
                caller_id=_NOT_A_NUMBER.sub("", visit.fill(self.caller_id))[:_LONGEST_NUMBER],
                music=self.music,
                node=self.id,
                then=self.next,
            )
        )
        match dialled.end:
            case DialEnd.ANSWERED if self.next is not None:
                return Go(self.next, dialled.end)
            case DialEnd.ANSWERED:
                return go_or_end(None)
            case DialEnd.BUSY:
                return self._failed(self.on_busy, dialled.end)
            case DialEnd.NO_ANSWER:
                return self._failed(self.on_no_answer, dialled.end)
            case DialEnd.FAILED:
                return self._failed(None, dialled.end)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        inside = tuple(self.directory.nodes.values()) if self.directory is not None and self.extension else ()
        leads = (self.next, self.on_busy, self.on_no_answer, self.on_refused, self.on_failure, *inside)
        return tuple(dict.fromkeys(node for node in leads if node))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts

    def _failed(self, to: NodeId | None, why: str) -> Move:
        to = to or self.on_failure
        return Go(to, why) if to is not None else GiveUp(EndReason.MENU_FAILED)

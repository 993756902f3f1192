"""`transfer`: connect the caller with an outside number or an extension inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.dialling import Dial, DialEnd
from ivr.nodes.play import go_or_end
from ivr.outcome import EndReason, GiveUp, Go, Move, NodeId
from ivr.speech import Speech
from ivr.tree import Node
from ivr.visit import Visit

__all__ = ["REFUSED", "TransferNode"]

REFUSED = "refused"
"""The step's outcome when the site does not allow what was to be dialled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferNode(Node):
    """Connects the caller with `number` or `extension`, both templates, one of them empty.

    It rings `ring_s`; a talk lasts `longest_s` at most. The other end is shown `caller_id` (a template; empty: the
    caller's number). The caller hears music of the name `music`, or ringing where it is empty. `prompts` are heard
    first. After the talk the caller goes to `next`, without one the call ends. Nobody there: `on_busy`,
    `on_no_answer`, `on_refused` (the site does not allow it), and `on_failure` for all of these that lead nowhere.
    """

    type: ClassVar[str] = "transfer"

    number: str = ""
    extension: str = ""
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
        exchange = visit.tools.exchange
        if self.number:
            device = exchange.number(visit.fill(self.number).strip())
        else:
            device = exchange.extension(visit.fill(self.extension).strip())
        if not device:
            return self._failed(self.on_refused, REFUSED)
        await visit.play(self.prompts, barge_in=False)
        if self.music:
            await visit.answer()
        dialled = await visit.dial(
            Dial(
                device=device,
                ring_s=self.ring_s,
                longest_s=self.longest_s,
                caller_id=visit.fill(self.caller_id).strip(),
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
        leads = (self.next, self.on_busy, self.on_no_answer, self.on_refused, self.on_failure)
        return tuple(dict.fromkeys(node for node in leads if node))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts

    def _failed(self, to: NodeId | None, why: str) -> Move:
        to = to or self.on_failure
        return Go(to, why) if to is not None else GiveUp(EndReason.MENU_FAILED)

"""`agent`: offer the call to one agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr.outcome import End, Move, NodeId, ToAgent
from ivr.record import StepOutcome
from ivr.speech import Speech
from ivr.tree import Node
from ivr.visit import Visit

__all__ = ["AgentNode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentNode(Node):
    """Offers the call to `agent` (a template) and to nobody else.

    It is a call of `queue` (the agent's first, if empty), whose rules for ringing and after-call work hold. An agent
    who has another call is waited for, `wait_s` at most. `prompts` are heard first, `data` are templates that become
    call data. After the talk the caller goes to `next`, without one the call ends. When the agent does not take the
    call the caller goes where `on` says for that case, else to `on_failure`.
    """

    type: ClassVar[str] = "agent"
    leaves: ClassVar[bool] = True

    agent: str
    queue: str = ""
    wait_s: float = 0.0
    data: Mapping[str, str] = field(default_factory=dict)
    prompts: tuple[Speech, ...] = ()
    next: NodeId | None = None
    on: Mapping[str, NodeId] = field(default_factory=dict)
    on_failure: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        await visit.answer()
        data = {name: visit.fill(template) for name, template in self.data.items()}
        visit.call.data.update(data)
        await visit.play(self.prompts, barge_in=True)
        outcome = ToAgent(
            agent=visit.fill(self.agent).strip(),
            queue=self.queue,
            wait_s=self.wait_s,
            not_reached=self.on_failure,
            on=dict(self.on),
            node=self.id,
            then=self.next,
            data=data,
            language=visit.call.language,
        )
        return End(outcome, StepOutcome.AGENT)

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return ""

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        leads = (self.next, *self.on.values(), self.on_failure)
        return tuple(dict.fromkeys(node for node in leads if node))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts

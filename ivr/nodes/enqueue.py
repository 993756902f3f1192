"""`enqueue`: put the call into a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr.outcome import End, Enqueue, Move, NodeId
from ivr.record import StepOutcome
from ivr.speech import Speech
from ivr.tree import Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueueNode(Node):
    """Puts the call into `queue`.

    `priority` is added to the queue's own, `requires` (skill: lowest level) to what the queue requires; and so is what
    nodes before have given the call. `agent` is a template for the agent who is first offered the call; empty: whom
    nodes before have named. `data` are templates that become call data. `prompts` are heard first. `next` is where the
    caller goes on after the agent has hung up. A caller who comes out of a queue keeps the time waited there, unless
    `keep_wait` is off.
    """

    type: ClassVar[str] = "enqueue"
    leaves: ClassVar[bool] = True

    queue: str
    priority: int = 0
    requires: Mapping[str, int] = field(default_factory=dict)
    agent: str = ""
    keep_wait: bool = True
    data: Mapping[str, str] = field(default_factory=dict)
    prompts: tuple[Speech, ...] = ()
    next: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        await visit.answer()
        data = {name: visit.fill(template) for name, template in self.data.items()}
        visit.call.data.update(data)
        await visit.play(self.prompts, barge_in=True)
        call = visit.call
        skills = {*self.requires, *call.requires}
        outcome = Enqueue(
            queue=self.queue,
            priority=self.priority + call.priority,
            requires={skill: max(self.requires.get(skill, 0), call.requires.get(skill, 0)) for skill in sorted(skills)},
            agent=visit.fill(self.agent).strip() or call.agent,
            keep_wait=self.keep_wait,
            data=data,
            then=self.next,
            language=visit.call.language,
        )
        return End(outcome, StepOutcome.ENQUEUE)

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return ""

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next,) if self.next else ()

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts

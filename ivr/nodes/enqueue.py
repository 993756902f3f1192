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

    `priority` is added to the queue's own, `requires` (skill: lowest level) to what the queue requires. `data` are
    templates that become call data. `prompts` are heard first. `next` is where the caller goes on after the agent has
    hung up.
    """

    type: ClassVar[str] = "enqueue"
    leaves: ClassVar[bool] = True

    queue: str
    priority: int = 0
    requires: Mapping[str, int] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    prompts: tuple[Speech, ...] = ()
    next: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        await visit.answer()
        data = {name: visit.fill(template) for name, template in self.data.items()}
        visit.call.data.update(data)
        await visit.play(self.prompts, barge_in=True)
        outcome = Enqueue(
            queue=self.queue,
            priority=self.priority,
            requires=dict(self.requires),
            data=data,
            then=self.next,
            language=visit.call.language,
        )
        return End(outcome, StepOutcome.ENQUEUE)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next,) if self.next else ()

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts

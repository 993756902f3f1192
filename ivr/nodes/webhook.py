"""`webhook`: tell another system, and go on at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr.nodes.play import go_or_end
from ivr.outcome import Move, NodeId
from ivr.tree import Node
from ivr.visit import Visit
from ivr.webhooks import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookNode(Node):
    """Hands `event` with the call's number, name, language and data to the webhook `target`.

    `data` are templates added to the call's data, for this event alone. The caller waits for nothing: delivery, with
    its retries, is not the call's affair.
    """

    type: ClassVar[str] = "webhook"

    target: str
    event: str
    data: Mapping[str, str] = field(default_factory=dict)
    next: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        call = visit.call
        payload: Payload = {
            "call": call.call_id,
            "caller": call.caller,
            "caller_name": call.caller_name,
            "dialled": call.dialled,
            "language": call.language,
            "node": self.id,
            "customer": {name: value for name, value in call.customer.items() if value},
            "data": {**call.data, **{name: visit.fill(template) for name, template in self.data.items()}},
        }
        visit.tools.webhooks.post(self.target, self.event, payload, key=f"{call.call_id}-{self.id}-{call.steps}")
        return go_or_end(self.next)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next,) if self.next else ()

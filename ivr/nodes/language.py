"""`language`: set the caller's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.nodes.play import go_or_end
from ivr.outcome import Move, NodeId
from ivr.tree import Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageNode(Node):
    """Speaks `language` to the caller from here on, over trees and queues."""

    type: ClassVar[str] = "language"

    language: str
    next: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        await visit.set_language(self.language)
        return go_or_end(self.next)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next,) if self.next else ()

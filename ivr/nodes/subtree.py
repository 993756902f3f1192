"""`subtree`: walk another tree as a part of this one, and go on by what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr.fields import VALUE_LENGTH_MAX
from ivr.outcome import Enter, Move, NodeId
from ivr.tree import Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtree(Node):
    """Goes to `start`, with `params` (templates) known there as `{param.NAME}`.

    A `return` there leads back: to the node of `on` for its result, else to `next`.
    """

    type: ClassVar[str] = "subtree"

    start: NodeId
    next: NodeId
    params: Mapping[str, str] = field(default_factory=dict)
    on: Mapping[str, NodeId] = field(default_factory=dict)

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        return Enter(self.start, {name: visit.fill(text)[:VALUE_LENGTH_MAX] for name, text in self.params.items()})

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return tuple(dict.fromkeys((self.start, *self.on.values(), self.next)))

    def follows(self) -> tuple[NodeId, ...]:
        """See `Node.follows`."""
        return (self.start,)

    def returns_to(self, result: str) -> NodeId | None:
        """See `Node.returns_to`."""
        return self.on.get(result, self.next)

"""`branch`: go where the first condition that holds says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.conditions import Condition
from ivr.outcome import Go, Move, NodeId
from ivr.tree import Node
from ivr.visit import Visit

DEFAULT = "default"
"""The step's outcome where no case holds; `case-1` and so on where one does."""


@dataclass(frozen=True, slots=True)
class Case:
    """Where a call goes for which `when` holds."""

    when: Condition
    next: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch(Node):
    """Goes to the node of the first of `cases` that holds, in order; to `default` when none does. Says nothing."""

    type: ClassVar[str] = "branch"

    cases: tuple[Case, ...]
    default: NodeId

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        for number, case in enumerate(self.cases, 1):
            if case.when.holds(visit):
                return Go(case.next, f"case-{number}")
        return Go(self.default, DEFAULT)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return tuple(dict.fromkeys((*(case.next for case in self.cases), self.default)))

"""`return`: leave a subtree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ivr.outcome import Move, Return
from ivr.tree import Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnNode(Node):
    """Goes back to the node that called this subtree, with `result`; the call ends where there is none."""

    type: ClassVar[str] = "return"
    leaves: ClassVar[bool] = True

    result: str = ""

    async def step(self, visit: Visit) -> Move:  # noqa: ARG002 - see `Node.step`
        """See the class."""
        return Return(self.result)

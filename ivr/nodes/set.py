"""`set`: note something about the call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr.fields import VALUE_LENGTH_MAX
from ivr.nodes.play import go_or_end
from ivr.outcome import Move, NodeId
from ivr.record import ProblemKind
from ivr.tree import Node
from ivr.visit import Visit

PRIORITY_MAX = 1000
"""Points that a call may be given, above and below nothing."""
_COUNT = re.compile(r"[+-]?[0-9]{1,15}")
_COUNT_MAX = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNode(Node):
    """Changes what is known of the call, says nothing and goes to `next`.

    In this order: `unset` removes call data; `data` (templates) sets them; `add` counts them up, from 0. `language`
    is spoken from here on. `priority` (a template), `requires` and `agent` (a template; nothing takes a name away)
    hold for every queue that the call enters from here on, beside what queue and node ask for; `requires` is added to
    what was set before.
    """

    type: ClassVar[str] = "set"

    data: Mapping[str, str] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    language: str | None = None
    priority: str | None = None
    requires: Mapping[str, int] = field(default_factory=dict)
    agent: str | None = None
    next: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        call = visit.call
        for name in self.unset:
            call.data.pop(name, None)
        # All are filled before any is set, so that two can be exchanged.
        call.data.update({name: visit.fill(text)[:VALUE_LENGTH_MAX] for name, text in self.data.items()})
        for name, count in self.add.items():
            call.data[name] = str(_counted(visit, name, count))
        if self.language is not None:
            await visit.set_language(self.language)
        if self.priority is not None:
            self._set_priority(visit, visit.fill(self.priority))
        call.requires.update(self.requires)
        if self.agent is not None:
            call.agent = visit.fill(self.agent)
        return go_or_end(self.next)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next,) if self.next else ()

    def _set_priority(self, visit: Visit, text: str) -> None:
        if not _COUNT.fullmatch(text):
            visit.problem(ProblemKind.NOT_A_NUMBER, text)
        elif abs(int(text)) > PRIORITY_MAX:
            visit.problem(ProblemKind.OUT_OF_RANGE, text)
        else:
            visit.call.priority = int(text)


def _counted(visit: Visit, name: str, count: int) -> int:
    before = visit.call.data.get(name, "")
    if before and not _COUNT.fullmatch(before):
        visit.problem(ProblemKind.NOT_A_NUMBER, before)
        before = ""
    return max(-_COUNT_MAX, min(int(before or "0") + count, _COUNT_MAX))

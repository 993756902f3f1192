"""`http`: ask another system, and go where its answer leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from ivr.conditions import Condition
from ivr.fields import clean
from ivr.lookups import LookUpAnswer, LookUpOutcome
from ivr.outcome import EndReason, GiveUp, Go, Move, NodeId
from ivr.record import ProblemKind
from ivr.speech import Speech
from ivr.tree import Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCase:
    """Where a call goes for whose answer this holds: its status, as first and last of ranges, and a condition."""

    next: NodeId
    status: tuple[tuple[int, int], ...] = ()
    """Empty: any."""
    when: Condition | None = None

    def holds(self, visit: Visit, answer: LookUpAnswer) -> bool:
        """Tell whether it holds. A condition is about values, so it never does without an answer that has them."""
        if self.status and not any(first <= answer.status <= last for first, last in self.status):
            return False
        return self.when is None or (answer.outcome is LookUpOutcome.OK and self.when.holds(visit))


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpNode(Node):
    """Carries out the look-up named `lookup` while the caller hears `prompts`, then `music`.

    What it asked for becomes call data. Then the first of `cases` that holds leads on; if none does `next` after an
    answer, and what `branches` has for the outcome else. What has no branch goes to `on_failure`, or ends the call with
    a goodbye. The step's outcome is the look-up's, or `case-1` and so on.
    """

    type: ClassVar[str] = "http"

    lookup: str
    prompts: tuple[Speech, ...] = ()
    music: str = "default"
    cases: tuple[HttpCase, ...] = ()
    next: NodeId
    branches: Mapping[LookUpOutcome, NodeId] = field(default_factory=dict)
    on_failure: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        asked = visit.tools.lookups.ask(self.lookup, partial(_value, visit))
        answer = await visit.wait_for(asked, self.music, self.prompts)
        visit.call.data.update(answer.values)
        if answer.outcome is not LookUpOutcome.OK:
            visit.problem(ProblemKind.LOOK_UP, f"{self.lookup}: {answer.why}")
        for number, case in enumerate(self.cases, 1):
            if case.holds(visit, answer):
                return Go(case.next, f"case-{number}")
        return self._branch(answer.outcome)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        last = (self.on_failure,) if self.on_failure else ()
        return tuple(dict.fromkeys((*(case.next for case in self.cases), self.next, *self.branches.values(), *last)))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts

    def _branch(self, outcome: LookUpOutcome) -> Move:
        to = self.next if outcome is LookUpOutcome.OK else self.branches.get(outcome, self.on_failure)
        return Go(to, outcome) if to is not None else GiveUp(EndReason.LOOK_UP_FAILED)


def _value(visit: Visit, name: str) -> str | None:
    """What a field of the request is; secrets as they are, and those that are not the call's are the site's affair."""
    found = visit.call.lookup_with_secrets(name)
    if name.startswith("secret."):
        return found
    if found is None:
        visit.problem(ProblemKind.UNKNOWN_FIELD, name)
        return None
    return clean(found)

"""`collect`: ask for a number, check it, have it confirmed, and keep it with the call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ivr.entries import EntryCheck, EntryRules, read_entry
from ivr.keys import is_key
from ivr.nodes.menu import Retries, failure
from ivr.outcome import Go, Move, NodeId
from ivr.record import StepOutcome
from ivr.speech import Digits, DigitStyle, Speech
from ivr.tree import Node
from ivr.values import SayKind, to_speech
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The caller hears `before`, the entry read as `kind`, and `after`, and presses `accept` or `again`.

    So often as `retries` says the question is asked again, and an entry taken back.
    """

    before: tuple[Speech, ...]
    after: tuple[Speech, ...]
    kind: SayKind = SayKind.DIGITS
    accept: str = "1"
    again: str = "2"
    retries: int = 2

    def __post_init__(self) -> None:
        if not (is_key(self.accept) and is_key(self.again)) or self.accept == self.again:
            raise ValueError("two different keys accept an entry and take it back")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect(Node):
    """Says `prompts`, reads digits as `rules` say, and keeps those that pass `check` as the call datum `name`.

    What does not pass, and no entry at all, are counted apart as in a menu. When a count is used up the call goes to
    `on_failure`, or is ended with a goodbye.
    """

    type: ClassVar[str] = "collect"
    asks: ClassVar[bool] = True

    prompts: tuple[Speech, ...]
    name: str
    next: NodeId
    rules: EntryRules = field(default_factory=EntryRules)
    check: EntryCheck = field(default_factory=EntryCheck)
    barge_in: bool = True
    invalid: Retries = field(default_factory=Retries)
    no_input: Retries = field(default_factory=Retries)
    confirm: Confirmation | None = None
    on_failure: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        left = {
            StepOutcome.INVALID: self.invalid.retries,
            StepOutcome.NO_INPUT: self.no_input.retries,
            StepOutcome.AGAIN: self.confirm.retries if self.confirm else 0,
        }
        feedback: tuple[Speech, ...] = ()
        while True:
            await visit.play(feedback + self.prompts, barge_in=self.barge_in)
            entry = await read_entry(visit, self.rules)
            fault, feedback = self._fault(entry)
            if fault is None and entry is not None:
                if self.confirm is None:
                    return self._keep(visit, entry, StepOutcome.ENTERED)
                visit.tried(StepOutcome.ENTERED)
                fault = await self._confirm(visit, self.confirm, entry)
                if fault is StepOutcome.CONFIRMED:
                    return self._keep(visit, entry, fault)
            if fault is None or fault is StepOutcome.FAILED:
                return failure(self.on_failure)
            visit.tried(fault)
            if left[fault] == 0:
                # Not to be cut short, as in a menu.
                await visit.play(feedback, barge_in=False)
                return failure(self.on_failure)
            left[fault] -= 1

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return self.rules.keys + (self.confirm.accept + self.confirm.again if self.confirm else "")

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next, self.on_failure) if self.on_failure else (self.next,)

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        said = self.prompts + self.invalid.prompts + self.no_input.prompts
        if self.confirm is None:
            return said
        style = DigitStyle.PHONE if self.confirm.kind is SayKind.PHONE else DigitStyle.PLAIN
        return (*said, *self.confirm.before, Digits("0123456789", style), *self.confirm.after)

    def _fault(self, entry: str | None) -> tuple[StepOutcome | None, tuple[Speech, ...]]:
        """What is amiss about an entry, and what is said about it."""
        if entry is None:
            return StepOutcome.NO_INPUT, self.no_input.prompts
        if not self.rules.complete(entry) or not self.check.accepts(entry):
            return StepOutcome.INVALID, self.invalid.prompts
        return None, ()

    def _keep(self, visit: Visit, entry: str, why: StepOutcome) -> Move:
        visit.call.data[self.name] = entry
        return Go(self.next, why)

    async def _confirm(self, visit: Visit, confirm: Confirmation, entry: str) -> StepOutcome:
        said = to_speech(confirm.kind, entry)
        question = (*confirm.before, *((said,) if said else ()), *confirm.after)
        for _ in range(confirm.retries + 1):
            await visit.play(question, barge_in=self.barge_in)
            key = await visit.read_digit(self.rules.first_digit_s)
            if key == confirm.accept:
                return StepOutcome.CONFIRMED
            if key == confirm.again:
                return StepOutcome.AGAIN
            visit.tried(StepOutcome.INVALID if key else StepOutcome.NO_INPUT)
        return StepOutcome.FAILED

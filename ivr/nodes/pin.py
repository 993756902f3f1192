"""`pin`: ask for a secret number that nobody but a look-up, or the comparison with its hash, ever sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ivr.entries import EntryRules, read_entry
from ivr.nodes.menu import Retries, failure
from ivr.outcome import Go, Move, NodeId
from ivr.record import ProblemKind, StepOutcome
from ivr.speech import Speech
from ivr.tree import Node
from ivr.visit import Visit

ATTEMPTS_MAX = 10
WAITING_MUSIC = "default"
"""Heard only where the comparison takes long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin(Node):
    """Says `prompts` and reads a secret, which is kept for look-ups as `{secret.NAME}` and told to nobody else.

    With `hash`, a template for its argon2 hash, the secret has to match: a hash that cannot be used matches nothing.
    Without one, a look-up has to tell. Either way there are `attempts` in a call, however often the caller comes here;
    `wrong` is heard after one in vain. Then the call goes to `on_failure`; for want of any key to `on_no_input`.
    """

    type: ClassVar[str] = "pin"
    asks: ClassVar[bool] = True

    prompts: tuple[Speech, ...]
    name: str
    next: NodeId
    rules: EntryRules = field(default_factory=EntryRules)
    barge_in: bool = True
    hash: str | None = None
    attempts: int = 3
    wrong: tuple[Speech, ...] = ()
    no_input: Retries = field(default_factory=Retries)
    on_failure: NodeId | None = None
    on_no_input: NodeId | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= ATTEMPTS_MAX:
            raise ValueError(f"attempts must be 1 to {ATTEMPTS_MAX}, not {self.attempts}")

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        no_input_left = self.no_input.retries
        feedback: tuple[Speech, ...] = ()
        if self._used_up(visit):
            return await self._refuse(visit)
        while True:
            await visit.play(feedback + self.prompts, barge_in=self.barge_in)
            entry = await read_entry(visit, self.rules, secret=True)
            if entry is None:
                visit.tried(StepOutcome.NO_INPUT)
                if no_input_left == 0:
                    await visit.play(self.no_input.prompts, barge_in=False)
                    return failure(self.on_no_input or self.on_failure, StepOutcome.NO_INPUT)
                no_input_left -= 1
                feedback = self.no_input.prompts
                continue
            # Counted before it is looked at: who hangs up or goes elsewhere meanwhile has had it, too.
            visit.call.attempts[self.id] = visit.call.attempts.get(self.id, 0) + 1
            if self.rules.complete(entry) and await self._matches(visit, entry):
                return self._accept(visit, entry)
            visit.tried(StepOutcome.WRONG)
            if self._used_up(visit):
                return await self._refuse(visit)
            feedback = self.wrong

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return self.rules.keys

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next, *(node for node in (self.on_failure, self.on_no_input) if node))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts + self.wrong + self.no_input.prompts

    async def _matches(self, visit: Visit, entry: str) -> bool:
        if self.hash is None:
            return True
        comparing = visit.tools.hashes.matches(visit.fill(self.hash), entry)
        matches = await visit.wait_for(comparing, WAITING_MUSIC)
        if matches is None:
            visit.problem(ProblemKind.NO_USABLE_HASH, str(self.id))
        return matches is True

    def _accept(self, visit: Visit, entry: str) -> Move:
        visit.call.secrets[self.name] = entry
        if self.hash is not None:
            del visit.call.attempts[self.id]
        return Go(self.next, StepOutcome.ENTERED)

    def _used_up(self, visit: Visit) -> bool:
        return visit.call.attempts.get(self.id, 0) >= self.attempts

    async def _refuse(self, visit: Visit) -> Move:
        await visit.play(self.wrong, barge_in=False)
        # What was keyed beyond may be digits of a secret, too: it is not for the next node to read.
        await visit.forget_keys()
        return failure(self.on_failure)

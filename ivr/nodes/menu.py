"""`menu`: say what can be chosen, read a key, go where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr.keys import is_key
from ivr.line import KEYS
from ivr.outcome import EndReason, GiveUp, Go, Move, NodeId
from ivr.record import StepOutcome
from ivr.speech import Speech
from ivr.tree import Node
from ivr.visit import Visit

RETRIES_MAX = 20
TIMEOUT_S_MAX = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """What follows a wrong key, or none: `prompts` are heard each time, the menu is offered again `retries` times."""

    prompts: tuple[Speech, ...] = ()
    retries: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.retries <= RETRIES_MAX:
            raise ValueError(f"retries must be 0 to {RETRIES_MAX}, not {self.retries}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu(Node):
    """Says `prompts` and waits `timeout_s` after them for a key of `choices`.

    With `barge_in` a key stops the prompts; without, keys pressed during them count when they are over. Wrong keys
    and missing ones are counted apart, each with prompts and retries of its own; keys pressed while those are heard
    count for the next try. When either count is used up the call goes to `on_failure`, or is ended with a goodbye.
    """

    type: ClassVar[str] = "menu"
    asks: ClassVar[bool] = True
    landmark: ClassVar[bool] = True

    prompts: tuple[Speech, ...]
    choices: Mapping[str, NodeId]
    barge_in: bool = True
    timeout_s: float = 5.0
    invalid: Retries = field(default_factory=Retries)
    no_input: Retries = field(default_factory=Retries)
    on_failure: NodeId | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.timeout_s <= TIMEOUT_S_MAX:
            raise ValueError(f"timeout_s must be 0 to {TIMEOUT_S_MAX:g}, not {self.timeout_s:g}")
        for key in self.choices:
            if not is_key(key):
                raise ValueError(f"a choice is one of the keys {KEYS}, not {key!r}")

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        left = {StepOutcome.INVALID: self.invalid.retries, StepOutcome.NO_INPUT: self.no_input.retries}
        feedback: tuple[Speech, ...] = ()
        while True:
            await visit.play(feedback + self.prompts, barge_in=self.barge_in)
            key = await visit.read_digit(self.timeout_s)
            if key in self.choices:
                return Go(self.choices[key], StepOutcome.CHOICE)
            fault, retries = (StepOutcome.INVALID, self.invalid) if key else (StepOutcome.NO_INPUT, self.no_input)
            visit.tried(fault)
            if left[fault] == 0:
                # Not to be cut short: it is the last thing said here, and a key pressed now is meant for what follows.
                await visit.play(retries.prompts, barge_in=False)
                return self._failure()
            left[fault] -= 1
            feedback = retries.prompts

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return "".join(self.choices)

    def asks_silently(self) -> bool:
        """See `Node.asks_silently`."""
        return not self.prompts

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        further = (self.on_failure,) if self.on_failure else ()
        return tuple(dict.fromkeys((*self.choices.values(), *further)))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts + self.invalid.prompts + self.no_input.prompts

    def _failure(self) -> Move:
        if self.on_failure is None:
            return GiveUp(EndReason.MENU_FAILED)
        return Go(self.on_failure, StepOutcome.FAILED)

"""`menu`: say what can be chosen, read a key, go where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr.line import KEYS
from ivr.outcome import Back, EndReason, GiveUp, Go, Move, NodeId, Repeat, Top
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
class Keys:
    """Keys with the same meaning in every menu; empty for none. A menu's own choice of a key goes before them."""

    repeat: str = ""
    back: str = ""
    top: str = ""
    operator: str = ""
    operator_node: NodeId | None = None
    """Where the operator's key leads."""

    def __post_init__(self) -> None:
        used = [key for key in (self.repeat, self.back, self.top, self.operator) if key]
        if any(not is_key(key) for key in used):
            raise ValueError(f"a key is one of {KEYS}")
        if len(used) != len(set(used)):
            raise ValueError("one key cannot have two meanings")
        if self.operator and self.operator_node is None:
            raise ValueError("the operator's key needs the operator's node")

    def move(self, key: str) -> Move | None:
        """What `key` means here; None if nothing."""
        if not key:
            return None
        if key == self.repeat:
            return Repeat()
        if key == self.back:
            return Back()
        if key == self.top:
            return Top()
        if key == self.operator and self.operator_node is not None:
            return Go(self.operator_node, StepOutcome.OPERATOR)
        return None


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
    keys: Keys = field(default_factory=Keys)

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
            move = self._choice(key)
            if move is not None:
                return move
            fault, retries = (StepOutcome.INVALID, self.invalid) if key else (StepOutcome.NO_INPUT, self.no_input)
            visit.tried(fault)
            if left[fault] == 0:
                # Not to be cut short: it is the last thing said here, and a key pressed now is meant for what follows.
                await visit.play(retries.prompts, barge_in=False)
                return self._failure()
            left[fault] -= 1
            feedback = retries.prompts

    def asks_silently(self) -> bool:
        """See `Node.asks_silently`."""
        return not self.prompts

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        further = (self.on_failure, self.keys.operator_node)
        return tuple(dict.fromkeys((*self.choices.values(), *(node for node in further if node))))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts + self.invalid.prompts + self.no_input.prompts

    def _choice(self, key: str) -> Move | None:
        if key in self.choices:
            return Go(self.choices[key], StepOutcome.CHOICE)
        return self.keys.move(key)

    def _failure(self) -> Move:
        if self.on_failure is None:
            return GiveUp(EndReason.MENU_FAILED)
        return Go(self.on_failure, StepOutcome.FAILED)


def is_key(text: str) -> bool:
    """Whether `text` is one key of a telephone."""
    return len(text) == 1 and text in KEYS

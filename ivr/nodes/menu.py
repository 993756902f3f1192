"""`menu`: say what can be chosen, read a key, go where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ivr.directory import Directory
from ivr.keys import is_key
from ivr.line import KEYS
from ivr.outcome import End, EndReason, GiveUp, Go, Move, NodeId, ToAgent
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

    With a `directory` a caller may dial an extension instead of choosing.
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
    directory: Directory | None = None
    """The extensions that may be dialled here; None for none."""
    inter_digit_s: float = 2.0
    """How long the next digit of an extension is awaited (seconds)."""
    on_not_reached: NodeId | None = None
    """Where callers go whose agent did not take the call; None for this menu."""

    def __post_init__(self) -> None:
        for name, timeout_s in (("timeout_s", self.timeout_s), ("inter_digit_s", self.inter_digit_s)):
            if not 0 <= timeout_s <= TIMEOUT_S_MAX:
                raise ValueError(f"{name} must be 0 to {TIMEOUT_S_MAX:g}, not {timeout_s:g}")
        for key in self.choices:
            if not is_key(key):
                raise ValueError(f"a choice is one of the keys {KEYS}, not {key!r}")

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        left = {StepOutcome.INVALID: self.invalid.retries, StepOutcome.NO_INPUT: self.no_input.retries}
        feedback: tuple[Speech, ...] = ()
        while True:
            await visit.play(feedback + self.prompts, barge_in=self.barge_in)
            key = await visit.read_any_key(self.timeout_s)
            keys = await self._dialled(visit, self.directory, key) if self.directory else key
            move = self._move(visit, keys)
            if move is not None:
                return move
            fault, retries = (StepOutcome.INVALID, self.invalid) if key else (StepOutcome.NO_INPUT, self.no_input)
            visit.tried(fault)
            if left[fault] == 0:
                # Not to be cut short: it is the last thing said here, and a key pressed now is meant for what follows.
                await visit.play(retries.prompts, barge_in=False)
                return failure(self.on_failure)
            left[fault] -= 1
            feedback = retries.prompts

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return "".join(self.choices) + (self.directory.first_digits if self.directory else "")

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        further = [node for node in (self.on_failure, self.on_not_reached) if node]
        further += self.directory.nodes.values() if self.directory else ()
        return tuple(dict.fromkeys((*self.choices.values(), *further)))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return self.prompts + self.invalid.prompts + self.no_input.prompts

    def _move(self, visit: Visit, keys: str) -> Move | None:
        if keys in self.choices:
            return Go(self.choices[keys], StepOutcome.CHOICE)
        if self.directory is not None and keys in self.directory.nodes:
            return Go(self.directory.nodes[keys], StepOutcome.EXTENSION)
        if self.directory is not None and keys in self.directory.agents:
            outcome = ToAgent(
                agent=self.directory.agents[keys],
                not_reached=self.on_not_reached or self.id,
                node=self.id,
                language=visit.call.language,
            )
            return End(outcome, StepOutcome.EXTENSION)
        return visit.common_move(keys)

    async def _dialled(self, visit: Visit, directory: Directory, keys: str) -> str:
        """Read on as long as an extension may be meant; all the keys that belong together.

        `#` ends an extension, and so does a pause. A key that continues none is the next node's if what came before
        means something by itself (a choice, a shorter extension), else it is all one number that nobody has.
        """
        while directory.begins(keys):
            key = await visit.read_any_key(self.inter_digit_s)
            if not key or key == "#":
                break
            if not directory.begins(keys + key) and keys + key not in directory:
                if keys in directory or self._move(visit, keys) is not None:
                    visit.give_back(key)
                    break
                return await self._wrong_number(visit, directory, keys + key)
            keys += key
        else:
            if keys in directory:
                visit.call.late_terminator = "#"
        return keys

    async def _wrong_number(self, visit: Visit, directory: Directory, keys: str) -> str:
        """Read the rest of it, too: it is not meant for the next try."""
        while len(keys) < directory.longest:
            key = await visit.read_any_key(self.inter_digit_s)
            if not key or key == "#":
                break
            keys += key
        return keys


def failure(to: NodeId | None, why: StepOutcome = StepOutcome.FAILED) -> Move:
    """Go where a node leads those who give no usable answer; end the call where it leads nowhere."""
    return GiveUp(EndReason.MENU_FAILED) if to is None else Go(to, why)

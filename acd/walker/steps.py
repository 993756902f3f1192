"""What a walk tells: one object for each step, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeAlias

from acd.walker.clock import VirtualClock
from ivr.context import CallContext
from ivr.outcome import HangUp, Outcome
from ivr.record import StepRecord
from ivr.speech import Speech

__all__ = ["Json", "Step", "StepTeller", "ending"]

Json: TypeAlias = Any

_WORDS = {
    "Enqueue": "enqueue",
    "ToAgent": "agent",
    "WaitOn": "wait-on",
    "HangUp": "hangup",
    "CallerGone": "caller-gone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step as the walk tells it. `at` is the moment of its end, `data` are the call data that changed in it."""

    number: int
    at: str
    node: str
    type: str
    language: str
    heard: tuple[str, ...]
    key: str
    outcome: str
    to: str | None
    data: Mapping[str, str] = field(default_factory=dict)
    did: tuple[str, ...] = ()
    """What would have been done in a real call."""
    problems: tuple[str, ...] = ()
    end: Mapping[str, Json] | None = None
    """What the walk came to; with its last step alone."""

    def as_json(self) -> dict[str, Json]:
        """The object that is printed: what is always there first, then what there is to tell."""
        told: dict[str, Json] = {
            "step": self.number,
            "at": self.at,
            "node": self.node,
            "type": self.type,
            "language": self.language,
            "heard": list(self.heard),
            "key": self.key,
            "outcome": self.outcome,
            "to": self.to,
        }
        if self.data:
            told["data"] = dict(self.data)
        if self.did:
            told["did"] = list(self.did)
        if self.problems:
            told["problems"] = list(self.problems)
        if self.end is not None:
            told["end"] = dict(self.end)
        return told


class StepTeller:
    """Turns the interpreter's records into steps and hands them on.

    Args:
        call: whose data are watched.
        clock: the walk's.
        word: what a part of speech says in a language; None if there is no such prompt.
        did: gives what would have been done since the last time.
        tell: is given each step.
        hold: keep each step back until the next one or the end, so that the last can be told with what it came to.
    """

    def __init__(
        self,
        call: CallContext,
        clock: VirtualClock,
        word: Callable[[Speech, str], str | None],
        did: Callable[[], tuple[str, ...]],
        tell: Callable[[Step], None],
        *,
        hold: bool,
    ) -> None:
        self._call = call
        self._clock = clock
        self._word = word
        self._did = did
        self._tell = tell
        self._hold = hold
        self._known: dict[str, str] = dict(call.data)
        self._held: Step | None = None

    def on_step(self, record: StepRecord) -> None:
        """Take a record (see `ivr.record.OnStep`)."""
        self._release(None)
        changed = {name: value for name, value in self._call.data.items() if self._known.get(name) != value}
        self._known = dict(self._call.data)
        self._held = Step(
            number=record.number,
            at=self._clock.local().isoformat(timespec="seconds"),
            node=record.node,
            type=record.type,
            language=record.language,
            heard=tuple(text for part in record.heard if (text := self._word(part, record.language)) is not None),
            key=record.key,
            outcome=record.outcome,
            to=record.to,
            data=changed,
            did=self._did(),
            problems=tuple(f"{problem.kind}: {problem.subject}" for problem in record.problems),
        )
        if not self._hold:
            self._release(None)

    def finish(self, outcome: Outcome) -> None:
        """Hand on the step that was held back, with what the walk came to."""
        self._release(ending(outcome))

    def _release(self, end: Mapping[str, Json] | None) -> None:
        if self._held is not None:
            self._tell(self._held if end is None else replace(self._held, end=end))
            self._held = None


def ending(outcome: Outcome) -> dict[str, Json]:
    """An outcome as an object: its `kind`, then its fields, those left out that say nothing."""
    kind = _WORDS.get(type(outcome).__name__, type(outcome).__name__.lower())
    told: dict[str, Json] = {"kind": kind}
    for name in (each.name for each in fields(outcome)):
        value = _plain(getattr(outcome, name))
        if value not in (None, "", {}, [], 0) or name in ("cause", "reason"):
            told[name] = value
    if isinstance(outcome, HangUp):
        told["cause"] = str(outcome.cause)
    return told


def _plain(value: Any) -> Json:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)

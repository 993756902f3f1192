"""What the interpreter reports of each step: the material of a call's path, its explanation and the terminal walker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ivr.outcome import NodeId
from ivr.speech import Speech


class StepOutcome(StrEnum):
    """How a step ended. A node type of its own may report further words."""

    NEXT = "next"
    CHOICE = "choice"
    INVALID = "invalid"
    NO_INPUT = "no-input"
    FAILED = "failed"
    REPEAT = "repeat"
    BACK = "back"
    TOP = "top"
    OPERATOR = "operator"
    ENQUEUE = "enqueue"
    HANG_UP = "hang-up"
    CALLER_GONE = "caller-gone"
    STEP_LIMIT = "step-limit"
    NO_SUCH_NODE = "no-such-node"


class ProblemKind(StrEnum):
    """What was amiss in a step. None of these ends a call."""

    SPEECH_MISSING = "speech-missing"
    UNKNOWN_FIELD = "unknown-field"
    NOT_A_NUMBER = "not-a-number"
    NOT_DIGITS = "not-digits"
    NO_TEXT = "no-text"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something amiss that the call outlived. `subject` names the prompt, field or value."""

    kind: ProblemKind
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of one call: what was played, what the caller did, where that led.

    A menu reports each try as a step of its own. `number` counts the call's steps from 1 over all its walks. `heard`
    is what was put on the line; a key in `key` may have cut it short. `to` is the next node, None when the call stays
    (another try) or ends.
    """

    call_id: str
    number: int
    node: NodeId
    type: str
    language: str
    outcome: str
    heard: tuple[Speech, ...] = ()
    key: str = ""
    to: NodeId | None = None
    problems: tuple[Problem, ...] = ()


OnStep = Callable[[StepRecord], None]
"""The observer of steps. Called at once and in order; it must neither block nor raise."""

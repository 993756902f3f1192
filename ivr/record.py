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
    ENTERED = "entered"
    CONFIRMED = "confirmed"
    AGAIN = "again"
    WRONG = "wrong"
    EXTENSION = "extension"
    ENQUEUE = "enqueue"
    AGENT = "agent"
    HANG_UP = "hang-up"
    CALLER_GONE = "caller-gone"
    STEP_LIMIT = "step-limit"
    DEPTH_LIMIT = "depth-limit"
    CALL = "call"
    RETURN = "return"
    NO_SUCH_NODE = "no-such-node"


class ProblemKind(StrEnum):
    """What was amiss in a step. None of these ends a call."""

    SPEECH_MISSING = "speech-missing"
    UNKNOWN_FIELD = "unknown-field"
    NOT_A_NUMBER = "not-a-number"
    NOT_DIGITS = "not-digits"
    NOT_AN_AMOUNT = "not-an-amount"
    NOT_A_DATE = "not-a-date"
    NOT_A_TIME = "not-a-time"
    NOT_A_DURATION = "not-a-duration"
    NO_USABLE_HASH = "no-usable-hash"
    NO_TEXT = "no-text"
    NO_SUCH_CALENDAR = "no-such-calendar"
    NO_SUCH_QUEUE = "no-such-queue"
    OUT_OF_RANGE = "out-of-range"
    SUBTREES_FORGOTTEN = "subtrees-forgotten"
    CANNOT_RECORD = "cannot-record"
    LOOK_UP = "look-up"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something amiss that the call outlived. `subject` names the prompt, field or value."""

    kind: ProblemKind
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of one call: what was played, what the caller did, where that led.

    A menu reports each try as a step of its own. `number` counts the call's steps from 1 over all its walks. `heard`
    is what was put on the line; with `interrupted`, a key cut it short. `key` is what the node took of the caller's
    keys: nothing of a secret, ever, and nothing that was left for the next node. `to` is the next node, None when the
    call stays (another try) or ends.
    """

    call_id: str
    number: int
    node: NodeId
    type: str
    language: str
    outcome: str
    heard: tuple[Speech, ...] = ()
    interrupted: bool = False
    key: str = ""
    to: NodeId | None = None
    problems: tuple[Problem, ...] = ()


OnStep = Callable[[StepRecord], None]
"""The observer of steps. Called at once and in order; it must neither block nor raise."""

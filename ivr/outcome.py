"""Where a step leads (`Move`) and what a walk through the trees comes to (`Outcome`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

NodeId = NewType("NodeId", str)
"""A node's name in the whole forest: `tree.node`."""


class HangUpCause(StrEnum):
    """Why a call is ended, in the words of the configuration. The numbers are ITU-T Q.850's."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REJECTED = "rejected"
    UNALLOCATED = "unallocated"
    CONGESTION = "congestion"

    @property
    def q850(self) -> int:
        """The cause's number, as Asterisk's `Hangup()` takes it."""
        return _Q850[self]


_Q850: Mapping[HangUpCause, int] = {
    HangUpCause.NORMAL: 16,
    HangUpCause.BUSY: 17,
    HangUpCause.NO_ANSWER: 19,
    HangUpCause.REJECTED: 21,
    HangUpCause.UNALLOCATED: 1,
    HangUpCause.CONGESTION: 34,
}


class EndReason(StrEnum):
    """Why the interpreter ended a call."""

    NODE = "node"
    """A hang-up node said so."""
    END_OF_TREE = "end-of-tree"
    """The last node had no next one."""
    MENU_FAILED = "menu-failed"
    """The caller gave no usable answer, and the menu names no node for that."""
    STEP_LIMIT = "step-limit"
    """The call went round in the trees until its bound on steps was reached."""
    NO_SUCH_NODE = "no-such-node"
    """The call was sent to a node that does not exist, for example after the configuration changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue:
    """Put the call into a queue."""

    queue: str
    priority: int = 0
    """Added to the queue's own."""
    requires: Mapping[str, int] = field(default_factory=dict)
    """Skill and its lowest level, added to the queue's own."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Call data set here, fields filled in."""
    then: NodeId | None = None
    """Where the caller goes on after the agent has hung up; None ends the call."""
    language: str = ""
    """The caller's language at this point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """The call was ended by the tree: the interpreter has called `hangup` on the line."""

    cause: HangUpCause = HangUpCause.NORMAL
    reason: EndReason = EndReason.NODE


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerGone:
    """The caller hung up while at this node."""

    at: NodeId


Outcome = Enqueue | HangUp | CallerGone
"""What `Interpreter.run` returns."""


@dataclass(frozen=True, slots=True)
class Go:
    """Go on at a node. `why` is what the step's record tells: `next`, `choice`, `failed` …"""

    to: NodeId
    why: str = "next"


@dataclass(frozen=True, slots=True)
class Repeat:
    """Visit this node again."""


@dataclass(frozen=True, slots=True)
class Back:
    """Go to the menu before this one; from the first menu: visit it again."""


@dataclass(frozen=True, slots=True)
class Top:
    """Go to the first menu that the caller heard."""


@dataclass(frozen=True, slots=True)
class End:
    """Leave the trees with this outcome."""

    outcome: Enqueue | HangUp
    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the call with a goodbye, because nothing sensible can follow."""

    reason: EndReason


Move = Go | Repeat | Back | Top | End | GiveUp
"""What a node's step returns to the interpreter."""

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
    LOOK_UP_FAILED = "look-up-failed"
    """A look-up came to nothing, and its node names no node for that."""
    STEP_LIMIT = "step-limit"
    """The call went round in the trees until its bound on steps was reached."""
    NO_SUCH_NODE = "no-such-node"
    """The call was sent to a node that does not exist, for example after the configuration changed."""
    DEPTH_LIMIT = "depth-limit"
    """Subtrees called each other until the bound on their depth was reached."""
    NOTHING_TO_RETURN_TO = "nothing-to-return-to"
    """A `return` outside of any subtree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue:
    """Put the call into a queue."""

    queue: str
    priority: int = 0
    """Added to the queue's own."""
    requires: Mapping[str, int] = field(default_factory=dict)
    """Skill and its lowest level, added to the queue's own."""
    agent: str = ""
    """The agent who is first offered the call, in queues with a hold for that; empty for none."""
    keep_wait: bool = True
    """A caller who has come out of a queue keeps the time waited there."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Call data set here, fields filled in."""
    then: NodeId | None = None
    """Where the caller goes on after the agent has hung up; None ends the call."""
    language: str = ""
    """The caller's language at this point."""


class AgentMiss(StrEnum):
    """Why an agent did not take a call that was for nobody else."""

    UNKNOWN = "unknown"
    """There is no such agent."""
    NOT_READY = "not-ready"
    """Logged out or not ready, or the phone cannot be reached."""
    BUSY = "busy"
    """In another call or after-call work for longer than the caller was to wait, or the phone said so."""
    NO_ANSWER = "no-answer"
    """The phone rang in vain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAgent:
    """Offer the call to one agent, whatever queues there are: an extension was dialled, or a node names the agent."""

    agent: str
    ring_timeout_s: float | None = None
    """How long the agent's phone rings (seconds); None for what the site has set."""
    queue: str = ""
    """The queue whose rules hold (ringing, wrap-up, music); empty for the agent's first."""
    wait_s: float = 0.0
    """How long the caller waits for an agent who has another call (seconds)."""
    not_reached: NodeId | None = None
    """Where the caller goes on when the agent does not take the call (not ready, busy, no answer); None ends it."""
    on: Mapping[str, NodeId] = field(default_factory=dict)
    """Where the caller goes on instead of `not_reached`, by why the agent did not take the call: `AgentMiss`."""
    node: NodeId | None = None
    """The node that asked for this: visited again if the process ends before the agent has taken the call."""
    then: NodeId | None = None
    """Where the caller goes on after the agent has hung up; None ends the call."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Call data set here, fields filled in."""
    language: str = ""
    """The caller's language at this point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """The call was ended by the tree: the interpreter has called `hangup` on the line."""

    cause: HangUpCause = HangUpCause.NORMAL
    reason: EndReason = EndReason.NODE


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitOn:
    """The caller, who came here out of a queue, waits on there in the old place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerGone:
    """The caller hung up while at this node."""

    at: NodeId


Outcome = Enqueue | ToAgent | WaitOn | HangUp | CallerGone
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
    """Go to the top of the menus, out of all subtrees."""

    to: NodeId | None = None
    """What the top is; None for the first menu that the caller heard."""


@dataclass(frozen=True, slots=True)
class End:
    """Leave the trees with this outcome."""

    outcome: Enqueue | ToAgent | WaitOn | HangUp
    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the call with a goodbye, because nothing sensible can follow."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class Enter:
    """Go into a subtree at a node; a `Return` comes back to the node that was visited."""

    to: NodeId
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Return:
    """Leave the innermost subtree with this result; empty for none."""

    result: str = ""


Move = Go | Enter | Return | Repeat | Back | Top | End | GiveUp
"""What a node's step returns to the interpreter."""

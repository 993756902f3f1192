"""What the engine is told about queues and agents: configuration, compiled into plain frozen values.

The service builds these from the checked YAML; tests and the simulator build them directly. All durations are
seconds. Skill levels are whole numbers from 1 (weakest) to 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.priority import PriorityRule
from routing.skills import Requirement

__all__ = [
    "AgentSpec",
    "BackOffSpec",
    "CountScope",
    "OverflowAction",
    "OverflowActionKind",
    "OverflowCondition",
    "OverflowRule",
    "QueueSpec",
    "RelaxationStep",
    "RoutingSpec",
    "StickySpec",
    "WaitingMessage",
    "WaitingMessageKind",
    "WrapUpMode",
    "WrapUpSpec",
]


class WrapUpMode(StrEnum):
    """How an agent's after-call work ends (field terms as in app_queue and Genesys Cloud)."""

    FIXED = "fixed"
    """Always the full time, the agent cannot shorten it."""
    CAPPED = "capped"
    """Until the agent says done, at most the given time."""
    UNTIL_DONE = "until-done"
    """Until the agent says done."""


class CountScope(StrEnum):
    """Over what an agent's idle time and call counts are kept."""

    GLOBAL = "global"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class WrapUpSpec:
    """After-call work. ``seconds`` 0 with FIXED or CAPPED means none; an extension is granted once per call."""

    mode: WrapUpMode = WrapUpMode.CAPPED
    seconds: float = 0.0
    extension_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BackOffSpec:
    """How long an agent gets no offer after one that failed at his or her phone, by reason (seconds)."""

    missed_s: float = 30.0
    rejected_s: float = 10.0
    unreachable_s: float = 60.0
    missed_in_row_limit: int = 0
    """After so many missed rings in a row the agent goes not ready (reason ``missed-calls``); 0: never."""


@dataclass(frozen=True, slots=True)
class RelaxationStep:
    """From ``after_s`` seconds of waiting on, the call asks for this instead of what it asked for before."""

    after_s: float
    requirement: Requirement
    keep_call_skills: bool = True
    """Whether skills that the call itself asks for, and the step does not name, are still asked for."""


@dataclass(frozen=True, slots=True)
class StickySpec:
    """Last or named agent first: for ``hold_s`` seconds the call waits for that agent alone.

    Only if the agent is logged in and serves the queue. When the agent is busy the call is held only if the agent
    is in wrap-up that ends within ``wait_for_wrap_up_s``, or ``wait_while_busy`` is set.
    """

    hold_s: float = 0.0
    wait_for_wrap_up_s: float = 0.0
    wait_while_busy: bool = False


class WaitingMessageKind(StrEnum):
    """What a waiting caller is told."""

    POSITION = "position"
    ESTIMATED_WAIT = "estimated-wait"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message to a waiting caller, first after ``after_s`` of waiting, then every ``every_s`` (0: once)."""

    kind: WaitingMessageKind
    after_s: float
    every_s: float = 0.0
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class OverflowCondition:
    """When an overflow or join rule applies: all given parts must hold (None: not asked)."""

    waiting_s: float | None = None
    """The call has waited at least so long (seconds)."""
    calls_waiting: int | None = None
    """At least so many calls wait in the queue, this one included."""
    estimated_wait_s: float | None = None
    """The estimated wait is at least so long (seconds)."""
    calls_per_ready_agent: float | None = None
    """Waiting calls over agents logged in and ready or working; no such agent counts as above any ratio."""
    nobody_ready: bool = False
    """No logged-in agent of the queue is ready, offered, talking or in wrap-up (all not ready)."""
    nobody_logged_in: bool = False
    out_of_hours: bool = False

    @property
    def counts_calls(self) -> bool:
        """Whether it is about how many wait, and for how long: every call that comes can make it hold."""
        return (
            self.calls_waiting is not None
            or self.estimated_wait_s is not None
            or self.calls_per_ready_agent is not None
        )


class OverflowActionKind(StrEnum):
    """Where an overflowing call goes."""

    QUEUE = "queue"
    MENU = "menu"
    VOICEMAIL = "voicemail"
    NUMBER = "number"
    CALLBACK = "callback"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class OverflowAction:
    """``target``: queue id, menu node, box, number or prompt, by ``kind``; ``keep_wait`` for queues."""

    kind: OverflowActionKind
    target: str
    keep_wait: bool = True


@dataclass(frozen=True, slots=True)
class OverflowRule:
    """One line of a queue's overflow (or join) list: the first whose condition holds acts, in order.

    ``repeat`` lets it act again on the same call if that returns to the queue; otherwise once per call.
    """

    when: OverflowCondition
    then: OverflowAction
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """One queue: who may serve it, in what order, and what happens to those who wait."""

    id: str
    title: str = ""
    strategy: str = "longest-idle"
    strategy_options: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    requirement: Requirement = Requirement()
    relaxation: tuple[RelaxationStep, ...] = ()
    priority: PriorityRule = PriorityRule()
    ring_timeout_s: float = 15.0
    wrap_up: WrapUpSpec = WrapUpSpec()
    music: str = "default"
    while_ringing: str = "music"
    service_level_s: float = 20.0
    sticky: StickySpec = StickySpec()
    messages: tuple[WaitingMessage, ...] = ()
    join: tuple[OverflowRule, ...] = ()
    overflow: tuple[OverflowRule, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One agent. ``queues`` maps queue id to the agent's order in it (hunt order, 0 first)."""

    id: str
    name: str = ""
    phone: str = ""
    queues: Mapping[str, int] = field(default_factory=dict)
    skills: Mapping[str, int] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    weight: float = 1.0
    """For the weighted random strategy; above 0."""
    confirm: bool = False
    """The agent presses a key before the caller is put through (agents on a mobile)."""
    auto_answer: bool = False
    """The phone is told to answer by itself (SIP header)."""
    max_login_s: float = 0.0
    """Logged out after so long (seconds, at the next moment without a call); 0: no limit."""
    start: str = "ready"
    """``ready``, ``not-ready`` or ``logged-out``: the state when the engine first knows the agent."""


@dataclass(frozen=True, slots=True)
class RoutingSpec:
    """All queues and agents of the site, and the rules over all of them."""

    queues: Mapping[str, QueueSpec]
    agents: Mapping[str, AgentSpec]
    back_off: BackOffSpec = BackOffSpec()
    idle_scope: CountScope = CountScope.GLOBAL
    missed_resets_idle: bool = False
    """Does a missed or rejected offer count as work, so that the agent goes to the end of longest-idle?"""
    short_call_s: float = 0.0
    """A call shorter than this does not reset idle time nor count as a call (0: every call counts)."""
    count_scope: CountScope = CountScope.GLOBAL
    lease_margin_s: float = 5.0
    """A reservation is verified so long after it should have ended (seconds)."""
    max_legs: int = 30
    """At most so many phones ring for one call: bounds the dial string."""

"""Agents, calls, offers and deadlines as the brute-force model keeps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from acd.core.events import DeviceState
from acd.core.specs import AgentSpec, QueueSpec, WrapUpMode

NOWHERE = QueueSpec("")


class Mismatch(AssertionError):
    """The engine did something else than the model says."""


@dataclass
class MAgent:
    spec: AgentSpec
    index: int
    state: str = "logged-out"
    since: float = 0.0
    until: float | None = None
    phone_free: bool = True
    device: DeviceState = DeviceState.UNKNOWN
    idle_since: float = 0.0
    idle_in: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    talk_s: dict[str, float] = field(default_factory=dict)
    missed: int = 0
    pending: tuple[str, str] | None = None
    offer: MOffer | None = None
    call: MCall | None = None
    wrap_up: WrapUpMode | None = None
    extension_s: float = 0.0
    call_counted: bool = False
    timer: MTimer | None = None
    held: list[MCall] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.spec.id


@dataclass
class MCall:
    id: str
    number: int
    state: str = "menu"
    queue: QueueSpec = NOWHERE
    entered_at: float = 0.0
    extra: int = 0
    requires: tuple[tuple[str, int], ...] = ()
    customer: str = ""
    relaxed: int = 0
    held_for: MAgent | None = None
    offer: MOffer | None = None
    offers: int = 0
    agent: MAgent | None = None
    timers: list[MTimer] = field(default_factory=list)


@dataclass
class MOffer:
    id: str
    call: MCall
    made_at: float
    ring_until: float
    legs: list[MAgent] = field(default_factory=list)
    winner: MAgent | None = None
    hungry: bool = False
    joinable: bool = False
    lease: MTimer | None = None
    step: MTimer | None = None


@dataclass
class MTimer:
    at: float
    number: int
    action: Callable[[float], None]

"""What the engine wants done: frozen values that the service carries out on Asterisk.

Each names, in ``cause``, the number of the input event that led to it (the engine counts its inputs from 1).
"""

from __future__ import annotations

from dataclasses import dataclass

from acd.core.specs import OverflowAction, WaitingMessageKind

__all__ = [
    "AddLeg",
    "AgentStateChanged",
    "Announce",
    "CancelLeg",
    "CancelOffer",
    "ChangeQueue",
    "Command",
    "FaultFound",
    "OfferCall",
    "Overflow",
    "VerifyOffer",
]


@dataclass(frozen=True, slots=True)
class OfferCall:
    """Ring these agents' phones for the waiting call; music or an announcement must not delay it."""

    cause: int
    offer_id: str
    call_id: str
    agent_ids: tuple[str, ...]
    queue: str
    ring_timeout_s: float


@dataclass(frozen=True, slots=True)
class AddLeg:
    """Ring one more phone for an offer that is under way."""

    cause: int
    offer_id: str
    call_id: str
    agent_id: str
    ring_timeout_s: float


@dataclass(frozen=True, slots=True)
class CancelLeg:
    """Stop ringing one phone of an offer."""

    cause: int
    offer_id: str
    call_id: str
    agent_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CancelOffer:
    """Stop all phones of an offer that nobody has answered; the caller is not waiting for them any more."""

    cause: int
    offer_id: str
    call_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class VerifyOffer:
    """A reservation outlived its time: find out what became of it and post the event that says so."""

    cause: int
    offer_id: str
    call_id: str
    agent_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell a waiting caller something. ``position`` counts from 1; ``estimated_wait_s`` None: not known."""

    cause: int
    call_id: str
    kind: WaitingMessageKind
    position: int
    estimated_wait_s: float | None
    prompt: str


@dataclass(frozen=True, slots=True)
class Overflow:
    """The call leaves its queue for something that is not a queue; it is back in the menus."""

    cause: int
    call_id: str
    action: OverflowAction
    reason: str


@dataclass(frozen=True, slots=True)
class ChangeQueue:
    """The call has left its queue for another one: other music from now on. ``entered_at``: monotonic seconds."""

    cause: int
    call_id: str
    queue: str
    entered_at: float
    reason: str


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """For whoever shows or stores agent states. ``until``: monotonic seconds of the state's own end, or None."""

    cause: int
    agent_id: str
    state: str
    reason: str
    until: float | None


@dataclass(frozen=True, slots=True)
class FaultFound:
    """A transition that must not happen: the entity was reconciled, the others go on. To be logged and counted."""

    cause: int
    entity: str
    message: str
    story: tuple[str, ...]


Command = (
    OfferCall
    | AddLeg
    | CancelLeg
    | CancelOffer
    | VerifyOffer
    | Announce
    | Overflow
    | ChangeQueue
    | AgentStateChanged
    | FaultFound
)

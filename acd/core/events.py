"""What the engine is told: every input that may change a decision, as frozen values.

Time is not in here: it comes beside the event as ``now`` (seconds, monotonic). Events are idempotent where the
outside may repeat them, and one that comes too late (an offer long gone, a call that ended) is ignored and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from acd.core.specs import RoutingSpec

__all__ = [
    "AgentLoggedIn",
    "AgentLoggedOut",
    "AgentNotReady",
    "AgentReady",
    "CallArrived",
    "CallEnded",
    "CallLeftQueue",
    "CallQueued",
    "CallerIdentified",
    "ConfigurationChanged",
    "CountsReset",
    "DeviceChanged",
    "DeviceState",
    "Event",
    "HoursChanged",
    "LastAgentsRestored",
    "LegAnswered",
    "LegFailed",
    "LegFailure",
    "MenuStepped",
    "OfferBridged",
    "OfferEnded",
    "OffersResumed",
    "OffersSuspended",
    "TalkEnded",
    "TalkRestored",
    "TimePassed",
    "WrapUpDone",
    "WrapUpExtended",
]


class LegFailure(StrEnum):
    """Why a phone that was rung did not take the call."""

    MISSED = "missed"
    """Ring no answer (RONA)."""
    REJECTED = "rejected"
    """The agent pressed reject, or the phone is busy or on do-not-disturb (486, 600, 603)."""
    UNREACHABLE = "unreachable"
    """No phone registered, no route, 404/408/503 and the like."""
    CANCELLED = "cancelled"
    """We or the caller ended the offer; nothing to hold against the agent."""
    DROPPED = "dropped"
    """Answered, but gone before the two were connected."""


class DeviceState(StrEnum):
    """What Asterisk says of an agent's phone; it can only veto an offer, never cause one."""

    UNKNOWN = "unknown"
    NOT_INUSE = "not-in-use"
    INUSE = "in-use"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class CallArrived:
    """A caller is on the line, in the menus; or a call begins of which nobody is on the line (``line``)."""

    call_id: str
    caller: str = ""
    dialled: str = ""
    line: bool = True
    """False: a callback, a message offered to agents. It leaves its queue and comes again by nobody's wish."""
    resumed: bool = False
    """It has come to an engine before, which ended: what it did there is in that one's journal."""


@dataclass(frozen=True, slots=True)
class CallerIdentified:
    """It has been found out who calls, or why that is not known. For the call's story; nothing is decided by it."""

    call_id: str
    customer: str = ""
    source: str = ""
    """Where that is from; empty: nothing is known of the caller but the number."""
    failure: str = ""
    """Why a look-up came to nothing."""


@dataclass(frozen=True, slots=True)
class MenuStepped:
    """The caller has made a step in the menus. For the call's story; nothing is decided by it.

    Without a ``node`` it is a step beside them: a callback promised in the call, an attempt of one.
    ``key`` is what the caller chose by: never a secret, and never data that were keyed in.
    """

    call_id: str
    node: str
    outcome: str
    key: str = ""
    to: str = ""
    """The next node; empty: the call stays there, or leaves the menus."""
    detail: str = ""
    """What the outcome came from, or what was amiss, in words."""


@dataclass(frozen=True, slots=True)
class CallQueued:
    """The caller waits in ``queue`` from now on (or since ``entered_at``, when a place is kept).

    ``priority`` is added to the queue's own; ``requires`` (skill, least level) to the queue's requirement.
    ``customer`` names whose call this is for last-agent routing; ``agent`` names a wanted agent. ``stays``: no join or
    overflow rule moves it (a caller who is to be called back has been promised this queue). ``returns``: it comes back
    to the place that it had in this queue, as it could not be sent elsewhere, or its engine ended. Join rules are for
    those who come: they have been asked, and what they led to is not done a second time.
    """

    call_id: str
    queue: str
    priority: int = 0
    requires: tuple[tuple[str, int], ...] = ()
    entered_at: float | None = None
    customer: str = ""
    agent: str = ""
    language: str = ""
    stays: bool = False
    returns: bool = False


@dataclass(frozen=True, slots=True)
class CallLeftQueue:
    """The caller left the queue by own wish (a key while waiting); back in the menus."""

    call_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The caller's channel is gone, whatever it was doing."""

    call_id: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """An agent's phone was picked up; the two are not connected yet."""

    offer_id: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class LegFailed:
    """One phone of an offer will not take the call."""

    offer_id: str
    agent_id: str
    reason: LegFailure


@dataclass(frozen=True, slots=True)
class OfferBridged:
    """Caller and agent are really connected."""

    offer_id: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """The dialling is over and nobody was connected; phones not yet reported failed for ``reason``."""

    offer_id: str
    reason: LegFailure = LegFailure.MISSED


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """Agent and caller are apart; the caller, if still there, is back with us."""

    call_id: str


@dataclass(frozen=True, slots=True)
class TalkRestored:
    """After a restart: these two are found connected. ``talking_since``: monotonic seconds."""

    call_id: str
    agent_id: str
    queue: str
    talking_since: float


@dataclass(frozen=True, slots=True)
class AgentLoggedIn:
    """The agent is there. ``ready`` False: logged in, not ready yet, for ``reason``."""

    agent_id: str
    ready: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AgentLoggedOut:
    """The agent leaves; on a call: once it is over."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class AgentReady:
    """The agent wants calls (logs in where needed)."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class AgentNotReady:
    """No calls for now, for ``reason``; during a call: once it is over."""

    agent_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WrapUpDone:
    """The agent has finished after-call work."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    """The agent asks for the one extension of after-call work."""

    agent_id: str


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """What Asterisk says of the agent's phone."""

    agent_id: str
    state: DeviceState


@dataclass(frozen=True, slots=True)
class OffersSuspended:
    """No new offers (draining, or not yet in step with Asterisk)."""

    reason: str


@dataclass(frozen=True, slots=True)
class OffersResumed:
    """Offers may be made again."""


@dataclass(frozen=True, slots=True)
class HoursChanged:
    """A queue's opening hours began or ended, or the reason has changed (the calendar lives outside the core)."""

    queue: str
    is_open: bool
    why: str = ""
    """Open or closed, until when and why: a sentence for explanations."""


@dataclass(frozen=True, slots=True)
class CountsReset:
    """The daily reset of call counts and talk times."""


@dataclass(frozen=True, slots=True)
class LastAgentsRestored:
    """Who talked to whom last, as it was known before a restart: customer and agent, the longest ago first."""

    agents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ConfigurationChanged:
    """A new set of queues and agents, already checked; taken between two events."""

    routing: RoutingSpec


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing happened but time: deadlines that are due are acted on."""


Event = (
    CallArrived
    | CallerIdentified
    | MenuStepped
    | CallQueued
    | CallLeftQueue
    | CallEnded
    | LegAnswered
    | LegFailed
    | OfferBridged
    | OfferEnded
    | TalkEnded
    | TalkRestored
    | AgentLoggedIn
    | AgentLoggedOut
    | AgentReady
    | AgentNotReady
    | WrapUpDone
    | WrapUpExtended
    | DeviceChanged
    | OffersSuspended
    | OffersResumed
    | HoursChanged
    | CountsReset
    | LastAgentsRestored
    | ConfigurationChanged
    | TimePassed
)

"""routing.yaml: dialled numbers, skills, queues, and what follows an offer that failed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from config.schema.callbacks import Callbacks, Zone
from config.schema.lookups import CallerLookUp, LookUp, Numbering
from config.schema.marks import Way
from config.schema.menus import Menus
from config.schema.numbers import CallerNumber, DialledNumber, Extension, Prefix
from config.schema.phones import Trunk
from config.schema.queues import Queue, QueueSettings
from config.schema.references import Priority, Reference
from config.schema.shared import Flag, FrozenMap, Language, Model, Name, Number, Text, Title, WholeNumber, refused

__all__ = [
    "DEFAULT_NUMBER",
    "BackOff",
    "CallCounts",
    "Customer",
    "IdleTime",
    "MissedRing",
    "Outbound",
    "Routing",
    "TimeOfDay",
    "Zone",
]

DEFAULT_NUMBER = "default"
"""The key in ``numbers`` that stands for every number not listed; without it they enter as the first one listed."""

TimeOfDay: TypeAlias = Annotated[str, Text(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", "give a time such as 00:00 or 18:30")]


class BackOff(Model):
    """How long an agent gets no offer after one that failed."""

    back_off_s: Annotated[float, Number(0, 3600, "seconds")] = Field(examples=[10])
    """So long the agent is not offered another call."""


class MissedRing(Model):
    """What follows a ring without an answer."""

    back_off_s: Annotated[float, Number(0, 3600, "seconds")] = 30.0
    """So long the agent is not offered another call."""

    in_a_row: Annotated[int, WholeNumber(0, 100)] = 0
    """After so many in a row the agent is not ready, reason missed-calls; 0: never."""


class IdleTime(Model):
    """Since when an agent counts as idle, for longest-idle and other strategies."""

    scope: Literal["all-queues", "queue"] = "all-queues"
    """Since the last call of any queue, or of the queue whose call is to be offered."""

    missed_call_resets: Flag = False
    """Does a missed or rejected offer send the agent to the end of the line?"""

    short_call_s: Annotated[float, Number(0, 3600, "seconds")] = 0.0
    """A shorter call neither resets idle time nor counts as a call; 0: every call does."""


_EXAMPLES: Final = {"reset_at": '"00:00"', "zone": "Europe/Berlin"}


class CallCounts(Model):
    """What fewest-calls and least-talk-time count."""

    model_config = ConfigDict(json_schema_extra={"dependentRequired": {"reset_at": ["zone"], "zone": ["reset_at"]}})
    indivisible: ClassVar[bool] = True

    scope: Literal["all-queues", "queue"] = "all-queues"
    """Calls of all queues, or of the queue whose call is to be offered."""

    reset_at: TimeOfDay | None = None
    """Every day at this time all counts start anew; never if left out."""

    zone: Zone | None = None
    """The time zone of reset_at."""

    @model_validator(mode="after")
    def _zone_for_the_time(self) -> Self:
        if (self.reset_at is None) != (self.zone is None):
            given, missing = ("zone", "reset_at") if self.reset_at is None else ("reset_at", "zone")
            raise refused(
                f"'{given}' means nothing without '{missing}'; add it, such as {missing}: {_EXAMPLES[missing]}"
            )
        return self


OneLine: TypeAlias = Annotated[str, Text(r"[^\x00-\x1f\x7f]{0,200}", "give one line of at most 200 characters")]


class Customer(Model):
    """Somebody whose number is known."""

    name: Title = ""
    """Who it is; calls from several numbers with one name are one customer's."""

    priority: Priority = 0
    """Points added to every call of theirs."""

    agent: Name | None = None
    """The agent who is first offered their calls, in queues with sticky."""

    language: Language | None = None
    """What they are spoken to in, whatever the tree's language."""

    vip: Annotated[int, WholeNumber(0, 10)] = 0
    """VIP level; each is worth caller_lookup.vip_points of priority."""

    matter: OneLine = ""
    """What is open with them, for menus and for the agent."""

    data: FrozenMap[Name, OneLine] = Field(default_factory=dict)
    """Whatever else is known, as {customer.NAME}."""


class Outbound(Model):
    """What the engine may dial beside agents' phones: for overflow to a number, and for callbacks."""

    allowed: tuple[Prefix, ...] = ()
    """How the numbers must begin that may be dialled; without one nothing may be."""

    trunk: Trunk | None = Field(default=None, examples=["PJSIP/{number}@trunk"])
    """How a number is dialled, as Dial() takes it; {number} stands for it."""


class Routing(Model):
    """The file routing.yaml: where callers enter, what queues there are, who may serve them."""

    stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({"numbers": {}, "queues": {}})

    numbers: FrozenMap[DialledNumber, Reference] = Field(
        examples=[{"100": "main", "default": "main"}], json_schema_extra={"minProperties": 1}
    )
    """The dialled number decides where a caller enters: a tree, or tree.node. ``default``: every other number."""

    skills: FrozenMap[Name, Title] = Field(default_factory=dict)
    """All skills there are, with their titles."""

    defaults: QueueSettings = Field(default_factory=QueueSettings)
    """What holds for every queue that does not say otherwise: any key of a queue but its title."""

    queues: FrozenMap[Name, Queue] = Field(
        examples=[{"general": {"title": "General"}}], json_schema_extra={"minProperties": 1}
    )
    """The queues."""

    missed_ring: MissedRing = Field(default_factory=MissedRing, json_schema_extra={"default": {"back_off_s": 30}})
    """After the agent's phone rang and nobody answered."""

    rejected: BackOff = BackOff(back_off_s=10)
    """After the agent's phone said no: rejected or busy (SIP 486, 600, 603)."""

    unreachable: BackOff = BackOff(back_off_s=60)
    """After the agent's phone could not be reached: no contact, or no answer to the call set-up (SIP 408, 503)."""

    idle_time: IdleTime = Field(default_factory=IdleTime)
    """Since when an agent counts as idle."""

    menus: Menus = Field(default_factory=Menus)
    """What holds in all menus: bounds and keys."""

    extensions: FrozenMap[Extension, Annotated[Reference, Way.CHOICE]] = Field(default_factory=dict)
    """Extensions that callers may dial in menus with direct_dial, each with the node it leads to; agents have theirs
    in agents.yaml."""

    call_counts: CallCounts = Field(default_factory=CallCounts)
    """What the counting strategies count."""

    customers: FrozenMap[CallerNumber, Customer] = Field(default_factory=dict)
    """Callers who are known, by their number in any way of writing (see numbering)."""

    caller_lookup: CallerLookUp = Field(default_factory=CallerLookUp)
    """How further callers become known before their first menu."""

    numbering: Numbering = Field(default_factory=Numbering)
    """How telephone numbers are written at the site."""

    lookups: FrozenMap[Name, LookUp] = Field(default_factory=dict)
    """Requests to other systems, by the name that nodes of type http give."""

    outbound: Outbound = Field(default_factory=Outbound)
    """What the engine may dial beside agents' phones."""

    callbacks: Callbacks = Field(default_factory=Callbacks)
    """How callers are called back."""

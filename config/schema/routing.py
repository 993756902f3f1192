"""routing.yaml: dialled numbers, skills, queues, and what follows an offer that failed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from config.schema.shared import NAME_JSON_SCHEMA, FrozenMap, Model, Name, Number, Requires, Text, Title, WholeNumber

__all__ = ["DEFAULT_NUMBER", "BackOff", "Priority", "Queue", "QueueSettings", "Routing", "Strategy"]

DEFAULT_NUMBER = "default"
"""The key in ``numbers`` that stands for every number not listed; without it they enter as the first one listed."""

DialledNumber: TypeAlias = Annotated[
    str,
    Text(
        r"[0-9A-Za-z+*#._-]{1,64}",
        "give the number as the dialplan passes it: digits, letters, '+', '*', '#', '.', '_' or '-', or default",
    ),
]
Reference: TypeAlias = Annotated[
    str,
    Text(
        r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}(?:\.[A-Za-z0-9][A-Za-z0-9_-]{0,39})?",
        "name a tree (a file in ivr/), or tree.node",
    ),
]
Priority: TypeAlias = Annotated[int, WholeNumber(-1000, 1000)]
Option: TypeAlias = Annotated[float, Number(-1_000_000, 1_000_000)]


class Strategy(Model):
    """Which of the free agents is offered a call: a strategy's name, or the name with its options."""

    name: Name = Field(examples=["longest-idle"])
    """The strategy's name."""

    options: FrozenMap[Name, Option] = Field(default_factory=dict)
    """Settings of that strategy, if it has any."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        json_schema = handler(schema)
        return {"anyOf": [NAME_JSON_SCHEMA, json_schema], "description": cls.__doc__}


def _named(value: Any) -> Any:
    """Read ``longest-idle`` as ``{name: longest-idle}``."""
    return {"name": value} if isinstance(value, str) else value


class QueueSettings(Model):
    """What can be set for one queue, or for all under ``defaults``."""

    strategy: Annotated[Strategy, BeforeValidator(_named)] = Field(
        default=Strategy(name="longest-idle"), json_schema_extra={"default": "longest-idle"}
    )
    """Which of the free agents is offered a call: a name, or {name: …, options: {…}}."""

    requires: Requires = Field(default_factory=dict)
    """Skills an agent needs for this queue's calls, each with its least level (1 to 10)."""

    priority: Priority = 0
    """Points every call of this queue starts with; more points are served first, over all queues of an agent."""

    ring_timeout_s: Annotated[float, Number(1, 300, "seconds")] = 15.0
    """An agent's phone rings so long, then the next agent's."""

    wrap_up_s: Annotated[float, Number(0, 3600, "seconds")] = 10.0
    """After-call work: an agent gets no call for so long after one of this queue."""

    music: Name = "default"
    """Class of musiconhold.conf that waiting callers hear."""

    while_ringing: Literal["music", "ringing"] = "music"
    """What the caller hears while an agent's phone rings: the music goes on, or a ringing tone."""

    service_level_s: Annotated[float, Number(1, 3600, "seconds")] = 20.0
    """Calls answered within so long count as inside the service level."""


class Queue(QueueSettings):
    """One queue. What it does not set comes from ``defaults``."""

    title: Title = ""
    """What agents and supervisors see; the queue's name if left out."""


class BackOff(Model):
    """How long an agent gets no offer after one that failed."""

    back_off_s: Annotated[float, Number(0, 3600, "seconds")]
    """So long the agent is not offered another call."""


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

    missed_ring: BackOff = BackOff(back_off_s=30)
    """After the agent's phone rang and nobody answered."""

    rejected: BackOff = BackOff(back_off_s=10)
    """After the agent's phone said no: rejected or busy (SIP 486, 600, 603)."""

    unreachable: BackOff = BackOff(back_off_s=60)
    """After the agent's phone could not be reached: no contact, or no answer to the call set-up (SIP 408, 503)."""

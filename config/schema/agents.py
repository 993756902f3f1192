"""agents.yaml: who answers, on which phone, for which queues and with which skills."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from config.schema.numbers import Extension
from config.schema.phones import Phone
from config.schema.shared import Flag, FrozenMap, Level, Model, Name, Number, Text, Title, WholeNumber

__all__ = ["Agent", "Agents"]

Reason: TypeAlias = Annotated[str, Text(r"[^\x00-\x1f\x7f]{1,64}", "give one line of at most 64 characters")]
"""Why an agent is not ready, in a word or two."""


class Agent(Model):
    """One agent."""

    name: Title = ""
    """The agent's name as others see it; the key if left out."""

    phone: Phone = Field(examples=["PJSIP/anna"])
    """The agent's phone as Dial() takes it: PJSIP/anna, SIP/anna, Local/100@agents, IAX2/anna, DAHDI/1."""

    extension: Extension | None = None
    """What callers dial for this agent in menus with direct_dial."""

    queues: tuple[Name, ...] = ()
    """The queues this agent serves."""

    skills: FrozenMap[Name, Level] = Field(default_factory=dict)
    """What this agent can do, each skill with a level from 1 (weakest) to 10."""

    groups: tuple[Name, ...] = ()
    """Groups this agent belongs to."""

    place: FrozenMap[Name, Annotated[int, WholeNumber(1, 10_000)]] = Field(default_factory=dict)
    """Place in the hunt order of single queues, 1 is the first; without it the order of this file holds."""

    weight: Annotated[float, Number(0.01, 1000)] = 1.0
    """Share of calls under weighted-random: an agent of weight 2 is drawn twice as often as one of weight 1."""

    confirm: Flag = False
    """Does the agent press 1 before the caller is put through? For mobiles, whose mailbox may answer."""

    auto_answer: Flag = False
    """Does the phone answer by itself? It is asked to by a SIP header."""

    max_login_s: Annotated[float, Number(0, 604_800, "seconds")] = 0.0
    """Logged out after so long, at the next moment without a call; 0: never."""

    start: Literal["ready", "not-ready", "logged-out"] = "logged-out"
    """State when the engine first knows the agent; afterwards the agent decides."""


class Agents(Model):
    """The file agents.yaml."""

    stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({"agents": {}})

    agents: FrozenMap[Name, Agent] = Field(
        examples=[{"anna": {"phone": "PJSIP/anna", "queues": ["general"]}}], json_schema_extra={"minProperties": 1}
    )
    """The agents, each under the name used to log in."""

    not_ready_reasons: FrozenMap[Annotated[str, Text(r"[0-9]", "give one digit, 0 to 9")], Reason] = Field(
        default_factory=dict, examples=[{"1": "lunch"}]
    )
    """Reasons for being not ready, by the digit that agents dial behind \\*23."""

"""agents.yaml: who answers, on which phone, for which queues and with which skills."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field

from config.schema.shared import FrozenMap, Level, Model, Name, Title, wrong

__all__ = ["Agent", "Agents", "Phone"]

_TECHNOLOGIES = ("PJSIP", "SIP", "Local", "IAX2", "DAHDI")
_PHONE_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+@:#*~/-")


def _phone(value: str) -> str:
    """Check a phone: it becomes part of a Dial() string, where ``,`` adds options and ``&`` another phone."""
    technology, slash, address = value.partition("/")
    if not slash or not address or technology not in _TECHNOLOGIES:
        known = {name.casefold(): name for name in _TECHNOLOGIES}
        right = known.get(technology.casefold(), "PJSIP")
        shown = "".join(c for c in address or technology if c in _PHONE_CHARACTERS)[:40] or "anna"
        raise wrong(
            "{value} is no phone; write technology/address, such as {right}/{shown}", value, right=right, shown=shown
        )
    if bad := next((c for c in address if c not in _PHONE_CHARACTERS), None):
        raise wrong(
            "{value} is no phone: it may not contain {bad}; use letters, digits and . _ + @ : # * ~ / -",
            value,
            bad=repr(bad),
        )
    if len(value) > 120:
        raise wrong("{value} is too long for a phone; use at most 120 characters", value)
    return value


Phone: TypeAlias = Annotated[str, AfterValidator(_phone)]
"""A device as Dial() takes it: PJSIP/anna, SIP/anna, Local/100@agents, IAX2/anna, DAHDI/1."""


class Agent(Model):
    """One agent."""

    name: Title = ""
    """The agent's name as others see it; the key if left out."""

    phone: Phone = Field(
        examples=["PJSIP/anna"],
        json_schema_extra={"pattern": "^(" + "|".join(_TECHNOLOGIES) + r")/[A-Za-z0-9_.+@:#*~/-]+$", "maxLength": 120},
    )
    """The agent's phone as Dial() takes it: PJSIP/anna, SIP/anna, Local/100@agents, IAX2/anna, DAHDI/1."""

    queues: tuple[Name, ...] = ()
    """The queues this agent serves."""

    skills: FrozenMap[Name, Level] = Field(default_factory=dict)
    """What this agent can do, each skill with a level from 1 (weakest) to 10."""

    groups: tuple[Name, ...] = ()
    """Groups this agent belongs to."""

    start: Literal["ready", "not-ready", "logged-out"] = "logged-out"
    """State when the engine first knows the agent; afterwards the agent decides."""


class Agents(Model):
    """The file agents.yaml."""

    stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({"agents": {}})

    agents: FrozenMap[Name, Agent] = Field(
        examples=[{"anna": {"phone": "PJSIP/anna", "queues": ["general"]}}], json_schema_extra={"minProperties": 1}
    )
    """The agents, each under the name used to log in."""

"""Names of things and points of priority: what routing.yaml and ivr/*.yaml both use."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from config.schema.marks import NODE, Refers, SetsDatum
from config.schema.shared import Name, Text, WholeNumber

__all__ = ["AgentName", "BoxName", "CalendarName", "DatumName", "Priority", "QueueName", "Reference"]

Reference: TypeAlias = Annotated[
    str,
    Text(
        r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}(?:\.[A-Za-z0-9][A-Za-z0-9_-]{0,39})?",
        "name a tree (a file in ivr/), or tree.node",
    ),
    Refers(NODE),
]
"""A menu node: of the same tree, a tree (its start), or ``tree.node``."""

Priority: TypeAlias = Annotated[int, WholeNumber(-1000, 1000)]
"""Points; more are served first."""

QueueName: TypeAlias = Annotated[Name, Refers("queue")]
AgentName: TypeAlias = Annotated[Name, Refers("agent")]
CalendarName: TypeAlias = Annotated[Name, Refers("calendar")]
BoxName: TypeAlias = Annotated[Name, Refers("voicemail box")]

DatumName: TypeAlias = Annotated[Name, SetsDatum()]
"""A call datum that is set where the name stands."""

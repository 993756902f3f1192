"""Nodes that lead the caller out of the menus: enqueue."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.schema.ivr.values import Line, PromptNames
from config.schema.marks import Way
from config.schema.references import Priority, QueueName, Reference
from config.schema.shared import FrozenMap, Model, Name, Requires

__all__ = ["Enqueue"]


class Enqueue(Model):
    """Puts the caller into a queue."""

    type: Literal["enqueue"]
    """Kind of node."""

    queue: QueueName = Field(examples=["general"])
    """The queue."""

    prompt: PromptNames = ()
    """Prompt (or list of prompts) played before the caller joins the queue."""

    priority: Priority = 0
    """Points added to the queue's own."""

    requires: Requires = Field(default_factory=dict)
    """Skills asked for beside those the queue asks for; of two levels the higher holds."""

    data: FrozenMap[Name, Line] = Field(default_factory=dict)
    """Facts that travel with the call and that the agent sees; {call.caller} and the like are filled in."""

    next: Annotated[Reference, Way.AFTER_CALL] | None = None
    """Where a caller goes who is still there when the agent has hung up; the call ends if left out."""

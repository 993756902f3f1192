"""Nodes that ask the caller for keys: menu."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.schema.ivr.values import Key, PromptNames, Retry
from config.schema.marks import Way
from config.schema.references import Reference
from config.schema.shared import Flag, FrozenMap, Model, Number

__all__ = ["Menu"]


class Menu(Model):
    """Plays a prompt and lets the caller choose with a key."""

    type: Literal["menu"]
    """Kind of node."""

    prompt: PromptNames = Field(examples=["main-menu"])
    """The prompt that names the choices, or a list of prompts played one after the other."""

    barge_in: Flag = True
    """May the caller choose before the prompt has ended?"""

    timeout_s: Annotated[float, Number(0.5, 60, "seconds")] = 5.0
    """How long the caller has for a key after the prompt."""

    choices: FrozenMap[Key, Annotated[Reference, Way.CHOICE]] = Field(
        examples=[{"1": "sales", "2": "support"}], json_schema_extra={"minProperties": 1}
    )
    """Where each key leads."""

    invalid: Retry = Field(default_factory=Retry)
    """After a key that is no choice."""

    no_input: Retry = Field(default_factory=Retry)
    """After no key at all."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the retries are used up; the call ends with a goodbye if left out."""

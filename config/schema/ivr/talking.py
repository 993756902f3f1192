"""Nodes that tell the caller something: play, say, language, hangup."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from config.schema.ivr.values import PromptNames, Value
from config.schema.keys import NodeKeys
from config.schema.references import Reference
from config.schema.shared import Flag, Language, Model, wrong
from config.suggest import suggestion
from ivr.currencies import DECIMALS

__all__ = ["Currency", "Hangup", "Play", "Say", "SetLanguage"]


def _is_currency(value: str) -> str:
    if value not in DECIMALS:
        raise wrong("{value} is no currency of ISO 4217; {right}", value, right=suggestion(value, DECIMALS))
    return value


Currency: TypeAlias = Annotated[str, AfterValidator(_is_currency)]
"""A currency's code of ISO 4217."""


class Play(Model):
    """Plays a prompt and goes on."""

    type: Literal["play"]
    """Kind of node."""

    prompt: PromptNames = Field(examples=["welcome"])
    """The prompt, or a list of prompts played one after the other."""

    barge_in: Flag = True
    """Does a key end the prompt? It then counts for the next menu."""

    next: Reference = Field(examples=["main"])
    """Where the caller goes afterwards."""

    keys: NodeKeys | None = None
    """Other keys for repeat, back, top and operator here, or off."""


class Say(Model):
    """Says something that may be known only during the call, and goes on."""

    type: Literal["say"]
    """Kind of node."""

    kind: Literal["text", "digits", "phone", "number", "ordinal", "money", "date", "time", "duration"] = "text"
    """text: as it stands; digits: one by one; phone: as a telephone number; number: 42; ordinal: 21 as twenty-first;
    money: 12.50 USD; date: 2026-11-21; time: 15:30; duration: 7500 (seconds), 2:05:00 or PT2H5M."""

    currency: Currency | None = None
    """For money: the currency (ISO 4217) of a value that names none."""

    weekday: Flag = False
    """For date: is the day of the week said, too?"""

    year: Flag = True
    """For date: is the year said?"""

    clock: Literal["12", "24"] = "12"
    """For time: a clock of 12 hours or of 24."""

    value: Value = Field(examples=["42"])
    """What is said: a text, or one per language. {call.caller}, {data.topic} and the like are filled in."""

    barge_in: Flag = True
    """Does a key end it? It then counts for the next menu."""

    next: Reference = Field(examples=["main"])
    """Where the caller goes afterwards."""

    keys: NodeKeys | None = None
    """Other keys for repeat, back, top and operator here, or off."""


class Hangup(Model):
    """Ends the call."""

    type: Literal["hangup"]
    """Kind of node."""

    prompt: PromptNames = ()
    """Prompt (or list of prompts) played before."""

    cause: Literal["normal", "busy", "no-answer", "rejected", "unallocated", "congestion"] = "normal"
    """What the caller's network is told."""


class SetLanguage(Model):
    """Sets the language that the caller hears from here on."""

    type: Literal["language"]
    """Kind of node."""

    language: Language = Field(examples=["zh"])
    """The language."""

    next: Reference = Field(examples=["main"])
    """Where the caller goes afterwards."""

"""Nodes that tell the caller something: play, say, language, hangup."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from config.schema.ivr.values import PromptNames, Value
from config.schema.references import Reference
from config.schema.shared import Flag, Language, Model

__all__ = ["Hangup", "Play", "Say", "SetLanguage"]


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


class Say(Model):
    """Says something that may be known only during the call, and goes on."""

    type: Literal["say"]
    """Kind of node."""

    kind: Literal["text", "digits", "phone", "number"] = "text"
    """text: spoken as it stands; digits: one by one; phone: one by one as a telephone number; number: as a number."""

    value: Value = Field(examples=["42"])
    """What is said: a text, or one per language. {call.caller}, {data.topic} and the like are filled in."""

    barge_in: Flag = True
    """Does a key end it? It then counts for the next menu."""

    next: Reference = Field(examples=["main"])
    """Where the caller goes afterwards."""


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

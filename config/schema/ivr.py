"""ivr/*.yaml: one menu tree per file, with its prompts and nodes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema

from config.schema.references import Priority, Reference
from config.schema.shared import (
    LANGUAGES,
    NAME_JSON_SCHEMA,
    Flag,
    FrozenMap,
    Language,
    Model,
    Name,
    Number,
    Requires,
    Text,
    WholeNumber,
)

__all__ = [
    "BUILT_IN_PROMPTS",
    "RECORDING_ENDINGS",
    "Enqueue",
    "Hangup",
    "Menu",
    "Node",
    "Play",
    "Prompt",
    "Retry",
    "Say",
    "SetLanguage",
    "Tree",
]

RECORDING_ENDINGS: Final = ("wav", "wav16", "gsm", "ulaw", "alaw", "sln", "sln16", "g722", "g729")
"""Recordings: WAV files of most kinds, and what Asterisk plays as it is."""

BUILT_IN_PROMPTS: Final = frozenset(
    {
        "agent-failed",
        "agent-logged-out",
        "agent-not-ready",
        "agent-ready",
        "agent-unknown",
        "agent-wrap-up-done",
        "agent-wrap-up-extended",
        "callback-agent",
        "callback-promised",
        "confirm-call",
        "estimated-wait",
        "estimated-wait-minute",
        "estimated-wait-minutes",
        "estimated-wait-short",
        "goodbye",
        "no-input",
        "not-valid",
        "queue-position",
        "queue-position-end",
    }
)
"""Prompts that every site has in all languages, until it defines its own of the same name."""

Spoken: TypeAlias = Annotated[str, Text(r"[^\x00-\x08\x0b-\x1f\x7f]{1,2000}", "give a text of 1 to 2000 characters")]
Key: TypeAlias = Annotated[str, Text(r"[0-9*#A-D]", "a choice is one key of the telephone: 0 to 9, * or #")]
RecordedFile: TypeAlias = Annotated[
    str,
    Text(
        rf"[A-Za-z0-9][A-Za-z0-9_-]*(?:/[A-Za-z0-9][A-Za-z0-9_-]*){{0,5}}\.(?:{'|'.join(RECORDING_ENDINGS)})",
        f"name a file below prompts/<language>/ with the ending {', '.join(RECORDING_ENDINGS)}",
    ),
]


def _listed(value: Any) -> Any:
    """Read one name as a list of one."""
    return [value] if isinstance(value, str) else value


_NAME_OR_NAMES: Final = {"anyOf": [NAME_JSON_SCHEMA, {"type": "array", "items": NAME_JSON_SCHEMA}]}

PromptNames: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(_listed), WithJsonSchema(_NAME_OR_NAMES)]
"""One prompt, or several that are played one after the other."""


def _in_any_language(value: Any) -> Any:
    """Read one text as the text for all languages."""
    return {"": value} if isinstance(value, str) else value


_SAID: Final = Text(r"[^\x00-\x08\x0b-\x1f\x7f]{1,500}", "give a text of 1 to 500 characters")
_SAID_JSON_SCHEMA: Final = {"type": ["string", "number"], "minLength": 1, "maxLength": 500}
_TEXT_OR_TEXTS: Final = {
    "anyOf": [
        _SAID_JSON_SCHEMA,
        {"type": "object", "properties": dict.fromkeys(LANGUAGES, _SAID_JSON_SCHEMA), "additionalProperties": False},
    ]
}

Value: TypeAlias = Annotated[
    FrozenMap[Literal["", "en", "zh"], Annotated[str, _SAID]],
    BeforeValidator(_in_any_language),
    WithJsonSchema(_TEXT_OR_TEXTS),
]
"""A text by language; under the empty language if it is the same in all."""


class Prompt(Model):
    """One prompt in one language: a text to synthesise, or a recorded file."""

    text: Spoken | None = None
    """What is spoken; synthesised once and kept."""

    file: RecordedFile | None = None
    """A recorded file below prompts/<language>/ of the configuration folder."""


class Retry(Model):
    """What a menu does about a caller who presses nothing, or nothing valid."""

    prompt: PromptNames = ()
    """Prompt (or list of prompts) played before the menu is played again."""

    retries: Annotated[int, WholeNumber(0, 20)] = 2
    """So many times the menu is played again."""


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

    choices: FrozenMap[Key, Reference] = Field(
        examples=[{"1": "sales", "2": "support"}], json_schema_extra={"minProperties": 1}
    )
    """Where each key leads."""

    invalid: Retry = Field(default_factory=Retry)
    """After a key that is no choice."""

    no_input: Retry = Field(default_factory=Retry)
    """After no key at all."""

    on_failure: Reference | None = None
    """Where the caller goes when the retries are used up; the call ends with a goodbye if left out."""


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


class Enqueue(Model):
    """Puts the caller into a queue."""

    type: Literal["enqueue"]
    """Kind of node."""

    queue: Name = Field(examples=["general"])
    """The queue."""

    prompt: PromptNames = ()
    """Prompt (or list of prompts) played before the caller joins the queue."""

    priority: Priority = 0
    """Points added to the queue's own."""

    requires: Requires = Field(default_factory=dict)
    """Skills asked for beside those the queue asks for; of two levels the higher holds."""

    data: FrozenMap[Name, Annotated[str, Text(r"[^\x00-\x1f\x7f]{0,200}", "give one line of text")]] = Field(
        default_factory=dict
    )
    """Facts that travel with the call and that the agent sees; {call.caller} and the like are filled in."""

    next: Reference | None = None
    """Where a caller goes who is still there when the agent has hung up; the call ends if left out."""


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


Node: TypeAlias = Annotated[Play | Menu | Say | Enqueue | Hangup | SetLanguage, Field(discriminator="type")]
"""A node of a tree, told apart by its type."""


class Tree(Model):
    """A file in ivr/: one menu tree, named by the file's name without .yaml."""

    stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({"start": "start", "nodes": {}})

    start: Name = Field(examples=["welcome"])
    """The node where a caller enters the tree."""

    language: Language = "en"
    """Language of callers who enter here without having chosen one."""

    prompts: FrozenMap[Name, FrozenMap[Language, Prompt]] = Field(default_factory=dict)
    """Prompts by language. Their names hold in all files of ivr/. goodbye, no-input and not-valid are there already."""

    nodes: FrozenMap[Name, Node] = Field(examples=[{"bye": {"type": "hangup"}}], json_schema_extra={"minProperties": 1})
    """What happens, step by step; each node is named by its key."""

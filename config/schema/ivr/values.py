"""Values that several node types share: prompts, texts, keys, retries."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema

from config.schema.marks import PROMPT, Refers, Templated
from config.schema.shared import (
    FLAG_JSON_SCHEMA,
    LANGUAGES,
    NAME_JSON_SCHEMA,
    Flag,
    FrozenMap,
    Model,
    Name,
    Text,
    WholeNumber,
    in_any_language,
)

__all__ = [
    "BUILT_IN_PROMPTS",
    "RECORDING_ENDINGS",
    "Key",
    "Line",
    "PlayedPrompt",
    "Prompt",
    "PromptName",
    "PromptNames",
    "RecordedFile",
    "Retry",
    "Spoken",
    "Value",
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
        "callback-accept",
        "callback-agent",
        "callback-already",
        "callback-confirm",
        "callback-confirm-only",
        "callback-customer",
        "callback-enter",
        "callback-for",
        "callback-not-possible",
        "callback-not-reached",
        "callback-number",
        "callback-promised",
        "callback-refused",
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
        "record-again",
        "record-cancelled",
        "record-not-urgent",
        "record-review",
        "record-review-urgent",
        "record-start",
        "record-too-short",
        "record-urgent",
        "voicemail-and",
        "voicemail-box",
        "voicemail-calling",
        "voicemail-deleted",
        "voicemail-first",
        "voicemail-from",
        "voicemail-from-unknown",
        "voicemail-gone",
        "voicemail-greeting",
        "voicemail-greeting-default",
        "voicemail-greeting-keys",
        "voicemail-greeting-recorded",
        "voicemail-help",
        "voicemail-item",
        "voicemail-item-closed",
        "voicemail-item-kept",
        "voicemail-item-keys",
        "voicemail-kept",
        "voicemail-keys",
        "voicemail-keys-empty",
        "voicemail-length",
        "voicemail-locked",
        "voicemail-new",
        "voicemail-new-message",
        "voicemail-new-messages",
        "voicemail-no-callback",
        "voicemail-no-more",
        "voicemail-none",
        "voicemail-not-reached",
        "voicemail-pin",
        "voicemail-received",
        "voicemail-restored",
        "voicemail-saved",
        "voicemail-saved-message",
        "voicemail-saved-messages",
        "voicemail-saved-one",
        "voicemail-unavailable",
        "voicemail-urgent",
        "voicemail-wrong",
        "voicemail-you-have",
        "confirm-entry",
        "pin-wrong",
        "you-entered",
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


PromptName: TypeAlias = Annotated[Name, Refers(PROMPT)]


class PlayedPrompt(Model):
    """One prompt that a node plays."""

    hints: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys(("text", "file"), "write it under 'prompts' with a name, and the name here")
    )

    prompt: PromptName = Field(examples=["welcome"])
    """The prompt."""

    barge_in: Flag = True
    """May a key end it, where the node lets one? Without, everybody hears all of it."""


def _listed(value: Any) -> Any:
    """Read one prompt as a list of one."""
    return [value] if isinstance(value, str | dict) else value


def _named(value: Any) -> Any:
    """Read a name as the prompt of that name."""
    return {"prompt": value} if isinstance(value, str) else value


_PROMPT: Final = {
    "anyOf": [
        NAME_JSON_SCHEMA,
        {
            "type": "object",
            "properties": {"prompt": NAME_JSON_SCHEMA, "barge_in": FLAG_JSON_SCHEMA},
            "required": ["prompt"],
            "additionalProperties": False,
        },
    ]
}

PromptNames: TypeAlias = Annotated[
    tuple[Annotated[PlayedPrompt, BeforeValidator(_named)], ...],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [*_PROMPT["anyOf"], {"type": "array", "items": _PROMPT}]}),
]
"""One prompt, or several that are played one after the other."""


_SAID: Final = Text(r"[^\x00-\x08\x0b-\x1f\x7f]{1,500}", "give a text of 1 to 500 characters")
_SAID_JSON_SCHEMA: Final = {"type": ["string", "number"], "minLength": 1, "maxLength": 500}
_TEXT_OR_TEXTS: Final = {
    "anyOf": [
        _SAID_JSON_SCHEMA,
        {"type": "object", "properties": dict.fromkeys(LANGUAGES, _SAID_JSON_SCHEMA), "additionalProperties": False},
    ]
}

Value: TypeAlias = Annotated[
    FrozenMap[Literal["", "en", "zh"], Annotated[str, _SAID, Templated()]],
    BeforeValidator(in_any_language),
    WithJsonSchema(_TEXT_OR_TEXTS),
]
"""A text by language; under the empty language if it is the same in all."""


Line: TypeAlias = Annotated[str, Text(r"[^\x00-\x1f\x7f]{0,200}", "give one line of text"), Templated()]
"""One line of text with fields."""


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

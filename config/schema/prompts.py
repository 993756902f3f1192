"""Prompts: how long sounds are kept, and the voices that speak texts."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from config.schema.lookups import BodyValue, FieldName, HeaderName
from config.schema.shared import Flag, FrozenMap, Language, Model, Name, Number, Text, WholeNumber

__all__ = ["CommandVoice", "EspeakNgVoice", "HttpVoice", "Prompts", "Speaker", "Voice"]

_LINE: Final = Text(r"[^\x00-\x1f\x7f]{1,1000}", "give one line of at most 1000 characters")

SpeakerName: TypeAlias = Annotated[str, Text(r"[^\x00-\x1f\x7f]{1,200}", "give the voice's name at the provider")]


class Speaker(Model):
    """How espeak-ng speaks one language."""

    voice: Annotated[str, Text(r"[A-Za-z0-9][A-Za-z0-9_+/-]{0,59}", "give a voice that `espeak-ng --voices` lists")] = (
        Field(examples=["en-gb"])
    )
    """The voice, as ``espeak-ng --voices`` lists it, with a variant if wanted (en-gb+f3)."""

    words_per_minute: Annotated[int, WholeNumber(80, 450)] = 150
    """Speed. Callers hear a text once, so it is slower than espeak-ng's own 175."""

    pitch: Annotated[int, WholeNumber(0, 99)] = 50
    """Pitch, from deep to high."""


class EspeakNgVoice(Model):
    """espeak-ng, the voices that come with the engine."""

    type: Literal["espeak-ng"]
    """Kind of provider."""

    languages: FrozenMap[Language, Speaker] = Field(default_factory=dict)
    """How each language is spoken; all that are known, in their usual voices, if left out."""

    timeout_s: Annotated[float, Number(0.1, 60, "seconds")] = 5.0
    """A text that takes longer counts as failed."""


class CommandVoice(Model):
    """Any program that turns a text into a WAV file. No shell is involved."""

    type: Literal["command"]
    """Kind of provider."""

    name: Name = Field(examples=["studio"])
    """The provider's name, in logs and reports."""

    command: tuple[Annotated[str, _LINE], ...] = Field(
        examples=[["/opt/tts/speak", "--voice", "{voice}", "--text", "{text_file}", "--out", "{out}"]],
        json_schema_extra={"minItems": 1},
    )
    """Program and arguments. {text_file} (UTF-8), {out}, {language} and {voice} are filled in; without {text_file} the
    text goes to its standard input, without {out} the sound comes from its standard output."""

    languages: FrozenMap[Language, SpeakerName] = Field(examples=[{"en": "nova"}])
    """The voice of each language it speaks."""

    timeout_s: Annotated[float, Number(0.1, 60, "seconds")] = 10.0
    """A text that takes longer counts as failed, and the program is ended."""


class HttpVoice(Model):
    """Any service that answers a request over HTTP with a WAV file."""

    type: Literal["http"]
    """Kind of provider."""

    name: Name = Field(examples=["cloud"])
    """The provider's name, in logs and reports."""

    url: Annotated[
        str, Text(r"https?://[A-Za-z0-9.:\[\]-]{1,260}(?:[/?][!$-;=?-~]{0,1500})?", "give an address of http or https")
    ] = Field(examples=["https://tts.example/v1/speech"])
    """Where to ask."""

    method: Literal["POST", "GET"] = "POST"
    """HTTP method."""

    query: FrozenMap[FieldName, Annotated[str, _LINE]] = Field(default_factory=dict)
    """Added to the address behind the question mark; {text}, {language}, {voice} and {secret.NAME} are filled in."""

    headers: FrozenMap[HeaderName, Annotated[str, _LINE]] = Field(default_factory=dict)
    """Headers; {secret.NAME} stands for a secret of acd.yaml."""

    body: FrozenMap[FieldName, BodyValue] = Field(default_factory=dict)
    """What is sent in the body; the same fields are filled in. Without one the text alone is sent, as text/plain."""

    body_type: Literal["json", "form"] = "json"
    """How the body is written."""

    languages: FrozenMap[Language, SpeakerName] = Field(examples=[{"en": "nova"}])
    """The voice of each language it speaks."""

    timeout_s: Annotated[float, Number(0.1, 60, "seconds")] = 5.0
    """A text that takes longer counts as failed."""

    answer_mb: Annotated[float, Number(0.01, 100)] = 10.0
    """A larger answer (megabytes) counts as failed, and is not read."""

    allow_private: tuple[
        Annotated[str, Text(r"[0-9A-Fa-f.:]{2,45}(?:/[0-9]{1,3})?", "give a network such as 10.1.0.0/16")], ...
    ] = ()
    """Private addresses or networks that this service may be at; without them only public ones are connected to."""


Voice: TypeAlias = Annotated[EspeakNgVoice | CommandVoice | HttpVoice, Field(discriminator="type")]


class Prompts(Model):
    """Sounds of prompts: how many are kept, and who speaks texts."""

    cache_mb: Annotated[float, Number(1, 1_000_000)] = 500.0
    """Megabytes of synthesised sound that are kept in cache_dir; the least recently used go first. What the menus in
    force need stays even if it is more."""

    joined_mb: Annotated[float, Number(1, 100_000)] = 50.0
    """Megabytes of sequences (a prompt, a number, a prompt) that are kept joined."""

    wideband: Flag = False
    """Are sounds made for telephones of 16 kHz, too? They take three times the room."""

    retry_after_s: Annotated[float, Number(1, 3600, "seconds")] = 30.0
    """A voice, or a text, that failed is not tried again for so long; the next voice speaks meanwhile."""

    voices: tuple[Voice, ...] = ()
    """Who speaks texts, the best first; when one fails the next one speaks. espeak-ng if left out."""

"""Voices: what can turn a text into sound. One interface, and espeak-ng behind it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeVar

from acd.service.prompts.tools import ToolError, run_tool

TEXT_LENGTH_MAX = 2000
"""Characters of one text; more is cut. It is minutes of speech, and nobody listens to that on the telephone."""

VERSION_TIMEOUT_S = 10.0


class Synthesiser(Protocol):
    """A provider of voices."""

    @property
    def name(self) -> str:
        """What it is called in logs and reports."""
        ...

    def identity(self, language: str) -> str | None:
        """Provider, voice and settings for a language (`en`, `zh-CN`): a text is synthesised anew when they change.
        None if it does not speak the language."""
        ...

    async def synthesise(self, text: str, language: str) -> bytes:
        """`text`, spoken, as a WAV file of any kind that `acd.service.prompts.audio` reads.

        The text is clean in the sense of `clean_text`, but what it says may come from a caller.

        Raises:
            ToolError: it could not be done, in time or at all.
        """
        ...


V = TypeVar("V")


def voice_for(voices: Mapping[str, V], language: str) -> V | None:
    """The voice of a language, or of its main language (`zh-CN`: `zh`)."""
    return voices.get(language) or voices.get(language.partition("-")[0])


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """A voice of espeak-ng and how it speaks.

    Telephone callers hear a text once, so it is slower than espeak-ng's own 175 words a minute.
    """

    voice: str
    words_per_minute: int = 150
    pitch: int = 50


# In espeak-ng 1.51 (Debian 12) the voice cmn says the tones' numbers in English (espeak-ng#1028, #1370); with Latin
# letters as pinyin it is right, and from 1.52 on the two are the same.
DEFAULT_VOICES: Mapping[str, EspeakVoice] = MappingProxyType(
    {"en": EspeakVoice("en-us"), "zh": EspeakVoice("cmn-latn-pinyin")}
)


@dataclass(frozen=True, slots=True)
class EspeakNg:
    """espeak-ng as a program.

    Args:
        argv: how to start it, for example `("espeak-ng",)`; options are appended.
        data_path: the folder that holds `espeak-ng-data`, if it is not where the program expects it.
        voices: espeak-ng's voice by language.
        version: the program's version, see `find_espeak_ng`.
        timeout_s: a text that takes longer counts as failed.
    """

    argv: Sequence[str] = ("espeak-ng",)
    data_path: Path | None = None
    voices: Mapping[str, EspeakVoice] = field(default_factory=lambda: DEFAULT_VOICES)
    version: str = ""
    timeout_s: float = 5.0
    name: str = "espeak-ng"

    def identity(self, language: str) -> str | None:
        """See `Synthesiser`. A newer version knows more Chinese words, so it says them anew."""
        voice = voice_for(self.voices, language)
        if voice is None:
            return None
        return f"espeak-ng {self.version} {voice.voice} speed={voice.words_per_minute} pitch={voice.pitch}"

    async def synthesise(self, text: str, language: str) -> bytes:
        """See `Synthesiser`. The text goes through standard input, so that no text can be taken for an option."""
        voice = voice_for(self.voices, language)
        if voice is None:
            raise ToolError(f"espeak-ng has no voice for the language {language!r}")
        path = [f"--path={self.data_path}"] if self.data_path else []
        manner = ["-v", voice.voice, "-s", str(voice.words_per_minute), "-p", str(voice.pitch)]
        argv = [*self.argv, *path, *manner, "-b", "1", "--stdin", "--stdout"]
        return await run_tool(argv, text.encode(), timeout_s=self.timeout_s, name=self.name)


async def find_espeak_ng(argv: Sequence[str] = ("espeak-ng",), data_path: Path | None = None) -> EspeakNg:
    """espeak-ng with its version, which is asked for by running it.

    Raises:
        ToolError: it cannot be run.
    """
    output = await run_tool([*argv, "--version"], b"", timeout_s=VERSION_TIMEOUT_S, name="espeak-ng")
    found = re.search(r"\d+(?:\.\d+)+", output.decode(errors="replace"))
    if found is None:
        raise ToolError(f"{' '.join(argv)} does not tell a version, so it is not espeak-ng")
    return EspeakNg(argv=tuple(argv), data_path=data_path, version=found.group())


def clean_text(text: str) -> str:
    """`text` as a voice gets it: no control characters, single spaces, no phoneme codes, of bounded length.

    espeak-ng takes what stands in [[double brackets]] for phonemes; a caller's name must not be read that way.
    """
    printable = text[:TEXT_LENGTH_MAX]
    if not (printable.isascii() and printable.isprintable()):
        normal = unicodedata.normalize("NFC", printable)
        printable = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in normal)
    return " ".join(re.sub(r"([\[\]])\1+", r"\1", printable).split())

"""What a part of speech says, and in which languages it can be said: the one rule for sound, terminal and checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from acd.service.prompts.defaults import PromptSource, PromptTable, SpokenText
from ivr.languages import language_for, texts
from ivr.speech import Prompt, Speech, Text

__all__ = ["languages_tried", "variants_tried", "worded"]


def languages_tried(language: str, fallback_languages: Sequence[str]) -> tuple[str, ...]:
    """The languages in which something is looked for, in order: the caller's, its main language, the fall-backs."""
    return tuple(dict.fromkeys((language, language.partition("-")[0], *fallback_languages)))


def variants_tried(
    prompts: PromptTable, name: str, language: str, fallback_languages: Sequence[str]
) -> Iterator[tuple[str, PromptSource]]:
    """The variants of a prompt with their languages, in the order in which they are tried; at last any there is."""
    variants = prompts.get(name, {})
    for tried in dict.fromkeys((*languages_tried(language, fallback_languages), *variants)):
        if tried in variants:
            yield tried, variants[tried]


def worded(speech: Speech, language: str, prompts: PromptTable, fallback_languages: Sequence[str]) -> str | None:
    """What a caller hears, in words; a recording by its file. None for a prompt that does not exist."""
    if isinstance(speech, Prompt):
        found = next(variants_tried(prompts, speech.name, language, fallback_languages), None)
        if found is None:
            return None
        in_language, source = found
        return source.text if isinstance(source, SpokenText) else f"[recording {in_language}/{source.file}]"
    said = texts(speech, speech.language or language if isinstance(speech, Text) else language)
    return language_for(said[0].language if said else language).joiner.join(text.text for text in said)

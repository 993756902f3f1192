"""What is prepared before callers come: which sounds, how far it is, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from acd.service.prompts.defaults import PromptTable, Recording, SpokenText
from ivr.languages import texts
from ivr.speech import Prompt, Speech, Text

__all__ = ["Progress", "PromptFailure", "RecordedFile", "Sound", "WarmUp", "in_words", "jobs", "sound_of"]

REPORT_INTERVAL_S = 2.0


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A recording with the language whose folder it is in."""

    language: str
    file: str


Sound = Text | RecordedFile


@dataclass(frozen=True, slots=True)
class PromptFailure:
    """A prompt (or another part of speech) that could not be prepared, in one language."""

    prompt: str
    language: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """What `warm_up` did: how many prompts are there, and which are not; `sounds` of `sounds_bytes` in the cache."""

    ready: int
    sounds: int
    sounds_bytes: int
    failures: tuple[PromptFailure, ...]
    duration_s: float


class Progress:
    """Tells the log how far the preparation is, when it takes long, and whoever else wants to know at each."""

    def __init__(
        self,
        total: int,
        log: FilteringBoundLogger,
        clock: Callable[[], float],
        tell: Callable[[int, int], None] | None = None,
    ) -> None:
        self._tell = tell
        self._total = total
        self._done = 0
        self._log = log
        self._clock = clock
        self._told_s = clock()

    def done_one(self) -> None:
        """One more is prepared, or cannot be."""
        self._done += 1
        if self._tell is not None:
            self._tell(self._done, self._total)
        if self._clock() - self._told_s >= REPORT_INTERVAL_S:
            self._told_s = self._clock()
            self._log.info("preparing prompts", done=self._done, total=self._total)


def jobs(
    prompts: PromptTable, speech: Iterable[Speech], languages: Collection[str]
) -> list[tuple[str, str, tuple[Sound, ...]]]:
    """What is to be prepared: a name, the language, the sounds."""
    found: list[tuple[str, str, tuple[Sound, ...]]] = [
        (name, language, (sound_of(source, language),))
        for name, variants in prompts.items()
        for language, source in variants.items()
    ]
    for part in speech:
        if not isinstance(part, Prompt):
            own = (part.language,) if isinstance(part, Text) and part.language else languages
            found += [(str(part), language, sounds) for language, sounds in in_words(part, own)]
    return found


def in_words(speech: Speech, languages: Iterable[str]) -> Iterator[tuple[str, tuple[Text, ...]]]:
    """What is said for a part of speech in those of the languages that have words for it."""
    for language in languages:
        words = texts(speech, language)
        if words:
            yield language, words


def sound_of(source: SpokenText | Recording, language: str) -> Sound:
    """The sound of a prompt's variant."""
    if isinstance(source, SpokenText):
        return Text(source.text, language)
    return RecordedFile(language, source.file)

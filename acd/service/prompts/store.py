"""The prompt store: turns what a tree says into sound files that Asterisk plays.

A prompt is a recording or a text; texts, digits and numbers are synthesised once and kept on the disk, and what is
said in several parts is joined. Nothing here stops a call: what cannot be had in the caller's language is tried in
others, and what cannot be had at all is `PromptUnavailableError`, upon which the line leaves it out. The work is done
by other processes and threads, never by the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import structlog
from structlog.typing import FilteringBoundLogger

from acd.service.prompts.cache import CacheError, SoundCache
from acd.service.prompts.defaults import PromptTable, to_prepare, with_defaults
from acd.service.prompts.joining import PAUSE_S, JoinError, join, pause_after
from acd.service.prompts.making import RATE_ENDINGS, Faults, PromptLimits, SoundMaker
from acd.service.prompts.preparing import (
    Progress,
    PromptFailure,
    RecordedFile,
    Sound,
    WarmUp,
    in_words,
    jobs,
    sound_of,
)
from acd.service.prompts.recorded import RecordedSound, inspect
from acd.service.prompts.synthesis import Synthesiser
from acd.service.prompts.tools import ToolError
from acd.service.prompts.wording import languages_tried, variants_tried
from ivr.speech import Prompt, Speech, Text

JOINED_IDLE_S = 600.0
"""A joined sound that was asked for within this time is not removed: it may be playing."""


class PromptUnavailableError(Exception):
    """A part of speech cannot be turned into sound, in no language; the text says why."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A sound that is there: its file without the ending, what tells it from others, and how it may be joined."""

    base: Path
    key: str
    pause_s: float | None
    """The pause behind it when something follows; None: its own silence."""
    joinable: bool


@dataclass(frozen=True, slots=True)
class FoundSound:
    """A text's sound on the disk, and the voice that speaks it."""

    voice: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """Sound files in order, without their endings, and the parts that are left out."""

    files: tuple[str, ...]
    missing: tuple[Speech, ...]


class PromptStore:
    """See the module. One event loop uses it.

    Args:
        cache_dir: where sounds are kept; Asterisk must be able to read it. Made when needed.
        recorded_dir: the site's recordings, a folder for each language.
        synthesisers: voices, the preferred one first.
        fallback_languages: tried in this order when the caller's language has no variant of a prompt, before any other.
        rates_hz: 8000, and 16000 as well where callers have wideband phones.
        limits: bounds.
        log: structured log.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        cache_dir: Path,
        *,
        recorded_dir: Path,
        synthesisers: Sequence[Synthesiser],
        fallback_languages: Sequence[str] = ("en",),
        rates_hz: Sequence[int] = (8000,),
        limits: PromptLimits | None = None,
        log: FilteringBoundLogger | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        unknown = set(rates_hz) - set(RATE_ENDINGS)
        if unknown or 8000 not in rates_hz:
            raise ValueError("rates_hz is 8000, or 8000 and 16000")
        self._recorded_dir = recorded_dir.absolute()
        self._fallback_languages = tuple(fallback_languages)
        self._rates_hz = tuple(rates_hz)
        self._limits = limits or PromptLimits()
        self._log: FilteringBoundLogger = log or structlog.get_logger("acd.prompts")
        self._clock = clock
        self._cache = SoundCache(cache_dir.absolute(), bytes_max=self._limits.bytes_max, clock=clock)
        self._joined = SoundCache(
            cache_dir.absolute() / "joined", bytes_max=self._limits.joined_bytes_max, idle_s=JOINED_IDLE_S, clock=clock
        )
        self._prompts: PromptTable = with_defaults({})
        self._used: PromptTable | None = None
        self._prepared: tuple[PromptTable, frozenset[str]] = ({}, frozenset())
        self._in_force: frozenset[str] = frozenset()
        self._faults = Faults(self._log, self._limits.retry_after_s, clock)
        self._maker = SoundMaker(self._cache, synthesisers, self._rates_hz, self._limits, self._faults, clock)
        self._recorded: dict[Path, RecordedSound] = {}

    def use(self, prompts: PromptTable) -> None:
        """From here on these are the site's prompts (beside the default ones). What was prepared for them stays."""
        self._prompts = with_defaults(prompts)
        self._used = prompts
        prepared_for, keys = self._prepared
        if prepared_for is prompts:
            self._in_force = keys
            self._cache.keep(keys)

    async def warm_up(
        self,
        prompts: PromptTable,
        *,
        speech: Iterable[Speech] = (),
        languages: Collection[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> WarmUp:
        """Prepare the sound of all `prompts`, and of `speech` in each of `languages`, so that callers wait for none
        of it.

        Does not change what the store uses: before a changed configuration is taken, its prompts are prepared, then
        `use` is called. Never raises for a sound that cannot be made; the result tells, and so does the log, each
        reason once. `progress` is told how many of how many are done.
        """
        started_s = self._clock()
        for cache in (self._cache, self._joined):
            try:
                await cache.open()
            except CacheError as error:
                self._faults.tell(str(error))
        said = tuple(dict.fromkeys(speech))
        todo = jobs(to_prepare(prompts, said, languages), said, languages)
        told = Progress(len(todo), self._log, self._clock, progress)
        kept: set[str] = set()
        failures: list[PromptFailure] = []
        left = iter(todo)

        async def work() -> None:
            for name, language, sounds in left:
                try:
                    made = [await self._sound(sound, patience_s=None) for sound in sounds]
                except (ToolError, CacheError) as error:
                    failures.append(PromptFailure(name, language, str(error)))
                else:
                    kept.update(sound.key for sound in made)
                told.done_one()

        # As many workers as may make sounds at once: so a caller's own text never stands behind all the prompts.
        await asyncio.gather(*(work() for _ in range(self._limits.at_once)))
        self._prepared = (prompts, frozenset(kept))
        if prompts is self._used:
            self._in_force = frozenset(kept)
        self._cache.keep(self._in_force | kept)
        result = WarmUp(
            ready=len(todo) - len(failures),
            sounds=len(kept),
            sounds_bytes=self._cache.size_of(kept),
            failures=tuple(failures),
            duration_s=self._clock() - started_s,
        )
        seconds = round(result.duration_s, 1)
        self._log.info("prompts prepared", ready=result.ready, failed=len(failures), seconds=seconds)
        return result

    async def survey(self) -> None:
        """See what is on the disk.

        Raises:
            CacheError: the folder cannot be made or read.
        """
        await self._cache.open()

    def voices(self, language: str) -> tuple[str, ...]:
        """The voices that speak a language, the best first."""
        return tuple(voice for voice, _ in self._maker.choices(Text("", language)))

    def found(self, text: str, language: str) -> FoundSound | None:
        """The sound of a text as it is on the disk, by the best voice there is one of; None if it is not made yet."""
        for voice, key in self._maker.choices(Text(text, language)):
            if self._cache.has(key):
                return FoundSound(voice, self._cache.size_of([key]))
        return None

    async def resolve(self, speech: Speech, language: str) -> list[str]:
        """The sound files for one part of speech, in order, each an absolute path without its ending.

        A prompt without a variant in `language`, or whose variant cannot be had, is taken from another language, and
        so are digits and numbers.

        Raises:
            PromptUnavailableError: it cannot be had at all.
        """
        return [str(sound.base) for sound in await self._sounds(speech, language)]

    async def resolve_all(self, speech: Sequence[Speech], language: str) -> Resolved:
        """The sound files for several parts, joined where that can be done, and which parts cannot be had; why not is
        logged."""
        if len(speech) == 1:
            found = [await self._attempt(speech[0], language)]
        else:
            found = await asyncio.gather(*(self._attempt(part, language) for part in speech))
        sounds: list[_Made] = []
        missing: list[Speech] = []
        for part, outcome in zip(speech, found, strict=True):
            if isinstance(outcome, PromptUnavailableError):
                missing.append(part)
                # The name of a prompt is the site's; texts and digits can be a caller's secret.
                name = part.name if isinstance(part, Prompt) else type(part).__name__.lower()
                self._faults.tell(str(outcome), prompt=name, language=language)
            else:
                sounds += outcome
        return Resolved(tuple([str(base) for run in _runs(sounds) for base in await self._one(run)]), tuple(missing))

    async def _attempt(self, speech: Speech, language: str) -> list[_Made] | PromptUnavailableError:
        try:
            return await self._sounds(speech, language)
        except PromptUnavailableError as error:
            return error

    async def _sounds(self, speech: Speech, language: str) -> list[_Made]:
        reasons = []
        for tried, sounds in self._alternatives(speech, language):
            try:
                return [await self._sound(sound, patience_s=self._limits.patience_s) for sound in sounds]
            except (ToolError, CacheError) as error:
                reasons.append(f"{tried}: {error}")
        if not reasons:
            reasons.append("no such prompt" if isinstance(speech, Prompt) else "nothing to say")
        raise PromptUnavailableError("; ".join(reasons))

    async def _one(self, run: Sequence[_Made]) -> list[Path]:
        """A run of sounds as one file; as they are if they cannot be joined after all."""
        if len(run) == 1:
            return [run[0].base]
        pauses = [_pause(before, after) for before, after in pairwise(run)]
        key = self._maker.key("joined", *(sound.key for sound in run), repr(pauses))
        if self._joined.use(key):
            return [self._joined.base(key)]
        try:
            content = await asyncio.to_thread(_join, [sound.base for sound in run], pauses, self._rates_hz)
            await self._joined.put(key, content)
        except (JoinError, CacheError, OSError) as error:
            self._faults.tell(f"sounds cannot be joined: {error}")
            return [sound.base for sound in run]
        return [self._joined.base(key)]

    async def close(self) -> None:
        """Stop making sounds. What is wanted afterwards and not there yet is unavailable."""
        await self._maker.close()
        self._cache.close()
        self._joined.close()

    def _alternatives(self, speech: Speech, language: str) -> Iterator[tuple[str, tuple[Sound, ...]]]:
        """Ways to say it, the best first: the language and the sounds in order."""
        if isinstance(speech, Text):
            yield from in_words(speech, (speech.language or language,))
        elif isinstance(speech, Prompt):
            for tried, source in variants_tried(self._prompts, speech.name, language, self._fallback_languages):
                yield tried, (sound_of(source, tried),)
        else:
            yield from in_words(speech, languages_tried(language, self._fallback_languages))

    async def _sound(self, sound: Sound, *, patience_s: float | None) -> _Made:
        """One sound, made now if need be.

        Raises:
            ToolError, CacheError: it cannot be had.
        """
        if isinstance(sound, Text):
            key = await self._maker.spoken(sound, patience_s)
            return _Made(self._cache.base(key), key, pause_after(sound.text), joinable=True)
        return await self._recording(sound, patience_s)

    async def _recording(self, recorded: RecordedFile, patience_s: float | None) -> _Made:
        folder = self._recorded_dir / recorded.language
        known = self._recorded.get(folder / recorded.file)
        found = await asyncio.to_thread(inspect, folder, recorded.file, known)
        self._recorded[found.path] = found
        if found.plays_as_it_is:
            wav = found.path.suffix == ".wav" and self._rates_hz == (8000,)
            return _Made(found.path.with_suffix(""), found.digest, None, joinable=wav)
        key = await self._maker.converted(found.path, found.digest, patience_s)
        return _Made(self._cache.base(key), key, None, joinable=True)


def _runs(sounds: Iterable[_Made]) -> list[list[_Made]]:
    """The sounds in runs that can be joined, those that cannot alone."""
    runs: list[list[_Made]] = []
    for sound in sounds:
        if runs and sound.joinable and runs[-1][-1].joinable:
            runs[-1].append(sound)
        else:
            runs.append([sound])
    return runs


def _pause(before: _Made, after: _Made) -> float | None:
    """The pause between two sounds: by how the text before ends; recordings keep their silence among each other."""
    if before.pause_s is not None:
        return before.pause_s
    return None if after.pause_s is None else PAUSE_S


def _join(bases: Sequence[Path], pauses_s: Sequence[float | None], rates_hz: Sequence[int]) -> dict[str, bytes]:
    endings = [RATE_ENDINGS[rate_hz] for rate_hz in rates_hz]
    return {ending: join([Path(f"{base}{ending}").read_bytes() for base in bases], pauses_s) for ending in endings}

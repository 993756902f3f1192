"""The prompt store: turns what a tree says into sound files that Asterisk plays.

A prompt is a recording or a text; texts, digits and numbers are synthesised once and kept on the disk. Nothing here
stops a call: what cannot be had in the caller's language is tried in others, and what cannot be had at all is
`PromptUnavailableError`, upon which the line leaves it out. The work is done by other processes and threads, never by
the event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from structlog.typing import FilteringBoundLogger

from acd.service.prompts.cache import CacheError, SoundCache
from acd.service.prompts.defaults import PromptTable, Recording, SpokenText, with_defaults
from acd.service.prompts.recorded import RecordedSound, inspect
from acd.service.prompts.synthesis import Synthesiser, clean_text
from acd.service.prompts.tools import ToolError, convert
from acd.service.prompts.wording import languages_tried, variants_tried
from ivr.languages import texts
from ivr.speech import Prompt, Speech, Text

RATE_ENDINGS = {8000: ".wav", 16000: ".wav16"}
"""The file endings by which Asterisk (format_wav) knows 16-bit PCM of these rates."""

SOUND_VERSION = 1
"""Part of every sound's name. To be raised when `acd.service.prompts.audio` makes other sounds from the same input."""

REPORT_INTERVAL_S = 2.0


class PromptUnavailableError(Exception):
    """A part of speech cannot be turned into sound, in no language; the text says why."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A recording with the language whose folder it is in."""

    language: str
    file: str


_Sound = Text | _Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLimits:
    """Bounds of the store.

    `bytes_max` is for all synthesised sounds; those that `warm_up` made stay beyond it. `patience_s` is how long a
    caller waits for a sound; its making goes on. `retry_after_s` is how long a sound that failed is not tried again,
    so that a broken voice costs callers time once and not at every prompt.
    """

    bytes_max: int = 500_000_000
    synthesis_timeout_s: float = 5.0
    patience_s: float = 8.0
    at_once: int = 2
    retry_after_s: float = 30.0
    failures_remembered: int = 1000


@dataclass(frozen=True, slots=True)
class PromptFailure:
    """A prompt (or another part of speech) that could not be prepared, in one language."""

    prompt: str
    language: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """What `warm_up` did: how many sounds are there, and which are not."""

    ready: int
    failures: tuple[PromptFailure, ...]
    duration_s: float


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
        self._synthesisers = tuple(synthesisers)
        self._fallback_languages = tuple(fallback_languages)
        self._rates_hz = tuple(rates_hz)
        self._limits = limits or PromptLimits()
        self._log: FilteringBoundLogger = log or structlog.get_logger("acd.prompts")
        self._clock = clock
        self._cache = SoundCache(cache_dir.absolute(), bytes_max=self._limits.bytes_max, clock=clock)
        self._prompts: PromptTable = with_defaults({})
        self._slots = asyncio.Semaphore(self._limits.at_once)
        self._making: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, tuple[float, str]] = {}
        self._told: dict[str, float] = {}
        self._recorded: dict[Path, RecordedSound] = {}
        self._closed = False

    def use(self, prompts: PromptTable) -> None:
        """From here on these are the site's prompts (beside the default ones)."""
        self._prompts = with_defaults(prompts)

    async def warm_up(
        self, prompts: PromptTable, *, speech: Iterable[Speech] = (), languages: Collection[str] = ()
    ) -> WarmUp:
        """Prepare the sound of all `prompts`, and of `speech` in each of `languages`, so that callers wait for none
        of it.

        Does not change what the store uses: before a changed configuration is taken, its prompts are prepared, then
        `use` is called. Never raises for a sound that cannot be made; the result tells, and so does the log, each
        reason once.
        """
        started_s = self._clock()
        try:
            await self._cache.open()
        except CacheError as error:
            self._tell(str(error))
        jobs = _jobs(with_defaults(prompts), tuple(dict.fromkeys(speech)), languages)
        progress = _Progress(len(jobs), self._log, self._clock)
        kept: set[str] = set()
        failures: list[PromptFailure] = []
        todo = iter(jobs)

        async def work() -> None:
            for name, language, sounds in todo:
                try:
                    bases = [await self._sound(sound, patience_s=None) for sound in sounds]
                except (ToolError, CacheError) as error:
                    failures.append(PromptFailure(name, language, str(error)))
                else:
                    kept.update(base.name for base in bases)
                progress.done_one()

        # As many workers as may make sounds at once: so a caller's own text never stands behind all the prompts.
        await asyncio.gather(*(work() for _ in range(self._limits.at_once)))
        self._cache.keep(kept)
        result = WarmUp(ready=len(jobs) - len(failures), failures=tuple(failures), duration_s=self._clock() - started_s)
        seconds = round(result.duration_s, 1)
        self._log.info("prompts prepared", ready=result.ready, failed=len(failures), seconds=seconds)
        return result

    async def resolve(self, speech: Speech, language: str) -> list[str]:
        """The sound files for one part of speech, in order, each an absolute path without its ending.

        A prompt without a variant in `language`, or whose variant cannot be had, is taken from another language, and
        so are digits and numbers.

        Raises:
            PromptUnavailableError: it cannot be had at all.
        """
        reasons = []
        for tried, sounds in self._alternatives(speech, language):
            try:
                return [str(await self._sound(sound, patience_s=self._limits.patience_s)) for sound in sounds]
            except (ToolError, CacheError) as error:
                reasons.append(f"{tried}: {error}")
        if not reasons:
            reasons.append("no such prompt" if isinstance(speech, Prompt) else "nothing to say")
        raise PromptUnavailableError("; ".join(reasons))

    async def resolve_all(self, speech: Sequence[Speech], language: str) -> Resolved:
        """The sound files for several parts, and which parts cannot be had; why not is logged."""
        files: list[str] = []
        missing: list[Speech] = []
        for part in speech:
            try:
                files += await self.resolve(part, language)
            except PromptUnavailableError as error:
                missing.append(part)
                # The name of a prompt is the site's; texts and digits can be a caller's secret.
                name = part.name if isinstance(part, Prompt) else type(part).__name__.lower()
                self._tell(str(error), prompt=name, language=language)
        return Resolved(tuple(files), tuple(missing))

    async def close(self) -> None:
        """Stop making sounds. What is wanted afterwards and not there yet is unavailable."""
        self._closed = True
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _alternatives(self, speech: Speech, language: str) -> Iterator[tuple[str, tuple[_Sound, ...]]]:
        """Ways to say it, the best first: the language and the sounds in order."""
        if isinstance(speech, Text):
            yield from _in_words(speech, (speech.language or language,))
        elif isinstance(speech, Prompt):
            for tried, source in variants_tried(self._prompts, speech.name, language, self._fallback_languages):
                yield tried, (_to_sound(source, tried),)
        else:
            yield from _in_words(speech, languages_tried(language, self._fallback_languages))

    async def _sound(self, sound: _Sound, *, patience_s: float | None) -> Path:
        """The path of one sound, without its ending, made now if need be.

        Raises:
            ToolError, CacheError: it cannot be had.
        """
        if isinstance(sound, Text):
            return await self._spoken(sound, patience_s)
        return await self._recording(sound, patience_s)

    async def _spoken(self, text: Text, patience_s: float | None) -> Path:
        words = clean_text(text.text)
        reasons = [] if words else ["the text is empty"]
        for synthesiser in self._synthesisers if words else ():
            voice = synthesiser.voice(text.language)
            if voice is None:
                continue
            key = self._key(synthesiser.identity, voice, words)
            make = partial(self._synthesise, synthesiser, voice, words)
            try:
                return await self._made(key, make, patience_s)
            except (ToolError, CacheError) as error:
                reasons.append(str(error))
        raise ToolError("; ".join(reasons) or f"there is no voice for the language {text.language!r}")

    async def _recording(self, recorded: _Recorded, patience_s: float | None) -> Path:
        folder = self._recorded_dir / recorded.language
        known = self._recorded.get(folder / recorded.file)
        found = await asyncio.to_thread(inspect, folder, recorded.file, known)
        self._recorded[found.path] = found
        if found.plays_as_it_is:
            return found.path.with_suffix("")
        return await self._made(self._key("recording", found.digest), partial(self._convert, found.path), patience_s)

    async def _synthesise(self, synthesiser: Synthesiser, voice: str, words: str) -> dict[str, bytes]:
        wav = await synthesiser.synthesise(words, voice, timeout_s=self._limits.synthesis_timeout_s)
        return {RATE_ENDINGS[rate_hz]: await convert(wav, rate_hz, speech=True) for rate_hz in self._rates_hz}

    async def _convert(self, path: Path) -> dict[str, bytes]:
        try:
            wav = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise ToolError(f"{path} cannot be read: {error.strerror}") from error
        return {RATE_ENDINGS[rate_hz]: await convert(wav, rate_hz, speech=False) for rate_hz in self._rates_hz}

    def _key(self, *ingredients: str) -> str:
        whole = json.dumps([SOUND_VERSION, self._rates_hz, *ingredients])
        return hashlib.sha256(whole.encode()).hexdigest()[:40]

    async def _made(self, key: str, make: Callable[[], Awaitable[dict[str, bytes]]], patience_s: float | None) -> Path:
        """The sound `key`, made unless it is there; all who want it at once share one making."""
        if self._cache.use(key):
            return self._cache.base(key)
        until_s, reason = self._failed.get(key, (0.0, ""))
        if reason and self._clock() < until_s:
            raise ToolError(reason)
        if self._closed:
            raise ToolError("the prompt store is closed")
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(key, make))
            task.add_done_callback(_retrieve)
        done, _ = await asyncio.wait({task}, timeout=patience_s)
        if not done:
            raise ToolError(f"the sound was not ready within {patience_s:g} s")
        if task.cancelled():
            raise ToolError("the prompt store is closed")
        task.result()
        return self._cache.base(key)

    async def _make(self, key: str, make: Callable[[], Awaitable[dict[str, bytes]]]) -> None:
        try:
            async with self._slots:
                await self._cache.put(key, await make())
        except (ToolError, CacheError) as error:
            self._fail(key, str(error))
            raise
        finally:
            del self._making[key]
        self._failed.pop(key, None)

    def _fail(self, key: str, reason: str) -> None:
        while len(self._failed) >= self._limits.failures_remembered:
            del self._failed[next(iter(self._failed))]
        self._failed.pop(key, None)
        self._failed[key] = (self._clock() + self._limits.retry_after_s, reason)
        self._tell(reason)

    def _tell(self, reason: str, **more: str) -> None:
        """Log a fault, the same one once in a while only: it may hit every call."""
        now_s = self._clock()
        self._told = {told: until_s for told, until_s in self._told.items() if until_s > now_s}
        whole = repr((reason, more))
        if whole not in self._told:
            self._told[whole] = now_s + self._limits.retry_after_s
            self._log.warning("prompt sound unavailable", reason=reason, **more)


class _Progress:
    """Tells the log how far the preparation is, when it takes long."""

    def __init__(self, total: int, log: FilteringBoundLogger, clock: Callable[[], float]) -> None:
        self._total = total
        self._done = 0
        self._log = log
        self._clock = clock
        self._told_s = clock()

    def done_one(self) -> None:
        self._done += 1
        if self._clock() - self._told_s >= REPORT_INTERVAL_S:
            self._told_s = self._clock()
            self._log.info("preparing prompts", done=self._done, total=self._total)


def _jobs(
    prompts: PromptTable, speech: Iterable[Speech], languages: Collection[str]
) -> list[tuple[str, str, tuple[_Sound, ...]]]:
    """What is to be prepared: a name, the language, the sounds."""
    jobs: list[tuple[str, str, tuple[_Sound, ...]]] = [
        (name, language, (_to_sound(source, language),))
        for name, variants in prompts.items()
        for language, source in variants.items()
    ]
    for part in speech:
        if not isinstance(part, Prompt):
            own = (part.language,) if isinstance(part, Text) and part.language else languages
            jobs += [(str(part), language, sounds) for language, sounds in _in_words(part, own)]
    return jobs


def _in_words(speech: Speech, languages: Iterable[str]) -> Iterator[tuple[str, tuple[Text, ...]]]:
    for language in languages:
        words = texts(speech, language)
        if words:
            yield language, words


def _to_sound(source: SpokenText | Recording, language: str) -> _Sound:
    if isinstance(source, SpokenText):
        return Text(source.text, language)
    return _Recorded(language, source.file)


def _retrieve(task: asyncio.Task[None]) -> None:
    # All who waited may have gone; the failure is remembered and logged already.
    if not task.cancelled():
        task.exception()

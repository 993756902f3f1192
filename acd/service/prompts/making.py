"""Making sounds: each once however many want it at once, by the best voice that can be had, remembering what failed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from structlog.typing import FilteringBoundLogger

from acd.service.prompts.cache import CacheError, SoundCache
from acd.service.prompts.converting import Converters
from acd.service.prompts.synthesis import Synthesiser, clean_text
from acd.service.prompts.tools import ToolError
from ivr.speech import Text

__all__ = ["RATE_ENDINGS", "Faults", "PromptLimits", "SoundMaker"]

RATE_ENDINGS = {8000: ".wav", 16000: ".wav16"}
"""The file endings by which Asterisk (format_wav) knows 16-bit PCM of these rates."""

SOUND_VERSION = 1
"""Part of every sound's name. To be raised when other sounds are made from the same input."""


_Make: TypeAlias = Callable[[], Awaitable[dict[str, bytes]]]
"""Makes a sound: its content by file ending."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A voice that can speak a text, with the sound's name."""

    voice: Synthesiser
    key: str
    words: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLimits:
    """Bounds of the store.

    `bytes_max` is for all synthesised sounds; those that the menus in force need stay beyond it. `joined_bytes_max` is
    for joined ones. `patience_s` is how long a caller waits for a sound; its making goes on. `retry_after_s` is how
    long a sound that failed is not tried again, nor a voice that failed `failures_in_a_row` times, so that a broken
    voice costs callers time once and not at every prompt.
    """

    bytes_max: int = 500_000_000
    joined_bytes_max: int = 50_000_000
    patience_s: float = 8.0
    failures_in_a_row: int = 2
    at_once: int = 2
    retry_after_s: float = 30.0
    failures_remembered: int = 1000


class Faults:
    """Logs what cannot be had, the same fault once in a while only: it may hit every call."""

    def __init__(self, log: FilteringBoundLogger, again_after_s: float, clock: Callable[[], float]) -> None:
        self._log = log
        self._again_after_s = again_after_s
        self._clock = clock
        self._told: dict[str, float] = {}

    def tell(self, reason: str, **more: str) -> None:
        """Log a fault."""
        now_s = self._clock()
        self._told = {told: until_s for told, until_s in self._told.items() if until_s > now_s}
        whole = repr((reason, more))
        if whole not in self._told:
            self._told[whole] = now_s + self._again_after_s
            self._log.warning("prompt sound unavailable", reason=reason, **more)


class SoundMaker:
    """Makes sounds into a cache. One event loop uses it; see `acd.service.prompts.store.PromptStore`."""

    def __init__(
        self,
        cache: SoundCache,
        voices: Sequence[Synthesiser],
        rates_hz: Sequence[int],
        limits: PromptLimits,
        faults: Faults,
        clock: Callable[[], float],
    ) -> None:
        self._cache = cache
        self._voices = tuple(voices)
        self._rates_hz = tuple(rates_hz)
        self._limits = limits
        self._faults = faults
        self._clock = clock
        self._converters = Converters()
        self._slots = asyncio.Semaphore(limits.at_once)
        self._making: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, tuple[float, str]] = {}
        self._resting = _Resting(limits.failures_in_a_row, limits.retry_after_s, clock)
        self._closed = False

    async def close(self) -> None:
        """Stop making sounds. What is wanted afterwards and not there yet is unavailable."""
        self._closed = True
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._converters.close()

    def choices(self, text: Text) -> list[tuple[str, str]]:
        """The voices that speak a text's language, the best first, each with its sound's name."""
        return [(choice.voice.name, choice.key) for choice in self._choices(text, clean_text(text.text))]

    async def converted(self, path: Path, digest: str, patience_s: float | None) -> str:
        """The name of a recording's sound, converted to what Asterisk plays.

        Raises:
            ToolError, CacheError: it cannot be had.
        """
        key = self.conversion_key(digest)
        await self._made(key, partial(self._convert, path), patience_s)
        return key

    def conversion_key(self, digest: str) -> str:
        """The name of the sound that a recording of this digest is converted to."""
        return self.key("recording", digest)

    def key(self, *ingredients: str) -> str:
        """The name of what is made of these."""
        whole = json.dumps([SOUND_VERSION, self._rates_hz, *ingredients])
        return hashlib.sha256(whole.encode()).hexdigest()[:40]

    async def spoken(self, text: Text, patience_s: float | None) -> str:
        """The name of a text's sound, by the best voice that can be had.

        `patience_s` is how long somebody waits for it; None for no caller, who wants the best voice.

        Raises:
            ToolError, CacheError: it cannot be had.
        """
        words = clean_text(text.text)
        if not words:
            raise ToolError("the text is empty")
        choices = self._choices(text, words)
        if not choices:
            raise ToolError(f"there is no voice for the language {text.language!r}")
        if patience_s is not None:
            # A caller does not wait for a better voice when there is a sound; but it is tried again, for the next one.
            for place, choice in enumerate(choices):
                if self._cache.use(choice.key):
                    self._try_again(choices[:place])
                    return choice.key
        reasons = []
        for choice in choices:
            if choice is not choices[-1] and self._resting.rests(choice.voice.name):
                reasons.append(f"{choice.voice.name} has failed and is not tried at present")
                continue
            try:
                await self._made(choice.key, partial(self._synthesise, choice), patience_s)
            except (ToolError, CacheError) as error:
                reasons.append(str(error))
            else:
                return choice.key
        raise ToolError("; ".join(reasons))

    def _choices(self, text: Text, words: str) -> list[_Choice]:
        return [
            _Choice(voice, self.key(identity, words), words, text.language)
            for voice in self._voices
            if (identity := voice.identity(text.language)) is not None
        ]

    def _try_again(self, better: Sequence[_Choice]) -> None:
        """Begin to make a text's sound by a better voice than the one that is heard, if it has not just failed."""
        for choice in better:
            failed_until_s, _ = self._failed.get(choice.key, (0.0, ""))
            if self._closed or self._clock() < failed_until_s or self._resting.rests(choice.voice.name):
                continue
            self._begin(choice.key, partial(self._synthesise, choice))
            return

    async def _synthesise(self, choice: _Choice) -> dict[str, bytes]:
        try:
            wav = await choice.voice.synthesise(choice.words, choice.language)
            files = await self._files(wav, speech=True)
        except ToolError:
            self._resting.failed(choice.voice.name)
            raise
        self._resting.worked(choice.voice.name)
        return files

    async def _convert(self, path: Path) -> dict[str, bytes]:
        try:
            wav = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise ToolError(f"{path} cannot be read: {error.strerror}") from error
        return await self._files(wav, speech=False)

    async def _files(self, wav: bytes, *, speech: bool) -> dict[str, bytes]:
        """A WAV file as what Asterisk plays, by file ending."""
        return {
            RATE_ENDINGS[rate_hz]: await self._converters.convert(wav, rate_hz, speech=speech)
            for rate_hz in self._rates_hz
        }

    async def _made(self, key: str, make: _Make, patience_s: float | None) -> None:
        """See that the sound `key` is there, made unless it is; all who want it at once share one making."""
        if self._cache.use(key):
            return
        until_s, reason = self._failed.get(key, (0.0, ""))
        if reason and self._clock() < until_s:
            raise ToolError(reason)
        if self._closed:
            raise ToolError("the prompt store is closed")
        task = self._begin(key, make)
        done, _ = await asyncio.wait({task}, timeout=patience_s)
        if not done:
            raise ToolError(f"the sound was not ready within {patience_s:g} s")
        if task.cancelled():
            raise ToolError("the prompt store is closed")
        task.result()

    def _begin(self, key: str, make: _Make) -> asyncio.Task[None]:
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(key, make))
            task.add_done_callback(_retrieve)
        return task

    async def _make(self, key: str, make: _Make) -> None:
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
        self._faults.tell(reason)


class _Resting:
    """Voices that failed several times in a row, and are not tried for a while."""

    def __init__(self, in_a_row: int, rest_s: float, clock: Callable[[], float]) -> None:
        self._in_a_row = in_a_row
        self._rest_s = rest_s
        self._clock = clock
        self._failures: dict[str, int] = {}
        self._until_s: dict[str, float] = {}

    def rests(self, voice: str) -> bool:
        return self._clock() < self._until_s.get(voice, 0.0)

    def failed(self, voice: str) -> None:
        self._failures[voice] = self._failures.get(voice, 0) + 1
        if self._failures[voice] >= self._in_a_row:
            self._until_s[voice] = self._clock() + self._rest_s

    def worked(self, voice: str) -> None:
        self._failures.pop(voice, None)
        self._until_s.pop(voice, None)


def _retrieve(task: asyncio.Task[None]) -> None:
    # All who waited may have gone; the failure is remembered and logged already.
    if not task.cancelled():
        task.exception()

"""A line in virtual time, with a caller who follows a script: what the menus' tests and later ones run trees on."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Awaitable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ivr.dialling import Dial, DialEnd, Dialled
from ivr.line import KEYS, LineHungUp, Played, Recorded, RecordEnd, RecordLimits, Waited
from ivr.speech import Speech

HANG_UP = "hang-up"
"""Stands for a key in a script: the caller hangs up at this moment."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Heard:
    """One part of speech as the caller heard it."""

    part: str
    start_s: float
    end_s: float
    language: str
    whole: bool


class ScriptedLine:
    """A `Line` whose time passes only while something is played or waited for.

    Args:
        keys: what the caller does at fixed times: `(at_s, key)`.
        reactions: what the caller does on hearing a part, by `str(part)`: for each time that it begins, the keys with
            their delays in seconds from its beginning. Times beyond the list bring no reaction.
        part_s: how long a part takes, by `str(part)`; `default_part_s` for all others.
        talks_s: how long the caller talks into each recording; without one: to its end.
        cannot_record: recordings cannot be written.
        missing: parts that cannot be had, by `str(part)`.
        work_s: how long each work takes that the caller waits for, in order; those beyond the list take no time.
        gone_after: the caller hangs up on the line's so-many-eth operation, counted from 1; 0 for never.
    """

    def __init__(
        self,
        keys: Iterable[tuple[float, str]] = (),
        *,
        reactions: Mapping[str, Sequence[Sequence[tuple[float, str]]]] | None = None,
        part_s: Mapping[str, float] | None = None,
        default_part_s: float = 2.0,
        missing: Collection[str] = (),
        talks_s: Iterable[float] = (),
        cannot_record: bool = False,
        work_s: Sequence[float] = (),
        gone_after: int = 0,
    ) -> None:
        self.now_s = 0.0
        self.answered_at_s: float | None = None
        self.language = ""
        self.heard: list[Heard] = []
        self.recorded: list[tuple[str, RecordLimits]] = []
        self.talks_s = list(talks_s)
        self.cannot_record = cannot_record
        self.waits: list[tuple[float, float]] = []
        self.music: list[tuple[str, float, float]] = []
        """What was played while the caller waited for work: name (`ringing` before the answer), begin, end."""
        self.hung_up_with: str | None = None
        self.gone = False
        self.operations = 0
        self.buffer: list[str] = []
        self.dial_ends: list[DialEnd] = []
        self.dialled: list[Dial] = []
        self._order = itertools.count()
        self._events: list[tuple[float, int, str]] = []
        self._reactions = {part: list(each) for part, each in (reactions or {}).items()}
        self._part_s = dict(part_s or {})
        self._default_part_s = default_part_s
        self._missing = frozenset(missing)
        self._work_s = list(work_s)
        self._gone_after = gone_after
        for at_s, key in keys:
            self._schedule(at_s, key)

    @property
    def heard_parts(self) -> list[str]:
        """The parts in order; one that was cut short ends in `…`."""
        return [heard.part if heard.whole else f"{heard.part}…" for heard in self.heard]

    async def answer(self) -> None:
        self._begin()
        assert self.answered_at_s is None, "the call was answered twice"
        self.answered_at_s = self.now_s

    async def play(self, speech: Sequence[Speech], interrupt_digits: str = "") -> Played:
        self._begin()
        assert self.answered_at_s is not None, "played on a call that was not answered"
        missing: list[Speech] = []
        if self.buffer and self.buffer[0] in interrupt_digits:
            return Played(self.buffer[0])
        for part in speech:
            if str(part) in self._missing:
                missing.append(part)
                continue
            stopped_by = self._play_part(str(part), interrupt_digits)
            if stopped_by:
                return Played(stopped_by, tuple(missing))
        return Played("", tuple(missing))

    async def read_digit(self, timeout_s: float) -> str:
        self._begin()
        assert self.answered_at_s is not None, "waited for a key on a call that was not answered"
        start_s = self.now_s
        if not self.buffer:
            self._pass_time(timeout_s, KEYS)
        self.waits.append((start_s, self.now_s))
        return self.buffer.pop(0) if self.buffer else ""

    async def wait_for(self, work: Awaitable[T], music: str, speech: Sequence[Speech] = ()) -> Waited[T]:
        done_s = self.now_s + (self._work_s.pop(0) if self._work_s else 0.0)
        try:
            missing = (await self.play(speech)).missing if speech else ()
            if not speech:
                self._begin()
            if self.now_s < done_s:
                start_s = self.now_s
                try:
                    self._pass_time(done_s - start_s, "")
                finally:
                    self.music.append((music if self.answered_at_s is not None else "ringing", start_s, self.now_s))
        except LineHungUp:
            if isinstance(work, Coroutine):
                work.close()
            raise
        return Waited(await work, missing)

    async def record(self, path: str, limits: RecordLimits) -> Recorded:
        """The caller talks until a key, a hang-up, `talks_s` and the silence behind it, or the longest time."""
        self._begin()
        assert self.answered_at_s is not None, "recorded on a call that was not answered"
        self.recorded.append((path, limits))
        if self.cannot_record:
            return Recorded(RecordEnd.FAILED)
        start_s, before = self.now_s, len(self.buffer)
        talks_s = self.talks_s.pop(0) if self.talks_s else limits.longest_s
        quiet_s = talks_s + limits.silence_s if limits.silence_s else limits.longest_s
        try:
            self._pass_time(min(quiet_s, limits.longest_s), limits.finish_keys)
        except LineHungUp:
            return Recorded(RecordEnd.HUNG_UP, min(talks_s, self.now_s - start_s))
        # Asterisk drops the keys that are pressed meanwhile.
        keys, self.buffer[before:] = self.buffer[before:], []
        seconds = min(talks_s, self.now_s - start_s)
        if keys and keys[-1] in limits.finish_keys:
            return Recorded(RecordEnd.KEY, seconds, keys[-1])
        return Recorded(RecordEnd.SILENCE, seconds)

    async def dial(self, dial: Dial) -> Dialled:
        """The other end does what `dial_ends` says next; it rings for a second and, answered, talks for a minute."""
        self._begin()
        self.dialled.append(dial)
        end = self.dial_ends.pop(0) if self.dial_ends else DialEnd.NO_ANSWER
        self._pass_time(dial.ring_s if end is DialEnd.NO_ANSWER else 1.0, "")
        if end is DialEnd.ANSWERED:
            if self.answered_at_s is None:
                self.answered_at_s = self.now_s
            self._pass_time(min(60.0, dial.longest_s), "")
        return Dialled(end)

    async def set_language(self, language: str) -> None:
        self._begin()
        self.language = language

    async def hangup(self, cause: str) -> None:
        self._begin()
        self.hung_up_with = str(cause)

    def _begin(self) -> None:
        assert self.hung_up_with is None, "used after the tree hung up"
        self.operations += 1
        if self.operations == self._gone_after:
            self.gone = True
        self._pass_time(0.0, "")
        if self.gone:
            raise LineHungUp

    def _play_part(self, part: str, interrupt_digits: str) -> str:
        start_s = self.now_s
        for delay_s, key in (self._reactions.get(part) or [[]]).pop(0):
            self._schedule(start_s + delay_s, key)
        try:
            stopped_by = self._pass_time(self._part_s.get(part, self._default_part_s), interrupt_digits)
        except LineHungUp:
            self.heard.append(Heard(part, start_s, self.now_s, self.language, whole=False))
            raise
        self.heard.append(Heard(part, start_s, self.now_s, self.language, whole=not stopped_by))
        return stopped_by

    def _pass_time(self, duration_s: float, until_keys: str) -> str:
        """Let time pass, up to the first key out of `until_keys`, which is returned."""
        end_s = self.now_s + duration_s
        while self._events and self._events[0][0] <= end_s:
            at_s, _, key = heapq.heappop(self._events)
            self.now_s = max(self.now_s, at_s)
            if key == HANG_UP:
                self.gone = True
                raise LineHungUp
            self.buffer.append(key)
            if key in until_keys:
                return key
        self.now_s = end_s
        return ""

    def _schedule(self, at_s: float, key: str) -> None:
        heapq.heappush(self._events, (at_s, next(self._order), key))

"""One call's visit to one node: what a node's step works with."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from itertools import groupby
from typing import TypeVar

from ivr.context import CallContext
from ivr.dialling import Dial, DialEnd, Dialled
from ivr.fields import fill
from ivr.keys import Keys
from ivr.line import KEYS, Line, Recorded, RecordLimits
from ivr.outcome import Move, NodeId
from ivr.record import OnStep, Problem, ProblemKind, StepRecord
from ivr.speech import Prompt, Speech
from ivr.tools import Tools

T = TypeVar("T")

_KEYS_FORGOTTEN_MAX = 100
"""More keys than anybody has typed ahead."""


class KeyPressed(Exception):
    """The caller pressed a key that means the same everywhere. The interpreter makes the move; nodes let it pass."""

    def __init__(self, move: Move) -> None:
        super().__init__(move)
        self.move = move


class Visit:
    """Gives a node the line and the call, and keeps account of what happens for the step's record.

    A node may leave out `tried` and `finish`: the interpreter calls `finish`; `tried` is for nodes that try several
    times.
    """

    def __init__(
        self,
        *,
        line: Line,
        call: CallContext,
        node: NodeId,
        node_type: str,
        on_step: OnStep,
        tools: Tools | None = None,
        keys: Keys | None = None,
        own_keys: str = KEYS,
    ) -> None:
        self.call = call
        self.tools = tools or Tools()
        self._line = line
        self._node = node
        self._node_type = node_type
        self._on_step = on_step
        self._keys = keys or Keys()
        self._own_keys = own_keys
        self._secret = False
        self._heard: list[Speech] = []
        self._interrupted = False
        self._active = False
        self._key = ""
        self._problems: list[Problem] = []

    async def answer(self) -> None:
        """Answer the call, once. Nodes that only decide must not call this: an unanswered call can still be refused."""
        if not self.call.answered:
            await self._line.answer()
            self.call.answered = True

    async def play(self, speech: Sequence[Speech], *, barge_in: bool) -> str:
        """Answer if need be and play; with `barge_in` any key stops it, up to the next prompt that none may stop.

        Returns the key that did; it is still to be read. Parts that cannot be had are noted and left out.

        Raises:
            KeyPressed: the key means repeat, back, top or operator here; it has been read.
        """
        if not speech:
            return ""
        await self.answer()
        self._heard.extend(speech)
        stopped_by = ""
        for stoppable, parts in groupby(speech, lambda part: barge_in and _may_be_stopped(part)):
            if not stoppable:
                await self._play(tuple(parts), "")
            elif not stopped_by:
                stopped_by = await self._play_until_key(tuple(parts))
        if stopped_by:
            self._interrupted = self._active = True
            self.call.steps_since_key = 0
            if stopped_by not in self._own_keys and self.common_move(stopped_by) is not None:
                await self.read_digit(0.0)
        return stopped_by

    async def _play_until_key(self, parts: Sequence[Speech]) -> str:
        """Play, and return the key that stopped it. The terminator of an entry that is over stops nothing."""
        await self._skip_late_terminator()
        if not self.call.unread:
            late = self.call.late_terminator
            key = await self._play(parts, KEYS.replace(late, ""))
            if key:
                return key
            await self._skip_late_terminator()
            self.call.late_terminator = ""
        return self.call.unread[0] if self.call.unread else ""

    async def _skip_late_terminator(self) -> None:
        """Take the terminator of an entry that is over from the line, if it is the next key."""
        call = self.call
        if not call.late_terminator:
            return
        key = call.unread.pop(0) if call.unread else await self._line.read_digit(0.0)
        if key and key != call.late_terminator:
            call.unread.insert(0, key)
        if key:
            call.late_terminator = ""

    async def _play(self, parts: Sequence[Speech], stopping: str) -> str:
        played = await self._line.play(parts, stopping)
        for part in played.missing:
            self.problem(ProblemKind.SPEECH_MISSING, str(part))
        return played.digit

    async def read_digit(self, timeout_s: float) -> str:
        """The caller's next key, waiting up to `timeout_s`; empty when none came.

        Raises:
            KeyPressed: the key means repeat, back, top or operator here.
        """
        await self.answer()
        digit = await self._next_key(timeout_s)
        if not digit:
            return ""
        move = self.common_move(digit) if digit not in self._own_keys else None
        if move is not None:
            self._key = ""  # an entry that was begun is dropped
        self._pressed(digit)
        if move is not None:
            raise KeyPressed(move)
        return digit

    async def read_any_key(self, timeout_s: float) -> str:
        """As `read_digit`, whatever the key may mean elsewhere: for nodes that find out by and by."""
        await self.answer()
        key = await self._next_key(timeout_s)
        if key:
            self._pressed(key)
        return key

    def common_move(self, key: str) -> Move | None:
        """Where a key leads that means the same everywhere; None if it is none of them."""
        return self._keys.move(key)

    async def read_secret(self, timeout_s: float) -> str:
        """As `read_digit`, but the key is told to nobody: no record holds it."""
        self._secret = True
        try:
            return await self.read_digit(timeout_s)
        finally:
            self._secret = False

    async def _next_key(self, timeout_s: float) -> str:
        """The next key, an early one first. The terminator of an entry that is over is none."""
        while True:
            unread = self.call.unread
            key = unread.pop(0) if unread else await self._line.read_digit(timeout_s)
            late, self.call.late_terminator = self.call.late_terminator, ""
            if not key or key != late:
                return key

    def give_back(self, keys: str) -> None:
        """Leave keys that were read to whoever asks next; they are not this node's."""
        self.call.unread[:0] = keys
        self._key = self._key.removesuffix(keys)

    async def forget_keys(self) -> None:
        """Drop what was keyed in and not read: it belongs to something that is over."""
        self.call.unread.clear()
        for _ in range(_KEYS_FORGOTTEN_MAX):
            if not await self._line.read_digit(0.0):
                return

    async def wait_for(self, work: Awaitable[T], music: str, speech: Sequence[Speech] = ()) -> T:
        """Do `work` while the caller hears `speech` (answered for it if need be), then music; see `Line.wait_for`."""
        if speech:
            await self.answer()
            self._heard.extend(speech)
        waited = await self._line.wait_for(work, music, speech)
        for part in waited.missing:
            self.problem(ProblemKind.SPEECH_MISSING, str(part))
        return waited.result

    async def record(self, path: str, limits: RecordLimits) -> Recorded:
        """Record what the caller says into a file, see `Line`. A hang-up meanwhile is told by the result."""
        await self.answer()
        recorded = await self._line.record(path, limits)
        if recorded.key:
            self._pressed(recorded.key)
        return recorded

    async def dial(self, dial: Dial) -> Dialled:
        """Connect the caller with somebody else, see `Line`."""
        dialled = await self._line.dial(dial)
        self.call.answered = self.call.answered or dialled.end is DialEnd.ANSWERED
        return dialled

    async def set_language(self, language: str) -> None:
        """Speak `language` to this caller from here on."""
        await self._line.set_language(language)
        self.call.language = language

    def fill(self, template: str) -> str:
        """`template` with the call's fields filled in; unknown ones are left out and noted."""
        filled = fill(template, self.call.lookup)
        for name in filled.unknown:
            self.problem(ProblemKind.UNKNOWN_FIELD, name)
        return filled.text

    def problem(self, kind: ProblemKind, subject: str) -> None:
        """Note something amiss that the call outlives."""
        self._problems.append(Problem(kind, subject))

    def tried(self, outcome: str) -> None:
        """Report one try of several; the visit goes on."""
        self._report(outcome, None)

    def finish(self, outcome: str, to: NodeId | None) -> None:
        """Report the visit's last (or only) try."""
        self._report(outcome, to)

    def _pressed(self, digit: str) -> None:
        self._active = True
        self.call.steps_since_key = 0
        if not self._secret:
            self._key += digit

    def _report(self, outcome: str, to: NodeId | None) -> None:
        self.call.steps += 1
        self.call.steps_since_key = 0 if self._active else self.call.steps_since_key + 1
        record = StepRecord(
            call_id=self.call.call_id,
            number=self.call.steps,
            node=self._node,
            type=self._node_type,
            language=self.call.language,
            outcome=outcome,
            heard=tuple(self._heard),
            interrupted=self._interrupted,
            key=self._key,
            to=to,
            problems=tuple(self._problems),
        )
        self._heard, self._key, self._problems = [], "", []
        self._interrupted = self._active = False
        self._on_step(record)


def _may_be_stopped(part: Speech) -> bool:
    return not isinstance(part, Prompt) or part.barge_in

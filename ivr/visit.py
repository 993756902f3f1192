"""One call's visit to one node: what a node's step works with."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from ivr.context import CallContext
from ivr.fields import fill
from ivr.line import KEYS, Line
from ivr.outcome import NodeId
from ivr.record import OnStep, Problem, ProblemKind, StepRecord
from ivr.speech import Speech
from ivr.tools import Tools

T = TypeVar("T")


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
    ) -> None:
        self.call = call
        self.tools = tools or Tools()
        self._line = line
        self._node = node
        self._node_type = node_type
        self._on_step = on_step
        self._heard: list[Speech] = []
        self._key = ""
        self._problems: list[Problem] = []

    async def answer(self) -> None:
        """Answer the call, once. Nodes that only decide must not call this: an unanswered call can still be refused."""
        if not self.call.answered:
            await self._line.answer()
            self.call.answered = True

    async def play(self, speech: Sequence[Speech], *, barge_in: bool) -> str:
        """Answer if need be and play; with `barge_in` any key stops it.

        Returns the key that did; it is still to be read. Parts that cannot be had are noted and left out.
        """
        if not speech:
            return ""
        await self.answer()
        self._heard.extend(speech)
        played = await self._line.play(speech, KEYS if barge_in else "")
        for part in played.missing:
            self.problem(ProblemKind.SPEECH_MISSING, str(part))
        if played.digit:
            self._pressed(played.digit)
        return played.digit

    async def read_digit(self, timeout_s: float) -> str:
        """The caller's next key, waiting up to `timeout_s`; empty when none came."""
        await self.answer()
        digit = await self._line.read_digit(timeout_s)
        if digit:
            self._pressed(digit)
        return digit

    async def wait_for(self, work: Awaitable[T], music: str, speech: Sequence[Speech] = ()) -> T:
        """Do `work` while the caller hears `speech` (answered for it if need be), then music; see `Line.wait_for`."""
        if speech:
            await self.answer()
            self._heard.extend(speech)
        waited = await self._line.wait_for(work, music, speech)
        for part in waited.missing:
            self.problem(ProblemKind.SPEECH_MISSING, str(part))
        return waited.result

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
        self._key = digit
        self.call.steps_since_key = 0

    def _report(self, outcome: str, to: NodeId | None) -> None:
        self.call.steps += 1
        self.call.steps_since_key = 0 if self._key else self.call.steps_since_key + 1
        record = StepRecord(
            call_id=self.call.call_id,
            number=self.call.steps,
            node=self._node,
            type=self._node_type,
            language=self.call.language,
            outcome=outcome,
            heard=tuple(self._heard),
            key=self._key,
            to=to,
            problems=tuple(self._problems),
        )
        self._heard, self._key, self._problems = [], "", []
        self._on_step(record)

"""The line of a walk: what is played is a text, time is virtual, keys come from a `Caller`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TypeVar

from acd.walker.callers import Caller
from acd.walker.clock import VirtualClock
from ivr.dialling import Dial, DialEnd, Dialled
from ivr.line import LineHungUp, Played, Recorded, RecordEnd, RecordLimits, Waited
from ivr.speech import Speech

__all__ = ["WalkLine", "duration_s"]

SECONDS_PER_LETTER = 0.07
"""Of alphabetic script, at some 150 words a minute; a Chinese character takes three times as long."""
LETTERS_PER_IDEOGRAPH = 3
RECORDED_S = 5.0
"""How long a caller speaks who is recorded."""

T = TypeVar("T")


def duration_s(text: str) -> float:
    """About how long it takes to say `text`."""
    letters = sum(LETTERS_PER_IDEOGRAPH if char > "\u2e7f" else 1 for char in text)
    return letters * SECONDS_PER_LETTER


class WalkLine:
    """A line in a terminal (implements ``ivr.line.Line``).

    Everything is heard to its end before a key is pressed, unless keys are there already.

    Args:
        caller: who presses keys.
        clock: passes by what is said and by time-outs.
        word: what a part of speech says in a language; None if there is no such prompt.
        hear: is given what is played, as it is played.
        act: is told of what would be done in a real call.
    """

    def __init__(
        self,
        caller: Caller,
        clock: VirtualClock,
        word: Callable[[Speech, str], str | None],
        hear: Callable[[str], None],
        act: Callable[[str], None],
    ) -> None:
        self._caller = caller
        self._clock = clock
        self._word = word
        self._hear = hear
        self._act = act
        self._keys: list[str] = []
        self._gone = False
        self.language = ""
        self.answered = False

    async def answer(self) -> None:
        """See ``Line``."""
        self._check()
        self.answered = True

    async def play(self, speech: Sequence[Speech], interrupt_digits: str = "") -> Played:
        """See ``Line``."""
        self._check()
        if self._keys and self._keys[0] in interrupt_digits:
            return Played(self._keys[0])
        missing: list[Speech] = []
        for part in speech:
            text = self._word(part, self.language)
            if text is None:
                missing.append(part)
            else:
                self._hear(text)
                self._clock.advance(duration_s(text))
        return Played("", tuple(missing))

    async def read_digit(self, timeout_s: float) -> str:
        """See ``Line``."""
        self._check()
        if not self._keys and timeout_s > 0:  # without time it is only asked what has been pressed already
            self._keys.extend(self._press(timeout_s))
        if self._keys:
            return self._keys.pop(0)
        self._clock.advance(timeout_s)
        return ""

    async def wait_for(self, work: Awaitable[T], music: str, speech: Sequence[Speech] = ()) -> Waited[T]:  # noqa: ARG002
        """See ``Line``. Nobody hears music here; how long the work takes is not counted."""
        try:
            missing = (await self.play(speech)).missing if speech else ()
        except LineHungUp:
            if isinstance(work, Coroutine):
                work.close()
            raise
        return Waited(await work, missing)

    async def record(self, path: str, limits: RecordLimits) -> Recorded:  # noqa: ARG002 - nothing is written
        """See ``Line``. The caller is taken to have spoken for a while, and then does what comes next."""
        self._check()
        spoken_s = min(RECORDED_S, limits.longest_s)
        self._hear("[beep]" if limits.beep else "[recording]")
        self._clock.advance(spoken_s)
        if not self._keys:
            try:
                self._keys.extend(self._press(limits.longest_s - spoken_s))
            except LineHungUp:
                return Recorded(RecordEnd.HUNG_UP, spoken_s)
        key = next((key for key in self._keys if key in limits.finish_keys), "")
        self._keys = self._keys[self._keys.index(key) + 1 :] if key else []
        return Recorded(RecordEnd.KEY if key else RecordEnd.SILENCE, spoken_s, key)

    async def dial(self, dial: Dial) -> Dialled:
        """See ``Line``. Nobody is called; whoever would have been answers and hangs up."""
        self._check()
        self.answered = True
        self._act(f"call to {dial.device}")
        return Dialled(DialEnd.ANSWERED)

    async def set_language(self, language: str) -> None:
        """See ``Line``."""
        self._check()
        self.language = language

    async def hangup(self, cause: str) -> None:  # noqa: ARG002 - the walk tells the outcome
        """See ``Line``."""
        self._check()
        self._gone = True

    def _press(self, timeout_s: float) -> Sequence[str]:
        try:
            return self._caller.press(timeout_s)
        except LineHungUp:
            self._gone = True
            raise

    def _check(self) -> None:
        if self._gone:
            raise LineHungUp("the line is closed")

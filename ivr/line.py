"""The line: everything a menu tree may do to a caller's call.

The interpreter knows nothing else of the telephone, so a line can be a channel of Asterisk, a terminal or a script in
a test.

Type-ahead: a line keeps every key that the caller presses, in order, from the moment it exists: before a prompt,
during it (whether the key stops the prompt or not) and after it. `play` never takes a key out of that buffer;
`read_digit` alone does. So keys pressed early count, and a caller who knows the menus can key through several at
once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from ivr.dialling import Dial, Dialled
from ivr.speech import Speech

KEYS = "0123456789*#ABCD"
"""Every key a caller's phone can send. As `interrupt_digits` it means: any key stops the prompt."""


class LineHungUp(Exception):
    """The caller has gone. Any method of a line may raise it, and every one does from then on."""


@dataclass(frozen=True, slots=True)
class Played:
    """How a `play` went.

    `digit` is the key that stopped it (or kept it from starting), empty when it was heard to its end; the key is
    still in the type-ahead buffer. `missing` are the parts that could not be turned into sound and were left out.
    """

    digit: str = ""
    missing: tuple[Speech, ...] = ()


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waited(Generic[T]):
    """How a `wait_for` went: what the work came to, and the parts of the speech that could not be had."""

    result: T
    missing: tuple[Speech, ...] = ()


class RecordEnd(StrEnum):
    """What ended a recording."""

    KEY = "key"
    """The caller pressed one of the keys that finish it."""
    SILENCE = "silence"
    """The caller said nothing for a while, or the longest time was over."""
    HUNG_UP = "hung-up"
    """The caller hung up; what was said until then is kept."""
    FAILED = "failed"
    """It could not be written: no folder, no right to write there, a full disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLimits:
    """How something is recorded. `silence_s` 0: silence does not end it. A key of `finish_keys` is not in the sound."""

    longest_s: float
    silence_s: int = 0
    finish_keys: str = "#"
    beep: bool = True

    def __post_init__(self) -> None:
        if self.longest_s <= 0 or self.silence_s < 0:
            raise ValueError("a recording takes some time")


@dataclass(frozen=True, slots=True)
class Recorded:
    """How a `record` went. `seconds` is the length of the sound that is kept, 0 for none.

    `silence_s`: so much at its end is silence, at most: the silence that ended it, or all of it when nothing was said.
    """

    end: RecordEnd
    seconds: float = 0.0
    key: str = ""
    silence_s: float = 0.0


class Line(Protocol):
    """A caller's line. One coroutine uses it at a time."""

    async def answer(self) -> None:
        """Answer the call. Answering an answered call does nothing."""

    async def play(self, speech: Sequence[Speech], interrupt_digits: str = "") -> Played:
        """Play the parts one after the other.

        A key out of `interrupt_digits` stops all of them at once; if the oldest key of the type-ahead buffer is one
        of them, nothing is played. Other keys do not disturb. No key is lost and none is taken from the buffer. A
        part that cannot be had (no such prompt, no voice for it) is left out and named in the result; that is never
        an error.
        """
        ...

    async def read_digit(self, timeout_s: float) -> str:
        """Take the oldest key from the type-ahead buffer, waiting up to `timeout_s` for one. Empty when none came."""
        ...

    async def wait_for(self, work: Awaitable[T], music: str, speech: Sequence[Speech] = ()) -> Waited[T]:
        """Begin `work` at once, play `speech` to its end meanwhile, then music, and return what the work comes to.

        The music is that of the name `music`; a caller who is not answered yet hears ringing instead. Work that is
        done in a moment is not worth music: nothing is heard of it. Keys pressed meanwhile go to the type-ahead
        buffer and disturb neither. A caller who hangs up has the work cancelled, and its end awaited, before
        `LineHungUp` is raised. What the work raises passes through.
        """
        ...

    async def record(self, path: str, limits: RecordLimits) -> Recorded:
        """Record what the caller says into the file `path` (without its ending `.wav`: 8000 samples of 16 bits a
        second), which is made anew.

        A caller who hangs up in the middle of a word does not raise: the result says so, and the sound is kept. Keys
        that finish nothing are lost. `LineHungUp` says that it is not known how it ended: the caller was gone before
        it began, or the line was lost while it goes on.
        """
        ...

    async def dial(self, dial: Dial) -> Dialled:
        """Connect the caller with somebody else, until that end hangs up.

        A call that is not answered yet is answered when the other end answers. A caller who hangs up ends both.
        """
        ...

    async def set_language(self, language: str) -> None:
        """Say everything from here on in `language` (`en`, `zh` …)."""

    async def hangup(self, cause: str) -> None:
        """End the call, with the cause named as in `ivr.outcome.HangUpCause`."""

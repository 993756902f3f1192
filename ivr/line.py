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
from typing import Generic, Protocol, TypeVar

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

    async def set_language(self, language: str) -> None:
        """Say everything from here on in `language` (`en`, `zh` …)."""

    async def hangup(self, cause: str) -> None:
        """End the call, with the cause named as in `ivr.outcome.HangUpCause`."""

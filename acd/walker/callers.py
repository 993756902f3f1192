"""Callers of the terminal's line: one who follows a script, one who sits at a keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ivr.line import KEYS, LineHungUp

__all__ = ["HANG_UP", "TIMEOUT", "Caller", "KeyboardCaller", "ScriptError", "ScriptedCaller", "parse_script"]

TIMEOUT = "timeout"
HANG_UP = "hangup"

SCRIPT_ITEMS_MAX = 10_000
_KEYS = re.compile(rf"[{re.escape(KEYS)}]{{1,64}}", re.IGNORECASE)


class ScriptError(ValueError):
    """A script cannot be followed; the text names the item."""


def parse_script(text: str) -> tuple[str, ...]:
    """The items of a script such as ``1,12345678#,timeout,hangup``: keys, ``timeout`` or ``hangup``.

    Raises:
        ScriptError: an item is none of these.
    """
    items = [item.strip() for item in text.split(",")] if text.strip() else []
    if len(items) > SCRIPT_ITEMS_MAX:
        raise ScriptError(f"more than {SCRIPT_ITEMS_MAX} items")
    for item in items:
        if item not in (TIMEOUT, HANG_UP) and not _KEYS.fullmatch(item):
            raise ScriptError(f"{item!r} is neither keys (0-9, *, #, A-D) nor '{TIMEOUT}' nor '{HANG_UP}'")
    return tuple(item if item in (TIMEOUT, HANG_UP) else item.upper() for item in items)


class Caller(Protocol):
    """Who is at the other end of the line."""

    def press(self, timeout_s: float) -> Sequence[str]:
        """The keys pressed when asked for one, in order; none when the time passes without. More than one are pressed
        at once, so that the further ones are there before they are asked for.

        Raises:
            LineHungUp: the caller hangs up instead.
        """
        ...


class ScriptedCaller:
    """Does what a script says, item by item, each time a key is asked for; then keeps silent."""

    def __init__(self, script: Iterable[str]) -> None:
        self._items = list(script)

    def press(self, timeout_s: float) -> Sequence[str]:  # noqa: ARG002 - how long nobody waits in a script
        """See `Caller`."""
        item = self._items.pop(0) if self._items else TIMEOUT
        if item == HANG_UP:
            raise LineHungUp("the caller hung up")
        return () if item == TIMEOUT else tuple(item)


@dataclass(frozen=True, slots=True)
class KeyboardCaller:
    """Asks a person: a key of the telephone is that key, Enter lets the time pass, ``h`` hangs up.

    ``read`` waits for one character and returns it, or an empty text at the end of input; ``ask`` shows what is asked.
    """

    read: Callable[[], str]
    ask: Callable[[str], None]

    def press(self, timeout_s: float) -> Sequence[str]:
        """See `Caller`."""
        self.ask(f"key within {timeout_s:g} s (Enter: none, h: hang up)? ")
        while True:
            char = self.read()
            if char in ("", "h", "H", "\x03", "\x04"):
                raise LineHungUp("the caller hung up")
            if char in "\r\n":
                return ()
            if char.upper() in KEYS:
                return (char.upper(),)

"""A person at a terminal: keys read one by one, what is heard shown line by line."""

from __future__ import annotations

import os
import termios
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from acd.walker.steps import Json, Step

__all__ = ["keys_of", "printable", "told_end", "told_step"]

_LOCAL_FLAGS = 3
_CONTROL_CHARACTERS = 6


@contextmanager
def keys_of(stream: TextIO) -> Iterator[Callable[[], str]]:
    """Read single keys of a terminal, without Enter and unseen; of a file or pipe its characters.

    At an end of input an empty text is read. In a file, the end of a line that holds keys is no key of its own, so that
    a time-out is an empty line.
    """
    descriptor = stream.fileno()
    if not stream.isatty():
        yield _LineKeys(stream).read
        return
    before = termios.tcgetattr(descriptor)
    own = termios.tcgetattr(descriptor)
    own[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    own[_CONTROL_CHARACTERS][termios.VMIN] = 1
    own[_CONTROL_CHARACTERS][termios.VTIME] = 0
    termios.tcsetattr(descriptor, termios.TCSADRAIN, own)
    try:
        yield lambda: os.read(descriptor, 1).decode("latin-1")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class _LineKeys:
    """The characters of lines; an empty line is one end of line, other ends of lines are left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rest = ""

    def read(self) -> str:
        if not self._rest:
            line = self._stream.readline()
            self._rest = line if line in ("", "\n") else line.rstrip("\n")
        char, self._rest = self._rest[:1], self._rest[1:]
        return char


def printable(text: str) -> str:
    """`text` without anything that a terminal would obey: data of callers and look-ups may hold escape sequences."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def told_step(step: Step) -> str:
    """A step in lines for people; what was heard in it is told already."""
    way = step.outcome + (f" -> {step.to}" if step.to else "")
    pressed = f"key {step.key}, " if step.key else ""
    lines = [f"{step.at}  {step.node} ({step.type or 'unknown'}): {pressed}{way}"]
    lines += [f"    data {name} = {value}" for name, value in step.data.items()]
    lines += [f"    * {act}" for act in step.did]
    lines += [f"    ! {problem}" for problem in step.problems]
    return "\n".join(printable(line) for line in lines)


def told_end(end: Mapping[str, Json]) -> str:
    """What a walk came to, in one line."""
    kind, *rest = end
    details = ", ".join(f"{name} {_told(end[name])}" for name in rest)
    return printable(f"end: {end[kind]}" + (f" ({details})" if details else ""))


def _told(value: Json) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}={each}" for name, each in value.items())
    return str(value)

"""Patterns for texts that come from callers: regular expressions whose cost is bounded.

The standard library's expressions try one way after the other, and a few harmless looking ones take years over a text
of thirty characters. These follow all ways at once (Thompson, *Regular Expression Search Algorithm*, 1968): the time
is at most the length of the text times the size of the pattern, both of which are bounded. No look-around, no
back-references.

Syntax: characters; `.` for any; `[a-z]`, `[^0-9]`; `\\d \\w \\s` and `\\D \\W \\S`; `\\` before a sign that means
something; `( )`, `|`; `*`, `+`, `?`, `{3}`, `{2,}`, `{2,4}`. A pattern has to match the whole text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

PATTERN_LENGTH_MAX = 200
STEPS_MAX = 400
"""Size of a pattern when repetitions are written out."""
_DEPTH_MAX = 20
_REPEATS_MAX = 100

_Test = Callable[[str], bool]
_SPECIAL = frozenset("\\.[]{}()|*+?^$")


class PatternError(ValueError):
    """This is no pattern; the text says what is wrong, in words for the configuration's reader."""


@dataclass(slots=True)
class _Step:
    """One state: a character that passes `test` leads to the next one; without a test `to` are free moves."""

    test: _Test | None = None
    to: tuple[int, ...] = ()


class Pattern:
    """A compiled pattern. Equal if written alike.

    Raises:
        PatternError: it cannot be used.
    """

    __slots__ = ("_steps", "source")

    def __init__(self, source: str) -> None:
        if len(source) > PATTERN_LENGTH_MAX:
            raise PatternError(f"the pattern is longer than {PATTERN_LENGTH_MAX} characters; shorten it")
        self.source = source
        # Patterns hold for the whole text anyway.
        body = source.removeprefix("^")
        body = body[:-1] if body.endswith("$") and not body.endswith("\\$") else body
        self._steps = _Program(_Parser(body).parse()).steps

    def matches(self, text: str) -> bool:
        """Whether the pattern matches the whole text."""
        last = len(self._steps)
        at = self._free({0})
        for char in text:
            at = self._free({step + 1 for step in at if step < last and self._passes(step, char)})
            if not at:
                return False
        return last in at

    def _passes(self, step: int, char: str) -> bool:
        test = self._steps[step].test
        return test is not None and test(char)

    def _free(self, steps: set[int]) -> set[int]:
        """All states that can be had without a character."""
        todo = list(steps)
        while todo:
            step = todo.pop()
            if step < len(self._steps) and self._steps[step].test is None:
                new = [to for to in self._steps[step].to if to not in steps]
                steps.update(new)
                todo.extend(new)
        return steps

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Pattern({self.source!r})"


@dataclass(slots=True)
class _Part:
    """A piece of the parsed pattern: one character, pieces in a row, alternatives, or a repetition."""

    test: _Test | None = None
    row: list[_Part] = field(default_factory=list)
    ways: list[_Part] = field(default_factory=list)
    least: int = 1
    most: int | None = 1


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0

    def parse(self) -> _Part:
        part = self._alternatives()
        if self._at < len(self._source):
            raise PatternError("there is a ')' without '('; remove it, or write '\\)'")
        return part

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _take(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _alternatives(self) -> _Part:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise PatternError(f"there are brackets more than {_DEPTH_MAX} deep; simplify the pattern")
        ways = [self._row()]
        while self._peek() == "|":
            self._take()
            ways.append(self._row())
        self._depth -= 1
        return ways[0] if len(ways) == 1 else _Part(ways=ways)

    def _row(self) -> _Part:
        row: list[_Part] = []
        while self._peek() not in ("", "|", ")"):
            row.append(self._repeated(self._one()))
        return _Part(row=row)

    def _one(self) -> _Part:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "[":
            return _Part(test=self._set())
        if char == ".":
            return _Part(test=lambda _: True)
        if char == "\\":
            return _Part(test=_escaped(self._take()))
        if char in _SPECIAL:
            raise PatternError(f"'{char}' cannot stand here; write '\\{char}' for the sign itself")
        return _Part(test=char.__eq__)

    def _group(self) -> _Part:
        if self._peek() == "?":
            if self._source[self._at : self._at + 2] != "?:":
                raise PatternError("'(?' is not known here; only '(?:' is")
            self._at += 2
        part = self._alternatives()
        if self._take() != ")":
            raise PatternError("a '(' is never closed; add ')'")
        return part

    def _set(self) -> _Test:
        negated = self._peek() == "^"
        if negated:
            self._take()
        tests: list[_Test] = []
        while self._peek() != "]" or not tests:
            if not self._peek():
                raise PatternError("a '[' is never closed; add ']'")
            tests.append(self._member())
        self._take()
        return lambda char: any(test(char) for test in tests) is not negated

    def _member(self) -> _Test:
        first = self._take()
        if first == "\\":
            name = self._take()
            if name and name in "dwsDWS":
                return _escaped(name)
            first = name
        if self._peek() == "-" and self._source[self._at + 1 : self._at + 2] not in ("]", ""):
            self._take()
            last = self._take()
            last = self._take() if last == "\\" else last
            if last < first:
                raise PatternError(f"the range '{first}-{last}' is backwards; write '{last}-{first}'")
            return lambda char: first <= char <= last
        return first.__eq__

    def _repeated(self, part: _Part) -> _Part:
        match self._peek():
            case "*":
                least, most = 0, None
            case "+":
                least, most = 1, None
            case "?":
                least, most = 0, 1
            case "{":
                return self._counted(part)
            case _:
                return part
        self._take()
        return self._not_again(_Part(row=[part], least=least, most=most))

    def _counted(self, part: _Part) -> _Part:
        self._take()
        end = self._source.find("}", self._at)
        least, comma, most = self._source[self._at : end if end >= 0 else None].partition(",")
        if end < 0 or not _is_count(least) or (most and not _is_count(most)):
            raise PatternError("'{' must be followed by how often, such as '{2}', '{2,}' or '{2,4}'")
        self._at = end + 1
        times = _Part(row=[part], least=int(least), most=int(most) if most else (None if comma else int(least)))
        if times.most is not None and times.most < times.least:
            raise PatternError(f"'{{{least},{most}}}' is backwards; exchange the two")
        return self._not_again(times)

    def _not_again(self, part: _Part) -> _Part:
        if self._peek() and self._peek() in "*+?{":
            raise PatternError(f"'{self._peek()}' follows a repetition; put brackets around what is repeated")
        return part


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= _REPEATS_MAX


def _escaped(name: str) -> _Test:
    match name:
        case "d":
            return _is_digit
        case "D":
            return lambda char: not _is_digit(char)
        case "w":
            return _is_word
        case "W":
            return lambda char: not _is_word(char)
        case "s":
            return str.isspace
        case "S":
            return lambda char: not char.isspace()
    if not name or name.isalnum():
        raise PatternError(f"'\\{name}' is not known here; known: \\d, \\w, \\s, \\D, \\W, \\S")
    return name.__eq__


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


class _Program:
    """The states of a parsed pattern, in a row; the end of them is the match."""

    def __init__(self, part: _Part) -> None:
        self.steps: list[_Step] = []
        self._write(part)

    def _add(self, step: _Step) -> int:
        if len(self.steps) >= STEPS_MAX:
            raise PatternError(f"the pattern needs more than {STEPS_MAX} steps; use fewer or smaller repetitions")
        self.steps.append(step)
        return len(self.steps) - 1

    def _write(self, part: _Part) -> None:
        if part.test is not None:
            self._add(_Step(part.test))
        elif part.ways:
            self._write_ways(part.ways)
        elif (part.least, part.most) == (1, 1):
            for piece in part.row:
                self._write(piece)
        else:
            self._write_repeated(part)

    def _write_ways(self, ways: list[_Part]) -> None:
        ends = []
        for way in ways[:-1]:
            fork = self._add(_Step())
            self._write(way)
            ends.append(self._add(_Step()))
            self.steps[fork].to = (fork + 1, len(self.steps))
        self._write(ways[-1])
        for end in ends:
            self.steps[end].to = (len(self.steps),)

    def _write_repeated(self, part: _Part) -> None:
        body = part.row[0]
        for _ in range(part.least):
            self._write(body)
        if part.most is None:
            fork = self._add(_Step())
            self._write(body)
            self._add(_Step(to=(fork,)))
            self.steps[fork].to = (fork + 1, len(self.steps))
            return
        forks = []
        for _ in range(part.most - part.least):
            forks.append(self._add(_Step()))
            self._write(body)
        for fork in forks:
            self.steps[fork].to = (fork + 1, len(self.steps))

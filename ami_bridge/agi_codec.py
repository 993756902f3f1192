"""The gateway protocol (AGI) as bytes: a parser of what Asterisk sends, an encoder of commands. No I/O, no clock.

From Asterisk's ``res/res_agi.c``: on a fresh connection Asterisk writes ``agi_…: value`` lines and an empty line. Then
it answers commands one by one, and at any point it may write a line ``HANGUP``.

Values come from callers, so they are hostile. They can even hold line ends (a SIP address with ``%0A``; seen on
Asterisk 22.10) and so forge lines of the environment. But Asterisk writes its lines in one order, all that a caller
can forge stands behind ``agi_version``, and such a value has at most 79 characters, too few to forge all the lines up
to the arguments. So from there on only the line that must come next counts as a line; any other is a part of the value
before.

Duties of the caller of :class:`AgiParser`: feed every byte once and in order, and make a new parser per connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NoReturn

MAX_ENVIRONMENT_BYTES: Final = 256 * 1024
"""Most bytes of an environment. Asterisk itself sets no limit on a caller's name."""
MAX_ENVIRONMENT_LINES: Final = 1000
"""Most lines of an environment; Asterisk writes about 25, and one per argument."""
MAX_REPLY_BYTES: Final = 256 * 1024
"""Most bytes of one reply."""
MAX_COMMAND_BYTES: Final = 8000
"""Longest command, its line end included, for an Asterisk whose buffer holds 8,192 bytes; see :func:`command_limit`."""
MAX_COMMAND_WORDS: Final = 127
"""Most words of a command (``MAX_ARGS`` in ``res_agi.c``, less its end mark)."""

_OLD_MAX_COMMAND_BYTES: Final = 2000
_ROOMY_SINCE: Final = {20: (16, 0), 21: (11, 0), 22: (6, 0)}
_PREFIX: Final = b"agi_"
_ORDER: Final = (
    "agi_version", "agi_callerid", "agi_calleridname", "agi_callingpres", "agi_callingani2", "agi_callington",
    "agi_callingtns", "agi_dnid", "agi_rdnis", "agi_context", "agi_extension", "agi_priority", "agi_enhanced",
    "agi_accountcode", "agi_threadid", "agi_arg_1",
)  # fmt: skip
_NEXT: Final = dict(pairwise(_ORDER))
_LAST: Final = "agi_threadid"
_ORDERED_LINE: Final = re.compile(r"(agi_[a-z0-9_]+): (.*)", re.DOTALL)
_FORMS: Final = {
    "agi_priority": re.compile(r"\d+"),
    "agi_enhanced": re.compile(r"[01]\.0"),
    "agi_threadid": re.compile(r"-?\d+"),
}
_ENVIRONMENT_LINE: Final = re.compile(r"(agi_[a-z0-9_]+): ?(.*)", re.DOTALL)
_REPLY: Final = re.compile(r"([1-5]\d\d)([ -])(.*)", re.DOTALL)
_RESULT: Final = re.compile(r"result=([^ ]*)(?: \((.*)\))?(.*)", re.DOTALL)
_OPENED: Final = re.compile(r"[1-5]\d\d result=[^ ]* \(")
_CLOSED: Final = re.compile(r"\)(?: (?:endpos|digit|results)=.*)?$")
_ENDPOS: Final = re.compile(r" endpos=(\d+)")
_USAGE_END: Final = "520 End of proper usage."
_PLAIN_WORD: Final = re.compile(r"[A-Za-z0-9_./:@=+*#&|%^~-]+")


class AgiValueError(ValueError):
    """A command cannot be written as AGI: a CR, LF or NUL in it, or more than Asterisk accepts."""


@dataclass(slots=True, frozen=True)
class AgiEnvironment:
    """What Asterisk tells at the start of a session: the values by name (``agi_uniqueid``…), empty ones included."""

    values: Mapping[str, str]
    torn: bool = False
    """Whether a value had line ends in it: a caller tried to forge lines. They have become blanks in the value."""

    @property
    def script(self) -> str:
        """The path of the URL that the dialplan called, without its leading slash and its query."""
        return self.values.get("agi_network_script", "").partition("?")[0]

    @property
    def args(self) -> tuple[str, ...]:
        """The arguments that the dialplan gave behind the URL."""
        args: list[str] = []
        while (value := self.values.get(f"agi_arg_{len(args) + 1}")) is not None:
            args.append(value)
        return tuple(args)


@dataclass(slots=True, frozen=True)
class AgiReply:
    """An answer to a command."""

    code: int
    """200 done, 510 unknown command, 511 channel dead, 520 wrong syntax."""
    result: str = ""
    """What stands behind ``result=``, for most commands a number."""
    value: str | None = None
    """What stands in parentheses behind the result: a variable's value, ``timeout``, ``dtmf``… None without any."""
    endpos: int | None = None
    """Where playing or recording ended, in samples."""
    text: str = ""
    """The whole answer, for logs and errors."""

    @property
    def number(self) -> int:
        """The result as a number; 0 when it is none."""
        try:
            return int(self.result)
        except ValueError:
            return 0

    @property
    def digit(self) -> str:
        """The key that the caller pressed, for commands that answer with its ASCII code; empty when none was."""
        number = self.number
        return chr(number) if 32 < number < 127 else ""


@dataclass(slots=True, frozen=True)
class AgiHangupLine:
    """The line ``HANGUP``: the channel hung up, or left this AGI (a transfer)."""


@dataclass(slots=True, frozen=True)
class AgiStrayLine:
    """A line that is no answer. It is not used for anything."""

    text: str


@dataclass(slots=True, frozen=True)
class AgiFault:
    """What came is no AGI, or over a limit. Nothing of this connection is parsed any more: close it."""

    text: str


AgiItem = AgiEnvironment | AgiReply | AgiHangupLine | AgiStrayLine | AgiFault


class AgiParser:
    """Turns the bytes of one AGI connection into items. Never raises; after an :class:`AgiFault` it gives nothing more.

    What comes out does not depend on how the bytes were cut into reads.
    """

    def __init__(
        self, *, max_environment_bytes: int = MAX_ENVIRONMENT_BYTES, max_reply_bytes: int = MAX_REPLY_BYTES
    ) -> None:
        self._max_environment_bytes = max_environment_bytes
        self._max_reply_bytes = max_reply_bytes
        self._pending = bytearray()
        self._searched = 0
        self._environment: dict[str, str] | None = {}
        self._current = ""
        self._is_torn = False
        self._environment_bytes = 0
        self._environment_lines = 0
        self._partial: list[str] = []
        self._partial_bytes = 0
        self._faulty = False

    def feed(self, data: bytes) -> list[AgiItem]:
        """Take the next bytes, give the items that they complete."""
        items: list[AgiItem] = []
        if self._faulty:
            return items
        pending = self._pending
        pending += data
        end = pending.rfind(b"\n", self._searched)
        if end >= 0:
            lines = bytes(pending[:end]).split(b"\n")
            del pending[: end + 1]
            for line in lines:
                item = self._take_line(line)
                if item is not None:
                    items.append(item)
                if isinstance(item, AgiFault):
                    return items
        self._searched = len(pending)
        fault = self._judge_pending()
        if fault is not None:
            items.append(fault)
        return items

    def _take_line(self, raw: bytes) -> AgiItem | None:
        line = raw.decode("utf-8", "replace").removesuffix("\r")
        if self._environment is not None:
            return self._take_environment_line(self._environment, line, len(raw) + 1)
        if len(raw) + self._partial_bytes > self._max_reply_bytes:
            return self._fault(f"a reply is over {self._max_reply_bytes} bytes")
        return self._take_reply_line(line, len(raw) + 1)

    def _take_environment_line(self, environment: dict[str, str], line: str, size: int) -> AgiItem | None:
        self._environment_bytes += size
        self._environment_lines += 1
        if self._environment_lines > MAX_ENVIRONMENT_LINES:
            return self._fault(f"the environment is over {MAX_ENVIRONMENT_LINES} lines")
        if self._environment_bytes > self._max_environment_bytes:
            return self._fault(f"the environment is over {self._max_environment_bytes} bytes")
        # An environment without a version is not Asterisk's own; then there is no order to hold it to.
        is_ordered = "agi_version" in environment
        if not line and not (is_ordered and _LAST not in environment):
            self._environment = None
            if not environment:
                return self._fault("the environment is empty")
            return AgiEnvironment(MappingProxyType(environment), self._is_torn)
        if is_ordered:
            match = _ORDERED_LINE.fullmatch(line)
            if match is None or not self._is_next(match[1], match[2]):
                self._is_torn = True
                environment[self._current] += f" {line}"
                return None
        else:
            match = _ENVIRONMENT_LINE.fullmatch(line)
            if match is None or match[1] in environment:
                return self._fault(f"not a line of an AGI environment: {line[:80]!r}")
        self._current = match[1]
        environment[self._current] = match[2]
        return None

    def _is_next(self, name: str, value: str) -> bool:
        form = _FORMS.get(name)
        return name == self._next_name() and (form is None or form.fullmatch(value) is not None)

    def _next_name(self) -> str:
        """The name that Asterisk writes behind the current one."""
        current = self._current
        if current.startswith("agi_arg_"):
            return f"agi_arg_{int(current.removeprefix('agi_arg_')) + 1}"
        return _NEXT.get(current, "")

    def _take_reply_line(self, line: str, size: int) -> AgiItem | None:
        partial = self._partial
        if not partial and line == "HANGUP":
            return AgiHangupLine()
        partial.append(line)
        if not self._is_finished(partial[0], line):
            self._partial_bytes += size
            return None
        text = "\n".join(partial)
        partial.clear()
        self._partial_bytes = 0
        return _parse_reply(text)

    def _is_finished(self, first: str, line: str) -> bool:
        """Whether a reply that began with the line `first` ends with `line`."""
        if first.startswith("520-"):
            return line.startswith(_USAGE_END)
        # Else only a value in parentheses can hold line ends.
        return _OPENED.match(first) is None or _CLOSED.search(line) is not None

    def _judge_pending(self) -> AgiFault | None:
        """Hold the limits against a line that has not ended yet."""
        pending = self._pending
        if self._environment is not None:
            head = bytes(pending[: len(_PREFIX)])
            if "agi_version" not in self._environment and not _PREFIX.startswith(head) and head not in (b"\r", b""):
                return self._fault(f"not a line of an AGI environment: {bytes(pending[:80])!r}")
            if self._environment_bytes + len(pending) > self._max_environment_bytes:
                return self._fault(f"the environment is over {self._max_environment_bytes} bytes")
        elif len(pending) + self._partial_bytes > self._max_reply_bytes:
            return self._fault(f"a reply is over {self._max_reply_bytes} bytes")
        return None

    def _fault(self, text: str) -> AgiFault:
        self._faulty = True
        self._pending.clear()
        return AgiFault(text)


def _parse_reply(line: str) -> AgiItem | None:
    match = _REPLY.fullmatch(line)
    if match is None:
        return AgiStrayLine(line)
    code, rest = int(match[1]), match[3]
    if code < 200:
        return None  # "100 …": the answer is still to come
    found = _RESULT.fullmatch(rest)
    if found is None:
        return AgiReply(code, text=line)
    endpos = _ENDPOS.search(found[3])
    return AgiReply(code, found[1], found[2], int(endpos[1]) if endpos else None, line)


def encode_command(*words: str, max_bytes: int = MAX_COMMAND_BYTES) -> bytes:
    """Write a command; the first word may hold several (``SET VARIABLE``), each further one is one argument as it is.

    Arguments are quoted so that ``parse_args`` in ``res_agi.c`` reads back the same text. Raises
    :class:`AgiValueError` for a CR, LF or NUL, for half a surrogate pair, and for what Asterisk would cut. Quoting
    protects the AGI command only: commas, parentheses and the like inside an argument of a dialplan application keep
    their meaning there.
    """
    if not words or not words[0].strip():
        raise AgiValueError("an AGI command needs a name")
    parts = words[0].split(" ") + [_quote(word) for word in words[1:]]
    if len(parts) > MAX_COMMAND_WORDS:
        raise AgiValueError(f"AGI command {words[0]!r} has {len(parts)} words, Asterisk accepts {MAX_COMMAND_WORDS}")
    line = " ".join(parts)
    if "\r" in line or "\n" in line or "\0" in line:
        _refuse(words[0], "holds CR, LF or NUL")
    try:
        encoded = line.encode() + b"\n"
    except UnicodeEncodeError:
        _refuse(words[0], "is not valid text (half of a surrogate pair)")
    if len(encoded) > max_bytes:
        _refuse(words[0], f"is {len(encoded)} bytes, Asterisk accepts {max_bytes}")
    return encoded


def _quote(word: str) -> str:
    if _PLAIN_WORD.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _refuse(command: str, why: str) -> NoReturn:
    raise AgiValueError(f"AGI command {command[:80]!r} {why}") from None


def command_limit(asterisk_version: str) -> int:
    """Longest command in bytes, line end included, that this Asterisk (``agi_version``) takes in one piece.

    Its buffer was 2,048 bytes and became 8,192 in 20.16, 21.11, 22.6 and 23; what is longer is cut, and its rest taken
    as a command of its own.
    """
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", asterisk_version)
    if match is None:
        return _OLD_MAX_COMMAND_BYTES
    major, minor, patch = int(match[1]), int(match[2]), int(match[3] or 0)
    roomy = major > 22 or (minor, patch) >= _ROOMY_SINCE.get(major, (10**6, 0))
    return MAX_COMMAND_BYTES if roomy else _OLD_MAX_COMMAND_BYTES

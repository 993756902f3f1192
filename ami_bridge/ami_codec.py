"""The manager protocol (AMI) as bytes: a parser of what Asterisk sends, an encoder of what we send. No I/O, no clock.

Wire format, from Asterisk's ``main/manager.c``: one banner line, then messages. A message is a run of ``Name: value``
lines each ended by CR LF, and ends at an empty line. Names and variables in channel descriptions are C-escaped by
Asterisk (:func:`unescape`), numbers are not: see :mod:`ami_bridge.ami_guard`. Any value may hold a lone LF.

Duties of the caller of :class:`AmiParser`: feed every byte once and in order, and make a new parser per connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Final, NoReturn

from ami_bridge.ami_guard import MAX_TORN_MESSAGES, MAX_TORN_PIECES, is_end_only, is_sound, mend

BANNER_PREFIX: Final = b"Asterisk Call Manager/"
MAX_LINE_BYTES: Final = 64 * 1024
"""Longest line accepted from Asterisk, in bytes. Far above any header that Asterisk writes."""
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""Longest message accepted from Asterisk, in bytes. A ``Command`` reply with a whole dialplan in it stays below."""
MAX_ACTION_LINE_BYTES: Final = 1022
"""Longest line that Asterisk accepts, without its end, in bytes (``inbuf[1025]`` in ``manager.c``, 16 to 23)."""
MAX_ACTION_HEADERS: Final = 128
"""Most lines in an action (``AST_MAX_MANHEADERS`` in ``manager.h``)."""

_END: Final = b"\r\n\r\n"
_EOL: Final = b"\r\n"
_MAX_BANNER_BYTES: Final = 256
_MEMO_ENTRIES: Final = 16_384
_MEMO_LINE_BYTES: Final = 256
_MAX_SHAPES: Final = 1024
_MAX_SHAPE_NAMES: Final = 128
_ESCAPES: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip

HeaderValue = str | int | Sequence[str]
"""A header to send: text, a number, or several texts for a header that is repeated (``Variable``)."""


class AmiValueError(ValueError):
    """An action cannot be written as AMI: a CR, LF or NUL in it, a bad name, or more than Asterisk accepts."""


class AmiMessage(dict[str, str]):
    """One event or reply: its headers by name, spelled as Asterisk spells them.

    Of a header that occurs more than once (``ChanVariable``, ``Variable``, ``Output``) the mapping holds the last value
    and :meth:`all` every one.
    """

    __slots__ = ()

    @property
    def is_event(self) -> bool:
        """Whether this is an event, not a reply. (``OriginateResponse``, an event, has a ``Response`` header too.)"""
        return "Event" in self

    @property
    def event(self) -> str:
        """The event's name, empty for a reply."""
        return self.get("Event", "")

    @property
    def response(self) -> str:
        """``Success``, ``Error``, ``Goodbye``…; empty when there is none."""
        return self.get("Response", "")

    @property
    def action_id(self) -> str:
        """The ActionID of the action that this answers, or empty."""
        return self.get("ActionID", "")

    def all(self, name: str) -> list[str]:
        """All values of a header in the order of the wire; empty when it does not occur."""
        value = self.get(name)
        return [] if value is None else [value]


class _RepeatingMessage(AmiMessage):
    """A message in which at least one header occurs more than once."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def all(self, name: str) -> list[str]:
        """All values of a header in the order of the wire; empty when it does not occur."""
        return [value for header, value in self._pairs if header == name]


class _Malformed(Exception):
    """A line is not ``Name: value``."""


class _LineMemo(dict[bytes, tuple[str, str]]):
    """Header lines already decoded and split.

    Most lines of a call's events repeat those of the event before it (channel, caller, context…), so looking one up is
    cheaper than splitting it again, and equal headers share memory. Bounded: emptied when full; long lines are not kept
    at all.
    """

    __slots__ = ()

    def __missing__(self, line: bytes) -> tuple[str, str]:
        name, separator, value = _decode(line).partition(": ")
        if not separator or not name:
            raise _Malformed
        pair = (intern(name), value)
        if len(line) <= _MEMO_LINE_BYTES:
            if len(self) >= _MEMO_ENTRIES:
                self.clear()
            self[line] = pair
        return pair


class AmiParser:
    """Turns the bytes of one AMI connection into messages. Never raises, whatever it is fed.

    What it cannot use is dropped and counted in :attr:`garbage`: a line that is no header, a message that is neither
    event nor reply, an event with neither ``Privilege`` (as every event for all has) nor ``ActionID`` (as every event
    of a list has), a line or a message over its limit. Events that a caller tore apart are put together again. What
    comes out does not depend on how the bytes were cut into reads (but for one case: an event whose end is forged by
    the dialled number is only found out when its own end comes in the same read, as Asterisk writes it).
    """

    def __init__(self, *, max_line_bytes: int = MAX_LINE_BYTES, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.garbage = 0
        """Lines and messages dropped so far."""
        self.forged = 0
        """Events so far out of which lines were cut that a caller had put there."""
        self.banner: str | None = None
        """The greeting (``Asterisk Call Manager/11.0.0``), None if there was none so far. It may be missing."""
        self._max_line_bytes = max_line_bytes
        self._max_message_bytes = max(max_message_bytes, max_line_bytes)
        self._pending = bytearray()
        self._greeted = False
        self._skipping = False
        self._torn: list[list[str]] = []
        self._is_guarding = True
        # Sequences of header names found right. The messages of a kind have few, so most are found right at once.
        self._shapes: set[tuple[str, ...]] = set()
        self._memo = _LineMemo()

    def feed(self, data: bytes) -> list[AmiMessage]:
        """Take the next bytes, give the messages that they complete."""
        pending = self._pending
        if not self._greeted:
            pending += data
            if not self._take_banner():
                return []
            data = bytes(pending)
            pending.clear()
        if not pending:
            end = data.rfind(_END)
            if end >= 0:
                pending += data[end + 4 :]
                return self._parse(data[:end])
            pending += data
        else:
            searched = max(len(pending) - 3, 0)
            pending += data
            end = pending.rfind(_END, searched)
            if end >= 0:
                complete = bytes(pending[:end])
                del pending[: end + 4]
                return self._parse(complete)
        self._limit_pending()
        return []

    def _take_banner(self) -> bool:
        """Recognise the greeting at the head of the stream; False while more bytes are needed to tell."""
        pending = self._pending
        head = bytes(pending[: len(BANNER_PREFIX)])
        if not BANNER_PREFIX.startswith(head):
            self._greeted = True  # no greeting: whatever it is, it is judged as messages
            return True
        end = pending.find(_EOL, 0, _MAX_BANNER_BYTES)
        if end < 0 and len(pending) < _MAX_BANNER_BYTES:
            return False
        self._greeted = True
        if end >= 0:
            self.banner = pending[:end].decode("utf-8", "replace")
            del pending[: end + 2]
        return True

    def _limit_pending(self) -> None:
        """Give up a message that has outgrown its limit: its bytes are dropped until the next empty line."""
        pending = self._pending
        # The slack covers an end of message cut in two and blank lines ahead of the message.
        if not self._skipping and len(pending) > self._max_message_bytes + 16:
            self._skipping = True
            self.garbage += 1
        if self._skipping:
            del pending[:-3]

    def _parse(self, complete: bytes) -> list[AmiMessage]:
        """Parse a run of whole messages, given without the last one's end."""
        if self._skipping:
            self._skipping = False
            _, found, complete = complete.partition(_END)
            if not found:
                return []
        blocks = complete.split(_END)
        messages: list[AmiMessage] = []
        # Only in a long run can a line be over the limit.
        if len(complete) > self._max_line_bytes and max(map(len, blocks)) > self._max_line_bytes:
            blocks = [self._limit(block) if len(block) > self._max_line_bytes else block for block in blocks]
        append, memo, shapes = messages.append, self._memo.__getitem__, self._shapes
        lines: list[bytes] = []
        for block in blocks:
            before, lines = lines, block.split(_EOL)
            try:
                message = AmiMessage(map(memo, lines))
            except _Malformed:
                self._parse_odd(_decode_all(lines), messages, before)
                continue
            if len(message) == len(lines):
                if tuple(message) in shapes and not self._torn:
                    append(message)
                    continue
            else:
                pairs = [memo(line) for line in lines]
                if tuple([name for name, _ in pairs]) in shapes and not self._torn:
                    append(_RepeatingMessage(pairs))
                    continue
            self._parse_odd(_decode_all(lines), messages, before)
        return messages

    def _limit(self, block: bytes) -> bytes:
        """What the limits leave of a large message."""
        block = block.removeprefix(_EOL).removesuffix(_EOL)
        if len(block) > self._max_message_bytes:
            self.garbage += 1
            return b""
        lines = block.split(_EOL)
        kept = [line for line in lines if len(line) <= self._max_line_bytes]
        self.garbage += len(lines) - len(kept)
        return _EOL.join(kept)

    def _parse_odd(self, lines: list[str], messages: list[AmiMessage], before: list[bytes]) -> None:
        """Parse a message not known to be right: of a new shape, torn, or with lines that are no headers.

        `before` are the lines ahead of it in this read.
        """
        is_clean = all(lines)
        if not is_clean:
            lines = [line for line in lines if line]  # more than one empty line between two messages
        if not lines:
            return
        if self._torn and self._is_continued(lines, messages):
            return
        if self._is_guarding and messages and is_end_only(lines) and messages[-1] == dict(_split(_decode_all(before))):
            # What was taken for an event's end was forged: this is it.
            messages.pop()
            self._torn = [_decode_all(before), lines]
            return
        used = lines
        if self._is_guarding and lines[0].startswith("Event: "):
            mended = mend(lines)
            if mended is None:
                self._torn = [lines]
                return
            used = mended
            self.forged += len(used) < len(lines)
        if self._take(used, messages) and is_clean and used == lines and "Event" in messages[-1]:
            self._remember_shape(lines)

    def _is_continued(self, lines: list[str], messages: list[AmiMessage]) -> bool:
        """Whether a torn event goes on with these lines. If it does not, it is taken."""
        blocks = self._torn
        mended = mend([line for block in blocks for line in block])
        sound = is_sound(lines)
        if mended is None or not sound:
            blocks.append(lines)
            if len(blocks) > MAX_TORN_PIECES or sum(map(is_sound, blocks)) > MAX_TORN_MESSAGES:
                self._stop_guarding(messages)
            return True
        self._torn = []
        self.forged += 1
        self._take(mended, messages)
        return False

    def _stop_guarding(self, messages: list[AmiMessage]) -> None:
        """Take everything as it stands: no caller can tear so much, so this Asterisk writes channels in another way."""
        blocks, self._torn = self._torn, []
        self._is_guarding = False
        for block in blocks:
            self._take(block, messages)

    def _take(self, lines: list[str], messages: list[AmiMessage]) -> bool:
        """Make a message of these lines; gives whether all of them were used."""
        pairs = _split(lines)
        self.garbage += len(lines) - len(pairs)
        message = AmiMessage(pairs)
        if not ("Response" in message or ("Event" in message and ("Privilege" in message or "ActionID" in message))):
            self.garbage += bool(pairs)
            return False
        messages.append(message if len(message) == len(pairs) else _RepeatingMessage(pairs))
        return len(lines) == len(pairs)

    def _remember_shape(self, lines: list[str]) -> None:
        if len(lines) <= _MAX_SHAPE_NAMES:
            if len(self._shapes) >= _MAX_SHAPES:
                self._shapes.clear()
            self._shapes.add(tuple([intern(line.partition(": ")[0]) for line in lines]))


def _decode(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("utf-8", "replace")


def _decode_all(lines: list[bytes]) -> list[str]:
    return [_decode(line) for line in lines]


def _split(lines: list[str]) -> list[tuple[str, str]]:
    """Name and value of each line that is a header."""
    pairs: list[tuple[str, str]] = []
    for line in lines:
        name, separator, value = line.partition(": ")
        if not separator:
            name, separator, value = line.partition(":")
        if separator and name:
            pairs.append((name, value))
    return pairs


def encode_action(action: str, headers: Mapping[str, HeaderValue] | None = None, action_id: str = "") -> bytes:
    """Write an action as bytes; a header whose value is a sequence is repeated, once for each item.

    Raises :class:`AmiValueError`, naming the header but not its value (it may be a secret), for what would let a value
    become a header or an action of its own, or what Asterisk would cut or refuse.
    """
    lines = [_encode_line("Action", action)]
    if action_id:
        lines.append(_encode_line("ActionID", action_id))
    for name, value in (headers or {}).items():
        if isinstance(value, str | int):
            lines.append(_encode_line(name, value))
        else:
            lines.extend(_encode_line(name, item) for item in value)
    if len(lines) > MAX_ACTION_HEADERS:
        raise AmiValueError(f"action {action!r} has {len(lines)} lines, Asterisk accepts {MAX_ACTION_HEADERS}")
    lines.append(b"\r\n")
    return b"".join(lines)


def _encode_line(name: str, value: str | int) -> bytes:
    if not name or ":" in name or name != name.strip():
        raise AmiValueError(f"{name!r} is not a header name")
    line = f"{name}: {value}"
    if "\r" in line or "\n" in line or "\0" in line:
        _refuse(name, "holds CR, LF or NUL")
    try:
        encoded = line.encode()
    except UnicodeEncodeError:
        _refuse(name, "is not valid text (half of a surrogate pair)")
    if len(encoded) > MAX_ACTION_LINE_BYTES:
        _refuse(name, f"is {len(encoded)} bytes as a line, Asterisk accepts {MAX_ACTION_LINE_BYTES}")
    return encoded + _EOL


def _refuse(name: str, why: str) -> NoReturn:
    raise AmiValueError(f"value of header {name!r} {why}") from None


def unescape(value: str) -> str:
    """Undo the C escapes (``ast_escape_c`` in ``main/utils.c``) that Asterisk puts into names and variables in events.

    A backslash before any other character stays as it is.
    """
    if "\\" not in value:
        return value
    out: list[str] = []
    characters = iter(value)
    for character in characters:
        if character != "\\":
            out.append(character)
            continue
        escaped = next(characters, "")
        out.append(_ESCAPES.get(escaped, "\\" + escaped))
    return "".join(out)

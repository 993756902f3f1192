"""SIP messages out of SIPp's message trace, with SIPp's own time stamps. No I/O here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

# ----------------------------------------------- 2026-11-21T20:40:28.338105+0000
# UDP message received [519] bytes:
_RECORD = re.compile(
    rb"-{47} ([0-9T:.+Z-]+)\n(?:\w+ )?(?:control )?message (received|sent) ?\[(\d+)\] bytes ?:\n\n", re.ASCII
)
# A header of a record that is not complete yet is at most this long.
_LONGEST_HEADER = 160
COMPACT_NAMES = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
_USER = re.compile(r"sips?:([^@>;]*)@")


@dataclass(frozen=True)
class SipMessage:
    """One SIP message as SIPp sent or received it. ``time_s`` is seconds since the Unix epoch by SIPp's clock."""

    time_s: float
    sent: bool
    text: str

    @cached_property
    def first_line(self) -> str:
        """Request line or status line."""
        return self.text.split("\r\n", 1)[0]

    @cached_property
    def method(self) -> str | None:
        """The request's method; None for a response."""
        return None if self.status is not None else self.first_line.split(" ", 1)[0]

    @cached_property
    def status(self) -> int | None:
        """The response's status code; None for a request."""
        words = self.first_line.split(" ", 2)
        return int(words[1]) if words[0] == "SIP/2.0" and len(words) > 1 and words[1].isdigit() else None

    @cached_property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names (lower case, long form) and values, in order."""
        head = self.text.split("\r\n\r\n", 1)[0]
        found = []
        for line in head.split("\r\n")[1:]:
            name, colon, value = line.partition(":")
            if colon:
                name = name.strip().lower()
                found.append((COMPACT_NAMES.get(name, name), value.strip()))
        return tuple(found)

    def header(self, name: str) -> str:
        """The first value of a header, empty when there is none."""
        return next((value for known, value in self.headers if known == name.lower()), "")

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.header("call-id")

    @property
    def cseq_method(self) -> str:
        """The method in CSeq: what a response answers to."""
        return self.header("cseq").partition(" ")[2].strip()

    @property
    def cseq(self) -> int:
        """The number in CSeq, 0 when there is none."""
        number = self.header("cseq").partition(" ")[0]
        return int(number) if number.isdigit() else 0

    @property
    def from_user(self) -> str:
        """The user of the From address."""
        return _user(self.header("from"))

    @property
    def to_user(self) -> str:
        """The user of the To address."""
        return _user(self.header("to"))

    @property
    def uri_user(self) -> str:
        """The user of the request URI, empty in a response."""
        return "" if self.method is None else _user(self.first_line)

    @property
    def body(self) -> str:
        """What follows the headers, such as SDP."""
        return self.text.partition("\r\n\r\n")[2]

    def media_address(self) -> tuple[str, int] | None:
        """Where the sender of this message wants its media, by its SDP; None without any."""
        address = re.search(r"^c=IN IP4 (\S+)", self.body, re.MULTILINE)
        port = re.search(r"^m=audio (\d+) ", self.body, re.MULTILINE)
        return (address.group(1), int(port.group(1))) if address and port else None

    def is_request(self, method: str, *, sent: bool | None = None) -> bool:
        """Whether this is a request of that method (and direction)."""
        return self.method == method and (sent is None or self.sent == sent)

    def is_response(self, status: int, cseq_method: str = "INVITE", *, sent: bool | None = None) -> bool:
        """Whether this is that response to that method (and in that direction)."""
        return self.status == status and self.cseq_method == cseq_method and (sent is None or self.sent == sent)

    def __str__(self) -> str:
        moment = datetime.fromtimestamp(self.time_s).astimezone().strftime("%H:%M:%S.%f")[:-3]
        about = f" ({self.cseq_method})" if self.status is not None else ""
        return f"{moment} {'->' if self.sent else '<-'} {self.first_line}{about} [{self.call_id}]"


class TraceParser:
    """Cuts SIPp's trace into messages. Bytes that belong to no message (SIPp's remarks) are skipped."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[SipMessage]:
        """The messages completed by ``data``."""
        self._buffer += data
        messages: list[SipMessage] = []
        while (found := _RECORD.search(self._buffer)) is not None:
            end = found.end() + int(found.group(3))
            if len(self._buffer) < end:
                return messages
            text = self._buffer[found.end() : end].decode(errors="replace")
            time_s = datetime.fromisoformat(found.group(1).decode()).timestamp()
            messages.append(SipMessage(time_s, found.group(2) == b"sent", text))
            self._buffer = self._buffer[end:]
        self._buffer = self._buffer[-_LONGEST_HEADER:]
        return messages


def _user(text: str) -> str:
    found = _USER.search(text)
    return found.group(1) if found else ""

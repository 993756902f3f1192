"""Events that a caller has torn apart: how they are recognised and put together again. No I/O.

Asterisk writes a caller's number, and the number that was dialled, into its events as they are, and a SIP address may
hold ``%0D%0A``. So any caller can end a header, or a whole event, and let headers and events of his own follow (seen
on Asterisk 22.10: ``From: <sip:1%0D%0A%0D%0AEvent%3A…>``). What saves us is that the rest of the real event always
follows, and that such a value is at most 79 characters long (``AST_CHANNEL_NAME``, ``AST_MAX_EXTENSION``):

- The headers of a channel description are known. Their names leave no room for a useful event beside them, so a torn
  description is seen as torn, and it is whole again only with its own end.
- What stands between a header that can be torn and the last one of the name that must follow it is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MAX_TORN_CHARS: Final = 8192
"""Most that is collected of a torn event before it is given up."""

_FIRST: Final = "ChannelStateDesc"
"""A header that only channel descriptions have, ahead of what can be torn. A prefix (``Dest``) tells them apart."""
_REST: Final = (
    "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName", "Language", "AccountCode",
    "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
)  # fmt: skip
"""What follows it (``ast_manager_build_channel_state_string_prefix``, the same in Asterisk 16 to 23)."""
_FOLLOWERS: Final = {"CallerIDNum": "CallerIDName", "ConnectedLineNum": "ConnectedLineName", "Exten": "Priority"}
"""The headers that can be torn, and what Asterisk writes behind them."""


def is_whole(names: Sequence[str]) -> bool:
    """Whether every channel description among these header names is there to its end, in order and without a gap."""
    for position, name in enumerate(names):
        if name.endswith(_FIRST):
            prefix = name.removesuffix(_FIRST)
            expected = [prefix + rest for rest in _REST]
            if list(names[position + 1 : position + 1 + len(_REST)]) != expected:
                return False
    return True


def cut_forged(lines: list[str]) -> list[str]:
    """The lines of an event without those between a header that can be torn and the last that can follow it."""
    kept: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        kept.append(line)
        position += 1
        name, _, _ = line.partition(": ")
        for torn, follower in _FOLLOWERS.items():
            if name.endswith(torn):
                position = _last_start(lines, name.removesuffix(torn) + follower + ": ", position)
                break
    return kept


def _last_start(lines: list[str], start: str, position: int) -> int:
    """Where the last line with this start is, from `position` on; `position` when there is none."""
    for index in range(len(lines) - 1, position - 1, -1):
        if lines[index].startswith(start):
            return index
    return position

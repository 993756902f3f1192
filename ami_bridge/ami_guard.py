"""Events that a caller has torn apart: how they are recognised and put together again. No I/O.

Asterisk writes a caller's number, and the number that was dialled, into its events as they are, and a SIP address may
hold ``%0D%0A``. So any caller can end a header, or a whole event, and let headers and events of his own follow (seen
on Asterisk 22.10: ``From: <sip:1%0D%0A%0D%0AEvent%3A…>``). Two facts help: the rest of the real event always follows,
and such a value has at most 79 characters (``AST_CHANNEL_NAME``, ``AST_MAX_EXTENSION``).

A channel description is a fixed run of headers. Three of them can be torn, and cut the run into pieces; within a piece
the headers stand side by side. Looking for whole pieces finds the real ones whatever stands between them, and 79
characters do not hold what would end a description and begin an event that looks real.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MAX_TORN_MESSAGES: Final = 24
"""More than callers' values can hold of what looks like messages; so much without an end is no torn event."""
MAX_TORN_PIECES: Final = 128
"""More than callers' values can hold of any pieces between empty lines."""

# The headers of a channel description, behind an optional prefix (``Dest``), cut behind those that can be torn.
# From ast_manager_build_channel_state_string_prefix in main/manager_channels.c, the same in Asterisk 16 to 23.
_HEAD: Final = ("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum")
_NAMES: Final = ("CallerIDName", "ConnectedLineNum")
_PLACE: Final = ("ConnectedLineName", "Language", "AccountCode", "Context", "Exten")
_IDENTITY: Final = ("Priority", "Uniqueid", "Linkedid")
_MARKER: Final = _HEAD[2]
_SHORTEST_EVENT_NAME: Final = 3


def mend(lines: list[str]) -> list[str] | None:
    """An event's lines without what a caller put between them; None when a channel description has no end (yet).

    An event that nobody touched comes back as it is.
    """
    kept: list[str] = []
    position = 0
    while (head := _find_head(lines, position)) is not None:
        start, prefix = head
        kept += lines[position : start + len(_HEAD)]
        end = _mend_description(lines, start + len(_HEAD), prefix, kept)
        if end is None:
            return None
        position = end
    return kept + lines[position:]


def is_sound(lines: Sequence[str]) -> bool:
    """Whether a message begins as Asterisk begins one; no caller has room for that behind a forged end of an event."""
    if len(lines) < 2:
        return False
    first, second = lines[0], lines[1]
    if first.startswith("Response: "):
        return second.startswith("ActionID: ") and second != "ActionID: "
    name = first.removeprefix("Event: ")
    return first != name and len(name) >= _SHORTEST_EVENT_NAME and second.startswith(("Privilege: ", "ActionID: "))


def is_end_only(lines: list[str]) -> bool:
    """Whether this is no message but the end of one: what follows when a caller has forged an end ahead of it."""
    if is_sound(lines) or lines[0].startswith("Response: "):
        return False
    suffix = f"{_IDENTITY[-1]}: "
    prefixes = {line.partition(suffix)[0] for line in lines if suffix in line}
    return any(_find_piece(lines, 0, prefix, _IDENTITY) is not None for prefix in prefixes)


def _mend_description(lines: list[str], position: int, prefix: str, kept: list[str]) -> int | None:
    """Keep the pieces of the description whose head ends at `position`; gives where the event goes on."""
    names = _find_piece(lines, position, prefix, _NAMES)
    if names is None:
        return None
    place = _find_piece(lines, names + len(_NAMES), prefix, _PLACE)
    if place is None:
        return None
    behind = place + len(_PLACE)
    identity = _find_piece(lines, behind, prefix, _IDENTITY)
    if identity is None:
        return None
    # The dialled number may hold a forged identity. The real one is the last ahead of the next description.
    next_head = _find_head(lines, behind)
    limit = len(lines) if next_head is None else next_head[0]
    while (later := _find_piece(lines, identity + 1, prefix, _IDENTITY)) is not None and later < limit:
        identity = later
    for start, piece in ((names, _NAMES), (place, _PLACE), (identity, _IDENTITY)):
        kept += lines[start : start + len(piece)]
    return identity + len(_IDENTITY)


def _find_head(lines: list[str], position: int) -> tuple[int, str] | None:
    """Where the next description begins, and the prefix of its headers."""
    for index in range(position, len(lines) - len(_HEAD) + 1):
        name, found, _ = lines[index + 2].partition(_MARKER + ": ")
        if found and _stands_at(lines, index, name, _HEAD):
            return index, name
    return None


def _find_piece(lines: list[str], position: int, prefix: str, piece: tuple[str, ...]) -> int | None:
    """Where the headers of a piece stand side by side, from `position` on."""
    for index in range(position, len(lines) - len(piece) + 1):
        if _stands_at(lines, index, prefix, piece) and (piece is not _IDENTITY or _is_identity(lines, index)):
            return index
    return None


def _stands_at(lines: list[str], index: int, prefix: str, piece: tuple[str, ...]) -> bool:
    return all(lines[index + offset].startswith(f"{prefix}{name}: ") for offset, name in enumerate(piece))


def _is_identity(lines: list[str], index: int) -> bool:
    priority, uniqueid, linkedid = (lines[index + offset].partition(": ")[2] for offset in range(3))
    return priority.isdigit() and bool(uniqueid) and bool(linkedid)

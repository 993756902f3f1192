"""What must survive the engine: written on the caller's own channel, read when the caller comes in again.

The channel variable ``ACD_CALL`` holds the call's id, ``ACD_STATE`` the rest as one line of URL-encoded ``key=value``
pairs behind a version, so nothing in it can mean anything to Asterisk. Times are wall-clock seconds: the engine's own
clock does not survive it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, quote_plus

from acd.service.stored_walk import MOST_MENUS, StoredWalk

__all__ = [
    "CALLED_BACK_VARIABLE",
    "CALL_VARIABLE",
    "STATE_VARIABLE",
    "CallPhase",
    "CallStateError",
    "StoredCall",
    "is_call_id",
]

CALL_VARIABLE = "ACD_CALL"
STATE_VARIABLE = "ACD_STATE"
CALLED_BACK_VARIABLE = "ACD_CALLED_BACK"
"""``CALL|QUEUE`` on the channel of a customer whom an agent has called back: an engine after us finds the talk by it.

Not ``ACD_CALL``: who is called has no place in our dialplan, even if the number is one of ours.
"""

_VERSION = "1"
_PLAIN = re.compile(r"[A-Za-z0-9_.-]*")
_CALL_ID = re.compile(r"[A-Za-z0-9-]{1,40}")
_MOST_CHARS = 1500
"""What does not fit (the end, see ``stored_walk``) is not kept: an AGI line of an older Asterisk holds 2,000 bytes."""


class CallStateError(ValueError):
    """The variable does not hold a state of ours."""


class CallPhase(StrEnum):
    """Where the caller was."""

    MENU = "menu"
    DIALLED = "dialled"
    """Connected with somebody who is no agent, or about to be; which of them is told by DIALSTATUS."""
    QUEUE = "queue"
    """Waiting, ringing or talking; which of them is told by Asterisk's own DIALSTATUS and bridges."""
    SERVED = "served"
    """Has talked to an agent; never written, found out from DIALSTATUS."""


def is_call_id(text: str) -> bool:
    """Tell whether a text could be a call's id; what comes from a channel is not to be trusted."""
    return _CALL_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """One call as its channel remembers it."""

    phase: CallPhase
    arrived_at: float
    """Wall-clock seconds (UNIX time)."""
    node: str = ""
    """In the menus: where to go on. In a queue: where to go on after the talk; empty: hang up."""
    language: str = ""
    dialled: str = ""
    queue: str = ""
    entered_at: float = 0.0
    """When the caller entered the queue, wall-clock seconds."""
    priority: int = 0
    requires: Mapping[str, int] = field(default_factory=dict)
    customer: str = ""
    agent: str = ""
    """The agent who is first offered the call; with ``again``: the only one."""
    caller: str = ""
    """The customer's number, where the channel does not tell it: we have called."""
    again: str = ""
    """The node that is visited again if nobody has answered: one that asked for an agent, or dialled."""
    menus: tuple[str, ...] = ()
    """The way down the menus, for `back` and `top`."""
    walk: StoredWalk = field(default_factory=StoredWalk)
    """The subtrees under way, and what nodes gave the call."""
    known: Mapping[str, str] = field(default_factory=dict)
    """What a look-up has told of the caller."""
    data: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> str:
        """Write the state as a variable's value."""
        pairs: list[tuple[str, str]] = [("ph", self.phase.value), ("at", f"{self.arrived_at:.3f}")]
        pairs += [
            (key, value)
            for key, value in (
                ("n", self.node),
                ("l", self.language),
                ("to", self.dialled),
                ("q", self.queue),
                ("c", self.customer),
                ("g", self.agent),
                ("f", self.caller),
                ("a", self.again),
            )
            if value
        ]
        if self.queue:
            pairs.append(("t", f"{self.entered_at:.3f}"))
        if self.priority:
            pairs.append(("p", str(self.priority)))
        pairs += [(f"r.{skill}", str(level)) for skill, level in self.requires.items()]
        pairs += [("m", " ".join(self.menus[-MOST_MENUS:]))] if self.menus else []
        pairs += self.walk.pairs()
        pairs += [(f"k.{name}", value) for name, value in self.known.items()]
        pairs += [(f"d.{name}", value) for name, value in self.data.items()]
        encoded = [_VERSION, *(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs)]
        room = _MOST_CHARS - sum(len(part) + 1 for part in encoded)
        while room < 0:
            room += len(encoded.pop()) + 1
        return "&".join(encoded)

    @classmethod
    def decode(cls, text: str) -> StoredCall:
        """Read a variable's value.

        Raises:
            CallStateError: it is not one of ours, or of another version.
        """
        version, _, encoded = text.partition("&")
        if version != _VERSION:
            raise CallStateError(f"version {version[:10]!r} is not {_VERSION}")
        try:
            pairs = dict(
                parse_qsl(encoded, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=500)
            )
            return cls(
                phase=CallPhase(pairs["ph"]),
                arrived_at=_seconds(pairs["at"]),
                node=pairs.get("n", ""),
                language=pairs.get("l", ""),
                dialled=pairs.get("to", ""),
                queue=pairs.get("q", ""),
                entered_at=_seconds(pairs.get("t", "0")),
                priority=int(pairs.get("p", "0")),
                requires={key[2:]: int(level) for key, level in pairs.items() if key.startswith("r.")},
                customer=pairs.get("c", ""),
                agent=pairs.get("g", ""),
                caller=pairs.get("f", ""),
                again=pairs.get("a", ""),
                menus=tuple(pairs.get("m", "").split()),
                walk=StoredWalk.from_pairs(pairs),
                known={key[2:]: value for key, value in pairs.items() if key.startswith("k.")},
                data={key[2:]: value for key, value in pairs.items() if key.startswith("d.")},
            )
        except KeyError as error:
            raise CallStateError(f"the part {error} is missing") from None
        except ValueError as error:
            raise CallStateError(str(error)) from None


def _quoted(text: str) -> str:
    # Most of what is kept are plain words, and this is done for every menu that a caller hears.
    return text if _PLAIN.fullmatch(text) else quote_plus(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not math.isfinite(seconds):
        raise ValueError(f"{text!r} is not a time")
    return seconds

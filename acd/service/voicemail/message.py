"""One message, and how it stands in its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import orjson

__all__ = ["CALL_PREFIX", "CallFacts", "MessageState", "StoredMessage", "decode", "encode"]

CALL_PREFIX = "voicemail-"
"""What the engine's call begins with that stands for a message which is offered to agents."""
_FORMAT = 1


class MessageState(StrEnum):
    """What has become of a message."""

    NEW = "new"
    """Nobody has listened to it."""
    SAVED = "saved"
    """Somebody has listened, and kept it."""
    ASSIGNED = "assigned"
    """An agent takes care of it."""
    CLOSED = "closed"
    """It has been taken care of."""
    DELETED = "deleted"
    """On its way out: its files are about to be removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What is known of the call that left a message. Number, name and data are the caller's: hostile."""

    call_id: str
    caller: str = ""
    caller_name: str = ""
    dialled: str = ""
    language: str = ""
    queue: str = ""
    """The queue that the caller came from; empty for a message from the menus alone."""
    priority: int = 0
    """The call's priority there, the trees' points included."""
    data: Mapping[str, str] = field(default_factory=dict)
    path: tuple[str, ...] = ()
    """The menus down to the node that took the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message in its box. Times are UNIX time."""

    id: str
    box: str
    left_at: float
    seconds: float
    size_bytes: int
    call: CallFacts
    state: MessageState = MessageState.NEW
    urgent: bool = False
    hung_up: bool = False
    """The caller hung up, or was lost, instead of finishing it."""
    agent: str = ""
    """Who takes care of it (assigned), or has (closed)."""
    changed_at: float = 0.0
    handed_over: bool = False
    """The mails and webhooks about it are in the spool."""


def encode(message: StoredMessage) -> bytes:
    """Write a message as the content of its file."""
    return orjson.dumps({"format": _FORMAT, **asdict(message)}, option=orjson.OPT_INDENT_2)


def decode(content: bytes) -> StoredMessage:
    """Read the content of a message's file.

    Raises:
        ValueError: it is none.
    """
    try:
        found = orjson.loads(content)
        if not isinstance(found, dict) or found.pop("format", None) != _FORMAT:
            raise ValueError(f"not a message of format {_FORMAT}")
        call = facts(found.pop("call"))
        return StoredMessage(**{**found, "state": MessageState(found["state"]), "call": call})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a message: {error}") from error


def facts(found: dict[str, Any]) -> CallFacts:
    """Read what a file says of a call. Raises TypeError for what is none."""
    return CallFacts(**{**found, "path": tuple(found.get("path", ())), "data": dict(found.get("data", {}))})

"""What goes out, and how it stands in a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from acd.web.backend import Json

__all__ = ["Attachment", "Message", "OutgoingHook", "OutgoingMail", "decode", "encode", "is_address"]

_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail.

    The spool takes a link or a copy of its own when the mail is handed in: whoever owns ``path`` may remove it then.
    """

    path: Path
    name: str
    """What the reader sees it called."""
    media_type: str = "audio/wav"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """A mail to one address. Its texts may hold what callers sent: they are made harmless when the mail is written."""

    id: str
    """One of a kind for all time, such as ``voicemail-20261121T101500-ab12-1``: the same id is sent once."""
    to: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    without_attachments: str = ""
    """A sentence that ends the text when attachments had to be left out: too large, or gone before they were taken."""

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a message needs an id")
        if not is_address(self.to):
            raise ValueError(f"{self.to!r} is not a mail address")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingHook:
    """A JSON document to a target of ``webhooks`` in acd.yaml."""

    id: str
    """As of a mail."""
    target: str
    """The target's name."""
    event: str
    """What happened or is wanted, such as ``call-abandoned`` or ``sms``."""
    data: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a message needs an id")


Message = OutgoingMail | OutgoingHook


def is_address(text: str) -> bool:
    """Tell whether a text is one plain mail address, without a name, spaces or line ends."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None and ".." not in text


def encode(message: Message) -> dict[str, Any]:
    """Write a message for a JSON file; attachments by name and kind, their files are the spool's affair."""
    if isinstance(message, OutgoingHook):
        return {
            "kind": "hook",
            "id": message.id,
            "target": message.target,
            "event": message.event,
            "data": message.data,
        }
    return {
        "kind": "mail",
        "id": message.id,
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "attachments": [{"name": one.name, "media_type": one.media_type} for one in message.attachments],
        "without_attachments": message.without_attachments,
    }


def decode(document: Mapping[str, Any], files: tuple[Path, ...]) -> Message:
    """Read what ``encode`` wrote; ``files`` are the attachments', in their order.

    Raises:
        ValueError, KeyError, TypeError: it is not a message.
    """
    if document["kind"] == "hook":
        return OutgoingHook(
            id=str(document["id"]),
            target=str(document["target"]),
            event=str(document["event"]),
            data=dict(document["data"]),
        )
    if document["kind"] != "mail":
        raise ValueError(f"unknown kind of message {document['kind']!r}")
    return OutgoingMail(
        id=str(document["id"]),
        to=str(document["to"]),
        subject=str(document["subject"]),
        text=str(document["text"]),
        attachments=tuple(
            Attachment(path=path, name=str(one["name"]), media_type=str(one["media_type"]))
            for path, one in zip(files, document["attachments"], strict=True)
        ),
        without_attachments=str(document["without_attachments"]),
    )

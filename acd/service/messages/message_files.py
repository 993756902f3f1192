"""The files of a message in a folder: ``KEY.json``, which makes it a message, and its attachments ``KEY.0`` …

All functions block on the disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from acd.service.messages.message import Message, decode, encode

__all__ = [
    "NOT_A_MESSAGE",
    "KeptMessage",
    "attachments_of",
    "link_or_copy",
    "read_message",
    "remove_message",
    "size_of",
]

_FORMAT: Final = 1
NOT_A_MESSAGE: Final = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a file that is not ours may raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """A message with what is kept of its course; times are the wall clock's (UNIX time, seconds)."""

    message: Message
    created: float
    """When it was handed in."""
    since: float
    """From when on its age counts: handed in, or sent again by hand."""
    given_up: float = 0.0
    why: str = ""
    """Why it was given up; empty while it waits."""

    def content(self) -> bytes:
        """Write it for the file."""
        document = {"format": _FORMAT, "created": self.created, "since": self.since, "message": encode(self.message)}
        return orjson.dumps(document)


def read_message(folder: Path, key: str) -> KeptMessage:
    """Read a message.

    Raises:
        OSError: the file is missing or cannot be read.
        NOT_A_MESSAGE: it is not one.
    """
    document: Any = orjson.loads((folder / f"{key}.json").read_bytes())
    if document.get("format") != _FORMAT:
        raise ValueError(f"not of format {_FORMAT}")
    written = document["message"]
    files = tuple(folder / f"{key}.{number}" for number in range(len(written.get("attachments", ()))))
    created = float(document["created"])
    return KeptMessage(
        message=decode(written, files),
        created=created,
        since=float(document.get("since", created)),
        given_up=float(document.get("given_up", 0.0)),
        why=str(document.get("why", "")),
    )


def remove_message(folder: Path, key: str) -> None:
    """Remove a message's files, the one that makes it a message first. Raises OSError."""
    (folder / f"{key}.json").unlink(missing_ok=True)
    for path in attachments_of(folder, key):
        path.unlink(missing_ok=True)


def attachments_of(folder: Path, key: str) -> Iterator[Path]:
    """Find a message's attachments, in their order."""
    number = 0
    while (path := folder / f"{key}.{number}").exists():
        yield path
        number += 1


def size_of(folder: Path, key: str) -> int:
    """The size of all files of a message (bytes). Raises OSError."""
    return sum(path.stat().st_size for path in (folder / f"{key}.json", *attachments_of(folder, key)))


def link_or_copy(source: Path, own: Path) -> None:
    """Let ``own`` be the same file; a copy where file systems differ or links are refused. Raises OSError."""
    own.unlink(missing_ok=True)
    try:
        os.link(source, own)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, own)
        own.chmod(0o600)
    handle = os.open(own, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

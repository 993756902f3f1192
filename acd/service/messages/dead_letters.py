"""Messages that were given up: kept with the reason, until somebody has them sent again or drops them.

All methods block on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from acd.service.files import sync_folder, write_atomically
from acd.service.messages.message import OutgoingMail
from acd.service.messages.message_files import (
    NOT_A_MESSAGE,
    KeptMessage,
    attachments_of,
    link_or_copy,
    read_message,
    remove_message,
    size_of,
)

__all__ = ["DeadLetter", "DeadLetters"]

_NOT_READABLE: Final = "the spool's file is not a message"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was given up, as people are shown it. Texts may hold what callers sent."""

    key: str
    kind: str
    """``mail`` or ``hook``; empty: what lies there is no message, and can be dropped only."""
    to: str = ""
    """The address, or the webhook's name."""
    about: str = ""
    """The mail's subject, or the webhook's event."""
    created: float | None = None
    """When it was handed in (UNIX time, seconds)."""
    given_up: float | None = None
    why: str
    size_bytes: int


class DeadLetters:
    """The folder. The oldest make room for newer ones, as many as are over the limits, but never the last one."""

    def __init__(self, folder: Path, most: int, most_bytes: int, wall: Callable[[], float]) -> None:
        self.folder = folder
        self._most = most
        self._most_bytes = most_bytes
        self._wall = wall
        self._sizes: dict[str, int] = {}
        """Keys with the size of their files (bytes), the oldest first."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sizes)

    def __contains__(self, key: str) -> bool:
        """Whether this is one of them."""
        return key in self._sizes

    def open(self) -> None:
        """Take over what is in the folder. Raises OSError."""
        found = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        self._sizes = {path.stem: size_of(self.folder, path.stem) for path in found}

    def bury(self, key: str, source: Path, why: str, size_bytes: int) -> None:
        """Move a message here from another folder. Raises OSError: it lies there still, but counts as one of these."""
        self._sizes[key] = size_bytes
        for path in attachments_of(source, key):
            link_or_copy(path, self.folder / path.name)
        write_atomically(self.folder / f"{key}.json", self._with_reason(source / f"{key}.json", why))
        sync_folder(self.folder)
        remove_message(source, key)

    def _with_reason(self, path: Path, why: str) -> bytes:
        """A message's file with what has become of it; of one that is no message all that was in it."""
        reason = {"given_up": self._wall(), "why": why}
        try:
            written = path.read_bytes()
        except FileNotFoundError:
            return orjson.dumps(reason)
        try:
            document: Any = orjson.loads(written)
            return orjson.dumps({**document, **reason})
        except NOT_A_MESSAGE:
            return orjson.dumps({"found": written.decode(errors="replace"), **reason})

    def make_room(self) -> None:
        """Remove the oldest that are over the limits. Raises OSError."""
        sizes = self._sizes
        while len(sizes) > max(1, self._most) or (len(sizes) > 1 and sum(sizes.values()) > self._most_bytes):
            self.remove(next(iter(sizes)))

    def remove(self, key: str) -> None:
        """Remove one. Raises OSError: it is there still."""
        remove_message(self.folder, key)
        self._sizes.pop(key, None)

    def read(self, key: str) -> KeptMessage:
        """Read one.

        Raises:
            OSError: it cannot be read.
            ValueError: what lies there is no message.
        """
        try:
            return read_message(self.folder, key)
        except NOT_A_MESSAGE as error:
            raise ValueError(_NOT_READABLE) from error

    def letters(self) -> Iterator[DeadLetter]:
        """Tell of all of them, who was given up last first."""
        for key, size_bytes in reversed(tuple(self._sizes.items())):
            try:
                kept = self.read(key)
            except (OSError, ValueError) as error:
                yield DeadLetter(key=key, kind="", why=str(error), size_bytes=size_bytes)
                continue
            message, is_mail = kept.message, isinstance(kept.message, OutgoingMail)
            yield DeadLetter(
                key=key,
                kind="mail" if is_mail else "hook",
                to=message.to if isinstance(message, OutgoingMail) else message.target,
                about=message.subject if isinstance(message, OutgoingMail) else message.event,
                created=kept.created,
                given_up=kept.given_up or None,
                why=kept.why or "not said",
                size_bytes=size_bytes,
            )

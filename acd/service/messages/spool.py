"""Messages on disk: one file each, whole or not there, until they are delivered or given up.

Folders below the spool's own: ``waiting`` (what is to be sent: ``KEY.json``, attachments as ``KEY.0`` …), ``done`` (an
empty file for each message that was delivered, so that its id is known for a week) and ``dead`` (what was given up,
with the reason in it: see ``dead_letters``).

All methods block on the disk and may be called from any thread.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from acd.service.files import sync_folder, write_atomically
from acd.service.messages.dead_letters import DeadLetter, DeadLetters
from acd.service.messages.message import Attachment, Message, OutgoingMail
from acd.service.messages.message_files import (
    NOT_A_MESSAGE,
    KeptMessage,
    link_or_copy,
    read_message,
    remove_message,
)

__all__ = ["HOOK_LANE", "Entry", "Spool", "SpoolFull", "SpoolLimits", "lane_of"]

log = structlog.get_logger(__name__)

HOOK_LANE: Final = "hook:"
"""What the names of webhooks' lanes begin with."""
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_ATTACHMENT: Final = re.compile(r"(.+)\.[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLimits:
    """Bounds of a spool."""

    messages: int = 10_000
    """Waiting at the same time."""
    size_bytes: int = 1024**3
    """Of all that wait, attachments included."""
    age_s: float = 72 * 3600.0
    """A message not delivered within so long is given up."""
    dead: int = 1000
    """Dead messages that are kept; the oldest make room."""
    dead_bytes: int = 512 * 1024**2
    """Of all dead messages, attachments included."""
    done: int = 50_000
    """Ids of delivered messages that are remembered at most …"""
    done_s: float = 7 * 24 * 3600.0
    """… and for how long."""


class SpoolFull(Exception):
    """A message was refused because too many wait; the text is for the log."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A waiting message as the index knows it; its content stays on disk."""

    key: str
    lane: str
    """``mail``, or ``hook:TARGET``: messages of one lane share a destination."""
    created: float
    """When it was handed in (wall-clock seconds)."""
    since: float
    """From when on its age counts: handed in, or sent again by hand."""
    size_bytes: int


def lane_of(message: Message) -> str:
    """The destination that a message shares with others."""
    return "mail" if isinstance(message, OutgoingMail) else f"{HOOK_LANE}{message.target}"


class Spool:
    """The folder. ``open`` comes first; one process uses a spool at a time."""

    def __init__(self, folder: Path, limits: SpoolLimits, wall: Callable[[], float]) -> None:
        self._waiting = folder / "waiting"
        self._done = folder / "done"
        self._dead = DeadLetters(folder / "dead", limits.dead, limits.dead_bytes, wall)
        self._limits = limits
        self._wall = wall
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._known: dict[str, float] = {}
        """Keys of delivered messages with the time of it, oldest first."""
        self._size_bytes = 0
        self._opened = False

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What waits, in the order it was handed in."""
        with self._lock:
            return tuple(self._entries.values())

    @property
    def dead(self) -> int:
        """How many dead messages are kept."""
        return len(self._dead)

    def open(self) -> None:
        """Take over what is in the folder. Does nothing when that was done.

        Raises:
            OSError: the folder cannot be made or read.
        """
        with self._lock:
            if self._opened:
                return
            for folder in (self._waiting, self._done, self._dead.folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                for rest in folder.glob(".*"):
                    rest.unlink(missing_ok=True)  # half written when somebody pulled the plug
            self._known = dict(sorted(_times(self._done), key=lambda pair: pair[1]))
            self._dead.open()
            self._take_over()
            self._forget_old()
            self._opened = True

    def add(self, message: Message) -> Entry | None:
        """Keep a message; when this returns it is on disk. None: its id is known already, nothing is to be sent.

        Raises:
            SpoolFull: it was refused.
            OSError: it could not be written; nothing of it is kept.
        """
        self.open()
        key = _key(message.id)
        with self._lock:
            if key in self._entries or key in self._known or key in self._dead:
                return None
            size = _size_of(message)
            self._refuse_if_full(size)
            now = self._wall()
            return self._write(key, KeptMessage(message=message, created=now, since=now))

    def read(self, entry: Entry) -> Message | None:
        """Read a waiting message; None when its file cannot be used, which is told in the log, and it is given up."""
        try:
            return read_message(self._waiting, entry.key).message
        except OSError as error:
            self.give_up(entry, f"the spool's file cannot be read: {error}")
        except NOT_A_MESSAGE as error:
            self.give_up(entry, f"the spool's file is not a message: {error}")
        return None

    def done(self, entry: Entry) -> None:
        """Note that a message was delivered. Never raises: it must not be sent again, whatever the disk says."""
        with self._lock:
            self._unlist(entry)
            try:
                self._mark_done(entry.key)
            except OSError as error:
                log.warning("a message that was sent cannot be marked", message=entry.key, why=str(error))
            try:
                remove_message(self._waiting, entry.key)
            except OSError as error:
                log.error("a message that was sent stays in the spool", message=entry.key, why=str(error))  # noqa: TRY400
            self._forget_old()

    def give_up(self, entry: Entry, why: str) -> None:
        """Move a message that cannot be delivered to the dead ones."""
        log.error("message given up", message=entry.key, lane=entry.lane, why=why)
        with self._lock:
            self._unlist(entry)
            try:
                self._dead.bury(entry.key, self._waiting, why, entry.size_bytes)
                self._dead.make_room()
            except OSError as error:
                log.error("a dead message stays where it is", message=entry.key, why=str(error))  # noqa: TRY400

    def dead_letters(self) -> list[DeadLetter]:
        """What was given up, the last first."""
        self.open()
        with self._lock:
            return list(self._dead.letters())

    def send_again(self, key: str) -> Entry | None:
        """Let a message that was given up wait again; its age counts from now on. None: there is none.

        Raises:
            SpoolFull: too many wait. OSError: it cannot be written. ValueError: what lies there is no message.
        """
        self.open()
        with self._lock:
            if key not in self._dead:
                return None
            kept = self._dead.read(key)
            self._refuse_if_full(_size_of(kept.message))
            entry = self._write(key, replace(kept, since=self._wall()))
            self._dead.remove(key)
            return entry

    def drop(self, key: str) -> bool:
        """Remove a message that was given up for good; its id stays known, so it is never sent. False: there is none.

        Raises:
            OSError: it cannot be removed.
        """
        self.open()
        with self._lock:
            if key not in self._dead:
                return False
            self._mark_done(key)
            self._dead.remove(key)
            return True

    def is_too_old(self, entry: Entry) -> bool:
        """Tell whether a message has waited longer than the limit."""
        return self._wall() - entry.since > self._limits.age_s

    # Inside, under the lock.

    def _refuse_if_full(self, size: int) -> None:
        if len(self._entries) >= self._limits.messages:
            raise SpoolFull(f"{len(self._entries)} messages wait already")
        if self._size_bytes + size > self._limits.size_bytes:
            raise SpoolFull(f"{self._size_bytes} bytes wait already, and {size} more are over the limit")

    def _write(self, key: str, kept: KeptMessage) -> Entry:
        """Keep a message here; nothing of it if that fails. Its attachments' files stay."""
        try:
            if isinstance(kept.message, OutgoingMail):
                kept = replace(kept, message=self._with_own_files(key, kept.message))
            content = kept.content()
            write_atomically(self._waiting / f"{key}.json", content)
            sync_folder(self._waiting)
        except BaseException:
            remove_message(self._waiting, key)
            raise
        message = kept.message
        entry = Entry(key, lane_of(message), kept.created, kept.since, len(content) + _size_of(message))
        self._entries[key] = entry
        self._size_bytes += entry.size_bytes
        return entry

    def _mark_done(self, key: str) -> None:
        """Let an id be known; it is from now on, even if that cannot be written. Raises OSError."""
        now = self._known[key] = self._wall()
        marker = self._done / key
        marker.touch(mode=0o600)
        os.utime(marker, (now, now))
        sync_folder(self._done)

    def _with_own_files(self, key: str, mail: OutgoingMail) -> OutgoingMail:
        """Link or copy the attachments; one that is gone is left out, and the mail says so."""
        kept: list[Attachment] = []
        for one in mail.attachments:
            own = self._waiting / f"{key}.{len(kept)}"
            try:
                link_or_copy(one.path, own)
            except FileNotFoundError:
                log.warning("a file to be attached is gone", message=key, file=str(one.path))
            else:
                kept.append(replace(one, path=own))
        if len(kept) == len(mail.attachments):
            return replace(mail, attachments=tuple(kept))
        text = f"{mail.text}\n\n{mail.without_attachments}" if mail.without_attachments else mail.text
        return replace(mail, attachments=tuple(kept), text=text)

    def _take_over(self) -> None:
        """Index what waits; remove what was delivered or given up a moment before the end, and orphans."""
        found: list[Entry] = []
        for path in self._waiting.glob("*.json"):
            key = path.stem
            if key in self._known or key in self._dead:
                remove_message(self._waiting, key)
                continue
            size_bytes = path.stat().st_size
            try:
                kept = read_message(self._waiting, key)
            except NOT_A_MESSAGE as error:
                log.error("a file of the spool is not a message", file=str(path), why=str(error))  # noqa: TRY400
                self._dead.bury(key, self._waiting, f"the spool's file is not a message: {error}", size_bytes)
                continue
            size_bytes += _size_of(kept.message)
            found.append(Entry(key, lane_of(kept.message), kept.created, kept.since, size_bytes))
        for entry in sorted(found, key=lambda one: one.created):
            self._entries[entry.key] = entry
            self._size_bytes += entry.size_bytes
        for path in self._waiting.iterdir():
            match = _ATTACHMENT.fullmatch(path.name)
            if match is not None and match[1] not in self._entries:
                path.unlink(missing_ok=True)

    def _unlist(self, entry: Entry) -> None:
        if self._entries.pop(entry.key, None) is not None:
            self._size_bytes -= entry.size_bytes

    def _forget_old(self) -> None:
        """Forget ids of the longest ago, beyond the limits."""
        oldest_wanted = self._wall() - self._limits.done_s
        while self._known:
            key, at = next(iter(self._known.items()))
            if at >= oldest_wanted and len(self._known) <= self._limits.done:
                return
            del self._known[key]
            (self._done / key).unlink(missing_ok=True)


def _key(message_id: str) -> str:
    """Name a message's files: by its id if that can be a file's name, else by its fingerprint."""
    if _PLAIN_KEY.fullmatch(message_id):
        return message_id
    return hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()


def _times(folder: Path) -> Iterator[tuple[str, float]]:
    for path in folder.iterdir():
        yield path.name, path.stat().st_mtime


def _size_of(message: Message) -> int:
    """The size of its attachments (bytes); of those that are gone, nothing."""
    if not isinstance(message, OutgoingMail):
        return 0
    return sum(one.path.stat().st_size for one in message.attachments if one.path.exists())

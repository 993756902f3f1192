"""All messages: files on the disk, an index of them in memory."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from acd.service.files import sync_folder, write_atomically
from acd.service.sound_files import ENDING, mend
from acd.service.voicemail.message import MessageState, StoredMessage, decode, encode

__all__ = ["MessageStore", "copy_sound"]

log = structlog.get_logger(__name__)

_HIDDEN = "."


class MessageStore:
    """The messages of all boxes. One event loop uses it; the disk is waited for in threads.

    Args:
        folder: ``voicemail`` in the state folder; made when needed.
        wall: the clock, UNIX time (seconds).
    """

    def __init__(self, folder: Path, wall: Callable[[], float]) -> None:
        self.folder = folder
        self._wall = wall
        self._boxes: dict[str, dict[str, StoredMessage]] = {}
        self._box_of: dict[str, str] = {}
        self._writing = asyncio.Lock()
        self._watchers: list[Callable[[StoredMessage], None]] = []

    def watch(self, told: Callable[[StoredMessage], None]) -> None:
        """Let this be told of each message that is new or has changed, after that is on the disk."""
        self._watchers.append(told)

    def load(self) -> None:
        """Read what is there. Blocks on the disk; to be called once, before anything else.

        A message whose deleting was interrupted is deleted; a file that is no message is left alone, and named.
        """
        for path in sorted(self.folder.glob("*/*.json")):
            if path.name.startswith(_HIDDEN) or path.parent.name.startswith(_HIDDEN):
                continue
            try:
                message = decode(path.read_bytes())
            except (OSError, ValueError) as error:
                log.error("not a voicemail message", file=str(path), why=str(error))  # noqa: TRY400
                continue
            if message.box != path.parent.name or message.id != path.stem:
                log.error("not a voicemail message", file=str(path), why="it names another box or message")
            elif message.state is MessageState.DELETED:
                self._remove(message)
            else:
                self._note(message)

    # What is there.

    def of_box(self, box: str) -> Sequence[StoredMessage]:
        """The messages of a box, the oldest first."""
        return sorted(self._boxes.get(box, {}).values(), key=lambda message: (message.left_at, message.id))

    def all(self) -> Iterator[StoredMessage]:
        """Every message."""
        for messages in self._boxes.values():
            yield from messages.values()

    def get(self, message_id: str) -> StoredMessage | None:
        """A message by its id."""
        return self._boxes.get(self._box_of.get(message_id, ""), {}).get(message_id)

    def counts(self, box: str) -> Counter[MessageState]:
        """How many messages of a box are in each state."""
        return Counter(message.state for message in self._boxes.get(box, {}).values())

    def fill(self, box: str) -> tuple[int, int]:
        """How many messages a box holds, and how many bytes of sound."""
        messages = self._boxes.get(box, {}).values()
        return len(messages), sum(message.size_bytes for message in messages)

    def boxes(self) -> Collection[str]:
        """The boxes in which there are messages, configured or not."""
        return [box for box, messages in self._boxes.items() if messages]

    def sound(self, message: StoredMessage) -> Path:
        """The file of a message's sound."""
        return self.folder / message.box / f"{message.id}{ENDING}"

    # Changes.

    async def add(self, message: StoredMessage, sound: Path) -> None:
        """Take a message whose sound lies in this file; the file stays. A message that is there already stays.

        Raises:
            OSError: it cannot be written; then it is not there.
        """
        async with self._writing:
            if message.id in self._box_of:
                return
            await asyncio.to_thread(self._write_new, message, sound)
            self._note(message)
        self._tell(message)

    async def change(
        self, message_id: str, *, only_from: Collection[MessageState] | None = None, **changes: Any
    ) -> StoredMessage | None:
        """Change a message; returns it as it is then, None when it is not there or in none of the states asked for.

        Raises:
            OSError: the change cannot be written; then it is not made.
        """
        async with self._writing:
            before = self.get(message_id)
            if before is None or (only_from is not None and before.state not in only_from):
                return None
            after = replace(before, changed_at=self._wall(), **changes)
            await asyncio.to_thread(self._write, after)
            self._note(after)
        self._tell(after)
        return after

    async def delete(self, message_id: str) -> bool:
        """Delete a message for good; False when it is not there. Raises OSError."""
        gone = await self.change(message_id, state=MessageState.DELETED)
        if gone is None:
            return False
        async with self._writing:
            await asyncio.to_thread(self._remove, gone)
            self._boxes[gone.box].pop(message_id, None)
            self._box_of.pop(message_id, None)
        self._tell(gone)
        return True

    # Inside.

    def _note(self, message: StoredMessage) -> None:
        self._boxes.setdefault(message.box, {})[message.id] = message
        self._box_of[message.id] = message.box

    def _tell(self, message: StoredMessage) -> None:
        for told in self._watchers:
            told(message)

    def _json(self, message: StoredMessage) -> Path:
        return self.folder / message.box / f"{message.id}.json"

    def _write_new(self, message: StoredMessage, sound: Path) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / message.box).mkdir(mode=0o700, exist_ok=True)
        copy_sound(sound, self.sound(message), 0o600)
        try:
            self._write(message)
        except OSError:
            self.sound(message).unlink(missing_ok=True)
            raise

    def _write(self, message: StoredMessage) -> None:
        write_atomically(self._json(message), encode(message))
        sync_folder(self._json(message).parent)

    def _remove(self, message: StoredMessage) -> None:
        self.sound(message).unlink(missing_ok=True)
        self._json(message).unlink(missing_ok=True)


def copy_sound(source: Path, target: Path, mode: int) -> None:
    """Copy a recording, whole or not at all, its header mended on the way. Blocks on the disk. Raises OSError."""
    temporary = target.with_name(f".{target.name}.part")
    try:
        with source.open("rb") as read, temporary.open("wb") as written:
            shutil.copyfileobj(read, written)
        temporary.chmod(mode)
        mend(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise

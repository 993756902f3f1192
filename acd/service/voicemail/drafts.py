"""Recordings under way: a note on the disk before the first word, so that nothing said is ever lost.

Asterisk records into the recordings folder. The note tells what the recording is to become; it is removed when that is
done. What the process (or one before it) has lost hold of is found here: the line was torn, the engine was killed, the
disk was full. Asterisk goes on recording until the caller hangs up, falls silent or the time is over; then the sound is
taken as it is. A caller who is still there comes back to the same node before that, and goes on with the same draft.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog

from acd.service.files import write_atomically
from acd.service.sound_files import ENDING, SoundFile, is_silent, look
from acd.service.voicemail.message import CallFacts, facts

__all__ = ["Drafts", "Note", "Purpose"]

log = structlog.get_logger(__name__)

GRACE_S = 3.0
"""So long a finished recording waits for its caller to come back, after the start of the process, too (seconds)."""
NEVER_BEGUN_S = 60.0
"""A draft of the process before without a sound is dropped so long after it was made (seconds)."""
_LATE_S = 10.0
"""A recording that must have ended so long ago, and is not closed: the Asterisk that made it has died (seconds)."""
_POLL_S = 1.0
_RETRY_S = 30.0
_LEAST_FREE_BYTES = 20 * 1024 * 1024
"""With less than this the disk counts as full: the machine needs the rest itself."""
_FORMAT = 1


class Purpose:
    """What a recording is to become."""

    MESSAGE = "message"
    RECORDING = "recording"
    GREETING = "greeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is written down before something is recorded. Times are UNIX time."""

    id: str
    purpose: str
    target: str
    """The box, or the node that records."""
    call: CallFacts
    begun_at: float
    longest_s: float
    shortest_s: float


Rescue = Callable[[Note, Path, SoundFile], Awaitable[None]]
"""Makes of a draft that was lost hold of what it is to become. Raises OSError when that cannot be done now."""


@dataclass(slots=True)
class _State:
    note: Note
    is_held: bool
    """A caller's visit to a node takes care of it."""
    not_before: float = 0.0
    """On the process's own clock: not looked at before."""
    is_left: bool = False
    """The caller was seen to go: what has not begun until ``not_before`` never will."""


class Drafts:
    """See the module.

    Args:
        folder: where the notes are; made when needed.
        recordings_dir: where Asterisk records.
        wall: UNIX time (seconds).
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        folder: Path,
        recordings_dir: Path,
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._recordings_dir = recordings_dir
        self._wall = wall
        self._clock = clock
        self._open: dict[str, _State] = {}
        self._rescues: dict[str, Rescue] = {}
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._open)

    def rescue_by(self, purpose: str, rescue: Rescue) -> None:
        """Say what is done with lost drafts of this purpose; without it they are removed."""
        self._rescues[purpose] = rescue

    def load(self) -> None:
        """Find the drafts of a process before. Blocks on the disk; to be called once."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                note = _decode(path.read_bytes())
            except (OSError, ValueError) as error:
                log.error("not the note of a recording", file=str(path), why=str(error))  # noqa: TRY400
                continue
            self._open[note.id] = _State(note, is_held=False, not_before=self._clock() + GRACE_S)
        self._changed.set()

    def base(self, note: Note) -> Path:
        """Where the line records, without the file's ending."""
        return self._recordings_dir / f"draft-{note.id}"

    def sound(self, note: Note) -> Path:
        """The file that Asterisk records into."""
        return self.base(note).with_name(f"{self.base(note).name}{ENDING}")

    def of_target(self, purpose: str, target: str) -> int:
        """How many recordings for a box are under way."""
        return sum(1 for state in self._open.values() if (state.note.purpose, state.note.target) == (purpose, target))

    # A visit's side.

    def resume(self, call_id: str, purpose: str, target: str) -> Note | None:
        """Take hold again of what this call was recording when its line was lost."""
        for state in self._open.values():
            note = state.note
            if not state.is_held and (note.call.call_id, note.purpose, note.target) == (call_id, purpose, target):
                state.is_held = True
                return note
        return None

    async def begin(self, purpose: str, target: str, call: CallFacts, *, longest_s: float, shortest_s: float) -> Note:
        """Write down that something is about to be recorded.

        Raises:
            OSError: it cannot be written, or the disk is as good as full.
        """
        note = Note(
            id=f"{call.call_id}-{secrets.token_hex(3)}",
            purpose=purpose,
            target=target,
            call=call,
            begun_at=self._wall(),
            longest_s=longest_s,
            shortest_s=shortest_s,
        )
        await asyncio.to_thread(self._write, note)
        self._open[note.id] = _State(note, is_held=True)
        return note

    async def look(self, note: Note) -> SoundFile | None:
        """What has been recorded so far. Raises OSError."""
        return await asyncio.to_thread(look, self.sound(note))

    async def end(self, draft_id: str) -> None:
        """It has become what it was to be, or is not wanted: remove note and sound."""
        state = self._open.pop(draft_id, None)
        if state is not None:
            await asyncio.to_thread(self._remove, state.note)

    def leave(self, draft_id: str, *, retry: bool = False) -> None:
        """Nobody takes care of it any more: it is to be found later. ``retry``: what it is to become failed now."""
        state = self._open.get(draft_id)
        if state is not None:
            state.is_held = False
            state.is_left = not retry
            state.not_before = self._clock() + (_RETRY_S if retry else GRACE_S)
            self._changed.set()

    def get(self, draft_id: str) -> Note | None:
        """The note of a recording under way."""
        state = self._open.get(draft_id)
        return state.note if state is not None else None

    async def _is_silent(self, note: Note) -> bool:
        return await asyncio.to_thread(is_silent, self.sound(note))

    # What is lost hold of.

    async def run(self) -> None:
        """Take care of lost drafts, until cancelled."""
        while True:
            lost = [state for state in self._open.values() if not state.is_held]
            if not lost:
                self._changed.clear()
                await self._changed.wait()
                continue
            await self._take_care(lost)
            await asyncio.sleep(_POLL_S)

    async def _take_care(self, lost: Iterable[_State]) -> None:
        for state in lost:
            if state.is_held or self._clock() < state.not_before:
                continue
            try:
                await self._settle(state)
            except OSError as error:
                log.error("a recording cannot be taken care of", recording=state.note.id, why=str(error))  # noqa: TRY400
                state.not_before = self._clock() + _RETRY_S

    async def _settle(self, state: _State) -> None:
        note, now = state.note, self._wall()
        found = await self.look(note)
        if state.is_held:
            return  # the caller has come back meanwhile
        if found is None or (found.is_closed and found.seconds < note.shortest_s):
            if found is not None or state.is_left or now - note.begun_at > NEVER_BEGUN_S:
                await self.end(note.id)
            return
        died = now - found.modified_at > note.longest_s + _LATE_S
        if not died and (not found.is_closed or now - found.modified_at < GRACE_S):
            return
        rescue = self._rescues.get(note.purpose)
        state.is_held = True
        try:
            if rescue is not None and found.seconds >= note.shortest_s and not await self._is_silent(note):
                await rescue(note, self.sound(note), found)
        except OSError:
            state.is_held = False
            raise
        await self.end(note.id)

    # The disk.

    def has_room(self) -> bool:
        """Tell whether something can be recorded, as far as that is known without trying. Asks the disk, shortly."""
        try:
            self._check_room()
        except OSError as error:
            log.error("nothing can be recorded", why=str(error))  # noqa: TRY400
            return False
        return True

    def _check_room(self) -> None:
        for folder in (self._folder.parent, self._recordings_dir):
            if folder.is_dir() and shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
                raise OSError(errno.ENOSPC, "the disk is full", str(folder))
        if not os.access(self._recordings_dir, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, "the engine cannot write there", str(self._recordings_dir))

    def _write(self, note: Note) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check_room()
        write_atomically(self._path(note), _encode(note))

    def _remove(self, note: Note) -> None:
        self.sound(note).unlink(missing_ok=True)
        self._path(note).unlink(missing_ok=True)

    def _path(self, note: Note) -> Path:
        return self._folder / f"{note.id}.json"


def _encode(note: Note) -> bytes:
    return orjson.dumps({"format": _FORMAT, **asdict(note)})


def _decode(content: bytes) -> Note:
    try:
        found: dict[str, Any] = orjson.loads(content)
        if found.pop("format", None) != _FORMAT:
            raise ValueError(f"not a note of format {_FORMAT}")
        return Note(**{**found, "call": facts(found["call"])})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a note: {error}") from error

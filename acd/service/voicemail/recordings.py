"""Recordings of the node ``record``: kept with what is known of their calls, for as long as the site says."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import orjson
import structlog

from acd.service.files import write_atomically
from acd.service.moments import wall_text
from acd.service.sound_files import ENDING, SoundFile
from acd.service.voicemail.desk import QueueOf, facts_of, no_queue
from acd.service.voicemail.drafts import Drafts, Note, Purpose
from acd.service.voicemail.store import copy_sound
from acd.web.backend import Json
from ivr.context import CallContext
from ivr.recordings import Draft, RecordingImpossible

__all__ = ["KeptRecordings"]

log = structlog.get_logger(__name__)

_ID = re.compile(r"[A-Za-z0-9-]{1,80}")
_SWEEP_S = 3600.0
_LONGEST_S = 3600.0
"""What the configuration allows at most; a recording whose Asterisk has died is taken as it is after this time."""
_SHORTEST_S = 0.5


class KeptRecordings:
    """Implements ``ivr.recordings.Recordings``. Files: ``ID.wav`` and ``ID.json`` in a folder of the state folder."""

    def __init__(
        self,
        folder: Path,
        drafts: Drafts,
        keep_days: Callable[[], int],
        wall: Callable[[], float] = time.time,
        *,
        queue_of: QueueOf = no_queue,
    ) -> None:
        self._folder = folder
        self._drafts = drafts
        self._keep_days = keep_days
        self._wall = wall
        self._queue_of = queue_of
        drafts.rescue_by(Purpose.RECORDING, self._rescue)

    async def open(self, call: CallContext, node: str) -> Draft:
        """See ``Recordings``."""
        try:
            note = self._drafts.resume(call.call_id, Purpose.RECORDING, node)
            if note is None:
                note = await self._drafts.begin(
                    Purpose.RECORDING,
                    node,
                    facts_of(call, node, self._queue_of),
                    longest_s=_LONGEST_S,
                    shortest_s=_SHORTEST_S,
                )
                return Draft(id=note.id, path=str(self._drafts.base(note)))
            found = await self._drafts.look(note)
        except OSError as error:
            log.error("nothing can be recorded", call_id=call.call_id, node=node, why=str(error))  # noqa: TRY400
            raise RecordingImpossible(str(error)) from error
        seconds = found.seconds if found is not None else 0.0
        return Draft(id=note.id, path=str(self._drafts.base(note)), seconds=seconds)

    async def keep(self, draft: Draft) -> None:
        """See ``Recordings``."""
        note = self._drafts.get(draft.id)
        if note is None:
            raise RecordingImpossible("the recording is not known")
        await asyncio.shield(asyncio.ensure_future(self._keep(note)))

    async def discard(self, draft: Draft) -> None:
        """See ``Recordings``."""
        with suppress(OSError):
            await self._drafts.end(draft.id)

    def leave(self, draft: Draft) -> None:
        """See ``Recordings``."""
        self._drafts.leave(draft.id)

    def sound(self, recording_id: str) -> Path | None:
        """The file of a recording; None when there is none of this id. Blocks on the disk."""
        if not _ID.fullmatch(recording_id):
            return None
        path = self._folder / f"{recording_id}{ENDING}"
        return path if path.is_file() else None

    def told(self, recording_id: str) -> dict[str, Json] | None:
        """What is known of a recording. Blocks on the disk."""
        if self.sound(recording_id) is None:
            return None
        try:
            found: dict[str, Json] = orjson.loads((self._folder / f"{recording_id}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return found

    async def run(self) -> None:
        """Delete what has been kept long enough, hour by hour, until cancelled."""
        while True:
            await asyncio.to_thread(self.sweep)
            await asyncio.sleep(_SWEEP_S)

    def sweep(self) -> int:
        """Delete the recordings whose time is over; returns how many. Blocks on the disk."""
        days, gone = self._keep_days(), 0
        for path in self._folder.glob(f"*{ENDING}") if days else ():
            with suppress(OSError):
                if self._wall() - path.stat().st_mtime >= days * 86_400:
                    path.unlink()
                    path.with_suffix(".json").unlink(missing_ok=True)
                    gone += 1
        return gone

    async def _keep(self, note: Note) -> None:
        try:
            found = await self._drafts.look(note)
            if found is None:
                raise FileNotFoundError(2, "there is no sound", str(self._drafts.sound(note)))
            await self._rescue(note, self._drafts.sound(note), found)
        except OSError as error:
            log.error("a recording cannot be kept yet", recording=note.id, why=str(error))  # noqa: TRY400
            self._drafts.leave(note.id, retry=True)
            raise RecordingImpossible(str(error)) from error
        with suppress(OSError):
            await self._drafts.end(note.id)

    async def _rescue(self, note: Note, sound: Path, found: SoundFile) -> None:
        await asyncio.to_thread(self._write, note, sound, found)
        log.info("recorded", call_id=note.call.call_id, node=note.target, recording=note.id)

    def _write(self, note: Note, sound: Path, found: SoundFile) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        at = wall_text(note.begun_at, "seconds")
        told = {"id": note.id, "node": note.target, "at": at, "seconds": round(found.seconds, 1)}
        copy_sound(sound, self._folder / f"{note.id}{ENDING}", 0o600)
        write_atomically(self._folder / f"{note.id}.json", orjson.dumps({**told, "call": asdict(note.call)}))

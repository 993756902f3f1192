"""The journal: every engine input in order, append-only, so that any moment can be lived again.

A journal is a folder of segments, ``journal-<UTC>-<first input>.jsonl``, readable by their owner only (they name
callers). The first line of a segment is its header: where the engine started, from a configuration and a seed (a
process start) or from a checkpoint of the whole engine (a segment begun while running). Each further line is an input:
``[number, now, event, fields, digest]``, the digest being that of the commands the input led to. A line is complete
when it ends in a newline; a torn last line (a crash) is not an input.

Bounds: a segment is closed at ``segment_bytes``, or after ``segment_age_s`` at the next moment without a call (at twice
that in any case), since segments go as a whole: the oldest when all together exceed ``max_bytes``, and those that were
written last before ``max_age_s``. Writing is done by a thread of its own, so that a slow disk delays no caller; a full
one stops the journal, says so once, and is tried again a minute later, while calls go on.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pickle
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

import orjson

from acd.core.commands import Command
from acd.core.engine import Engine
from acd.core.events import Event
from acd.core.specs import RoutingSpec
from acd.store.event_codec import encode, encode_commands, event_name

__all__ = ["FORMAT", "Journal", "JournalLimits", "digest_of", "segments"]

FORMAT = 1
_RETRY_S = 60.0
_DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class JournalLimits:
    """How much is kept: bytes and age (seconds) of one segment, bytes of all together, age of the oldest (seconds)."""

    segment_bytes: int = 64 << 20
    segment_age_s: float = 86400.0
    max_bytes: int = 1 << 30
    max_age_s: float = 14 * 86400.0


def digest_of(made: list[Command]) -> str:
    """Return the digest of the commands that one input led to (BLAKE2b, 8 bytes, hexadecimal)."""
    return hashlib.blake2b(encode_commands(made), digest_size=_DIGEST_BYTES).hexdigest() if made else ""


def segments(folder: Path) -> list[Path]:
    """Return the folder's segments, oldest first."""
    return sorted(folder.glob("journal-*.jsonl"))


class Journal:
    """Writes the inputs of one engine. Call ``start`` once, ``record`` after each input, ``close`` at the end.

    ``wall_s``: the wall clock (seconds since 1970). ``on_error`` is told, in words for the operator, when writing
    fails, and an empty text when it works again; it is called on the writer's thread.
    """

    def __init__(
        self,
        folder: Path,
        wall_s: Callable[[], float],
        *,
        limits: JournalLimits = JournalLimits(),
        version: str = "",
        on_error: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._wall_s = wall_s
        self._limits = limits
        self._version = version
        self._writer = _Writer(folder, limits, wall_s, on_error)
        self._engine: Engine | None = None
        self._size = 0
        self._began_at = 0.0
        self._failed_at: float | None = None

    @property
    def failing(self) -> bool:
        """Whether nothing can be written at present."""
        return self._writer.failing.is_set()

    def start(self, engine: Engine, routing: RoutingSpec, seed: int, now: float) -> None:
        """Begin with an engine that has just been made from this configuration with ``random.Random(seed)``.

        Raises OSError when the folder cannot be made.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._engine = engine
        self._writer.start()
        origin = {"routing": orjson.loads(encode(routing)), "seed": seed}
        self._begin(lambda: origin, engine.inputs, now)

    def record(self, event: Event, now: float, made: list[Command]) -> None:
        """Note an input that the engine has just handled, and what it led to. Never raises, never waits."""
        engine = self._engine
        if engine is None:
            return
        if self._writer.failing.is_set():
            self._failed_at = now if self._failed_at is None else self._failed_at
            if now - self._failed_at >= _RETRY_S:
                self._failed_at = None
                self._writer.failing.clear()
                self._begin_from_checkpoint(engine, now)
            return
        line = b'[%d,%s,"%s",%s,"%s"]\n' % (
            engine.inputs,
            orjson.dumps(now),
            event_name(event).encode(),
            encode(event),
            digest_of(made).encode(),
        )
        self._writer.put(line)
        self._size += len(line)
        if self._size >= self._limits.segment_bytes or self._is_old(engine, now):
            self._begin_from_checkpoint(engine, now)

    def close(self) -> None:
        """Write what is left and stop the thread."""
        self._engine = None
        self._writer.stop()

    def _is_old(self, engine: Engine, now: float) -> bool:
        age_s, limit_s = now - self._began_at, self._limits.segment_age_s
        # A checkpoint takes milliseconds, in which nobody is offered a call: better when there is none.
        return age_s >= limit_s and (not engine.calls or age_s >= 2 * limit_s)

    def _begin_from_checkpoint(self, engine: Engine, now: float) -> None:
        pickled = pickle.dumps(engine, pickle.HIGHEST_PROTOCOL)
        self._begin(lambda: {"checkpoint": base64.b64encode(zlib.compress(pickled, 1)).decode()}, engine.inputs, now)

    def _begin(self, origin: Callable[[], dict[str, object]], inputs: int, now: float) -> None:
        """Begin a segment. ``origin`` is called on the writer's thread."""
        header = {
            "acd_journal": FORMAT,
            "version": self._version,
            "inputs": inputs,
            "now": now,
            "wall_s": self._wall_s(),
        }
        self._began_at = now
        self._size = 0  # the header does not count: a checkpoint may be larger than a segment of few inputs
        stamp = datetime.fromtimestamp(self._wall_s(), UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        self._writer.put(_NewSegment(self._folder / f"journal-{stamp}-{inputs:012d}.jsonl", header, origin))


@dataclass(frozen=True, slots=True)
class _NewSegment:
    path: Path
    header: Mapping[str, object]
    origin: Callable[[], Mapping[str, object]]


class _Writer:
    """The thread that touches the disk."""

    def __init__(
        self, folder: Path, limits: JournalLimits, wall_s: Callable[[], float], on_error: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._wall_s = wall_s
        self._on_error = on_error
        self._inbox: SimpleQueue[bytes | _NewSegment | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._file = -1
        self.failing = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def put(self, item: bytes | _NewSegment) -> None:
        self._inbox.put(item)

    def stop(self) -> None:
        if self._thread.is_alive():
            self._inbox.put(None)
            self._thread.join()

    def _run(self) -> None:
        item = self._inbox.get()
        while item is not None:
            self._take(item)
            item = self._inbox.get()
        self._close()

    def _take(self, item: bytes | _NewSegment) -> None:
        try:
            if isinstance(item, _NewSegment):
                self._open(item)
            elif self._file >= 0:
                self._write(item)
        except OSError as error:
            self._close()
            self.failing.set()
            self._on_error(
                f"the journal cannot be written to {self._folder}: {error.strerror or error}; calls go on without it, "
                f"next try in {_RETRY_S:.0f} s: make room or mend the folder's rights"
            )

    def _open(self, segment: _NewSegment) -> None:
        self._close()
        self._file = os.open(segment.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._write(orjson.dumps({**segment.header, **segment.origin()}) + b"\n")
        except OSError:
            segment.path.unlink(missing_ok=True)  # a disk that is full for a day would have one for each minute of it
            raise
        self._on_error("")
        self._prune(segment.path)

    def _write(self, line: bytes) -> None:
        left = memoryview(line)
        while left:
            left = left[os.write(self._file, left) :]

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _prune(self, current: Path) -> None:
        old = [path for path in segments(self._folder) if path != current]
        sizes = {path: path.stat().st_size for path in old}
        total = sum(sizes.values()) + self._limits.segment_bytes
        for path in old:
            too_old = self._wall_s() - path.stat().st_mtime > self._limits.max_age_s
            if total > self._limits.max_bytes or too_old:
                path.unlink(missing_ok=True)
                total -= sizes[path]

"""Recordings as Asterisk leaves them."""

from __future__ import annotations

import struct
from pathlib import Path


def wav(seconds: float, *, closed: bool = True, sample: int = 513) -> bytes:
    """A file of 16-bit samples; one that is not `closed` has no lengths in its header yet."""
    sound = struct.pack("<h", sample) * round(seconds * 8000)
    length = len(sound) if closed else 0
    form = (16, 1, 1, 8000, 16000, 2, 16)
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", length + 36, b"WAVE", b"fmt ", *form, b"data", length) + sound


def record(base: str, seconds: float, *, closed: bool = True, sample: int = 513) -> Path:
    """What a line does: record into a draft's file."""
    path = Path(f"{base}.wav")
    path.write_bytes(wav(seconds, closed=closed, sample=sample))
    return path

"""Sound files that Asterisk has recorded: WAV of 16-bit samples, 8000 a second.

Asterisk writes 44 bytes of header first, with no length in them, and the sound behind; the lengths are written when it
closes the file. It buffers two seconds of sound. So a file that lies there without a length is being recorded still, or
the Asterisk that recorded it has died.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ENDING", "RATE_HZ", "SoundFile", "is_silent", "look", "mend"]

ENDING = ".wav"
RATE_HZ = 8000
_HEADER_BYTES = 44
_FORM = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM = 1
_SAMPLE_BYTES = 2
_FRAME_BYTES = RATE_HZ * _SAMPLE_BYTES // 50
"""A fiftieth of a second."""
_AUDIBLE_PEAK = 256
"""42 dB below full scale: a whisper is louder, an idle line is not."""
_AUDIBLE_FRAMES = 15
"""Three tenths of a second are a syllable; the click of a receiver that is put down is shorter."""


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A recording that was looked at."""

    seconds: float
    """Length of the sound that is there, whatever the header says."""
    size_bytes: int
    is_closed: bool
    """Its header has the lengths: nothing more will be written."""
    modified_at: float
    """UNIX time."""


def look(path: Path) -> SoundFile | None:
    """Look at a recording; None when there is none. Blocks on the disk.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            status = os.fstat(file.fileno())
    except FileNotFoundError:
        return None
    sound_bytes = max(0, status.st_size - _HEADER_BYTES)
    told = _FORM.unpack(header)[-1] if len(header) == _HEADER_BYTES else 0
    return SoundFile(sound_bytes / (RATE_HZ * _SAMPLE_BYTES), status.st_size, told > 0, status.st_mtime)


def is_silent(path: Path) -> bool:
    """Tell whether nothing is to be heard in a recording. Blocks on the disk, mostly for the first second of sound.

    Raises:
        OSError: it cannot be read.
    """
    audible = 0
    with path.open("rb") as file:
        file.seek(_HEADER_BYTES)
        while frame := file.read(_FRAME_BYTES):
            samples = array("h", frame[: len(frame) // _SAMPLE_BYTES * _SAMPLE_BYTES])
            if sys.byteorder == "big":
                samples.byteswap()
            if samples and (max(samples) > _AUDIBLE_PEAK or min(samples) < -_AUDIBLE_PEAK):
                audible += 1
                if audible == _AUDIBLE_FRAMES:
                    return False
    return True


def mend(path: Path) -> None:
    """Write the lengths into the header of a file that nobody will close any more. Blocks on the disk.

    Raises:
        OSError: it cannot be written.
    """
    sound_bytes = max(0, path.stat().st_size - _HEADER_BYTES) // _SAMPLE_BYTES * _SAMPLE_BYTES
    form = (16, _PCM, 1, RATE_HZ, RATE_HZ * _SAMPLE_BYTES, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES)
    header = _FORM.pack(b"RIFF", sound_bytes + 36, b"WAVE", b"fmt ", *form, b"data", sound_bytes)
    with path.open("r+b") as file:
        file.write(header)
        file.truncate(_HEADER_BYTES + sound_bytes)

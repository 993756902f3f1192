"""What a caller heard, as a WAV file."""

from __future__ import annotations

import struct
from pathlib import Path

RATE_HZ = 8000
WAVE_FORMAT_MULAW = 7


def write_mulaw(path: Path, samples: bytes) -> None:
    """Writes G.711 mu-law samples (8000 a second, one channel) as they are; any player reads that. Raises OSError."""
    form = struct.pack("<HHIIHHH", WAVE_FORMAT_MULAW, 1, RATE_HZ, RATE_HZ, 1, 8, 0)
    body = b"WAVE" + _chunk(b"fmt ", form) + _chunk(b"fact", struct.pack("<I", len(samples))) + _chunk(b"data", samples)
    path.write_bytes(_chunk(b"RIFF", body))


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

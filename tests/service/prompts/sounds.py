"""Sounds and WAV files, made by hand."""

from __future__ import annotations

import math
import struct

from acd.service.prompts.audio import Sound


def tone(frequency_hz: float, rate_hz: int, duration_s: float = 0.5, level: float = 0.5) -> Sound:
    step = 2 * math.pi * frequency_hz / rate_hz
    return Sound([level * math.sin(step * index) for index in range(round(rate_hz * duration_s))], rate_hz)


def silence(rate_hz: int, duration_s: float) -> Sound:
    return Sound([0.0] * round(rate_hz * duration_s), rate_hz)


def joined(*sounds: Sound) -> Sound:
    return Sound([sample for sound in sounds for sample in sound.samples], sounds[0].rate_hz)


def wav_file(encoding: int, channels: int, rate_hz: int, bits: int, body: bytes, *, length: int | None = None) -> bytes:
    """A WAV file, put together by hand; `length` is what its header claims."""
    width = channels * bits // 8
    chunk = struct.pack("<HHIIHH", encoding, channels, rate_hz, rate_hz * width, width, bits)
    head = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<I", len(chunk)) + chunk
    return head + b"data" + struct.pack("<I", len(body) if length is None else length) + body

"""Recorded sound files: what they hold, whether Asterisk plays them as they are, and what is wrong with those that are
of no use. Only their heads are read."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

__all__ = ["RecordingError", "SoundFile", "look_at"]

TELEPHONE_RATE_HZ: Final = 8000
_PCM, _FLOAT, _ALAW, _ULAW, _GSM, _EXTENSIBLE = 1, 3, 6, 7, 49, 0xFFFE
_CODECS: Final[Mapping[int, str]] = MappingProxyType(
    {
        _PCM: "PCM",
        2: "Microsoft ADPCM",
        _FLOAT: "floating-point PCM",
        _ALAW: "A-law",
        _ULAW: "µ-law",
        17: "IMA ADPCM",
        _GSM: "GSM 6.10",
        80: "MPEG",
        85: "MP3",
        255: "AAC",
    }
)
_CONVERTED: Final = frozenset(
    {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64), (_ALAW, 8), (_ULAW, 8)}
)
"""Codec and bits of the WAV files that can be converted."""

_PIPE_LENGTH_MIN: Final = 0x7FFFF000
"""Lengths from here on are those of programs that write into a pipe, and so cannot know it; so is none."""

_SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"ID3", "an MP3 file"),
    (b"\xff\xfb", "an MP3 file"),
    (b"\xff\xf3", "an MP3 file"),
    (b"OggS", "an Ogg file"),
    (b"fLaC", "a FLAC file"),
    (b"FORM", "an AIFF file"),
    (b".snd", "an AU file"),
    (b"RIFX", "a big-endian WAV file"),
    (b"#!AMR", "an AMR file"),
)


@dataclass(frozen=True, slots=True)
class _Raw:
    """A format without a head: its name, what its length is a multiple of, and bytes for each second."""

    codec: str
    rate_hz: int
    frame_bytes: int
    bytes_per_s: int


_RAW: Final[Mapping[str, _Raw]] = MappingProxyType(
    {
        ".alaw": _Raw("A-law", 8000, 1, 8000),
        ".ulaw": _Raw("µ-law", 8000, 1, 8000),
        ".gsm": _Raw("GSM 6.10", 8000, 33, 1650),
        ".g722": _Raw("G.722", 16000, 1, 8000),
        ".g729": _Raw("G.729", 8000, 10, 1000),
        ".sln": _Raw("PCM", 8000, 2, 16000),
        ".sln16": _Raw("PCM", 16000, 2, 32000),
    }
)
"""By the endings that Asterisk knows them by (``core show file formats``)."""


class RecordingError(Exception):
    """A recording is of no use. The text says what is wrong with it and, after a semicolon, what to do."""


@dataclass(frozen=True, slots=True)
class SoundFile:
    """What a sound file holds. `bits` is 0 where the codec has no fixed number."""

    codec: str
    rate_hz: int
    channels: int
    bits: int
    duration_s: float
    plays_as_it_is: bool

    @property
    def described(self) -> str:
        """Codec, rate, channels and bits, for people."""
        channels = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        bits = f", {self.bits} bits" if self.bits else ""
        return f"{self.codec}, {self.rate_hz} Hz{bits}, {channels}"

    @property
    def conversion(self) -> str:
        """What is converted before it is played; empty for a file that Asterisk plays as it is."""
        if self.plays_as_it_is:
            return ""
        changes = []
        if self.rate_hz != TELEPHONE_RATE_HZ:
            changes.append(f"{self.rate_hz} Hz to {TELEPHONE_RATE_HZ} Hz")
        if self.channels > 1:
            changes.append(f"{self.channels} channels to one")
        if (self.codec, self.bits) != ("PCM", 16):
            changes.append(f"{self.codec}{f' of {self.bits} bits' if self.bits else ''} to PCM of 16 bits")
        return ", ".join(changes)


def look_at(path: Path) -> SoundFile:
    """Look at a recording.

    Raises:
        RecordingError: it is of no use.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        if size == 0:
            raise RecordingError("is empty; record it again, or use 'text'")
        ending = path.suffix.lower()
        if ending in (".wav", ".wav16"):
            return _wav(file, size, ending)
        if ending not in _RAW:
            raise RecordingError("has an ending that Asterisk does not play; convert it to .wav (sox, ffmpeg)")
        return _raw(file.read(12), size, ending)


def _raw(head: bytes, size: int, ending: str) -> SoundFile:
    form = _RAW[ending]
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        raise RecordingError(f"is a WAV file, not {form.codec} without a head; rename it to .wav")
    for signature, kind in _SIGNATURES:
        # Sound without a head may begin with any two bytes.
        if len(signature) > 2 and head.startswith(signature):
            raise RecordingError(f"is {kind}, not {form.codec}; convert it (sox, ffmpeg)")
    if size % form.frame_bytes:
        raise RecordingError(
            f"is truncated: {size} bytes are no whole number of {form.codec} frames of {form.frame_bytes}; copy it anew"
        )
    bits = 16 if ending in (".sln", ".sln16") else 0
    return SoundFile(form.codec, form.rate_hz, 1, bits, size / form.bytes_per_s, plays_as_it_is=True)


def _wav(file: BinaryIO, size: int, ending: str) -> SoundFile:
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        kind = next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), "")
        raise RecordingError(f"is not a WAV file{f' but {kind}' if kind else ''}; convert it (sox, ffmpeg)")
    form: tuple[int, int, int, int, int] | None = None
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name == b"data":
            if form is None:
                raise RecordingError("is damaged: its format does not come before its sound; convert it (sox, ffmpeg)")
            return _sound(form, length, size - at - 8, ending)
        if name == b"fmt ":
            form = _form(file.read(min(length, 40)))
        at += 8 + length + length % 2
    raise RecordingError("is truncated: there is no sound in it; copy it anew")


def _form(chunk: bytes) -> tuple[int, int, int, int, int]:
    """Codec, channels, rate, bytes a second, bits."""
    if len(chunk) < 16:
        raise RecordingError("is truncated within its head; copy it anew")
    codec, channels, rate_hz, bytes_per_s, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if codec == _EXTENSIBLE and len(chunk) >= 26:
        (codec,) = struct.unpack_from("<H", chunk, 24)
    return codec, channels, rate_hz, bytes_per_s, bits


def _sound(form: tuple[int, int, int, int, int], length: int, present: int, ending: str) -> SoundFile:
    codec, channels, rate_hz, bytes_per_s, bits = form
    if present <= 0 or (length == 0 and present < 2):
        raise RecordingError("is truncated: there is no sound in it; copy it anew")
    # Not by the last byte: some programs leave the padding away.
    if present + 1 < length < _PIPE_LENGTH_MIN:
        raise RecordingError(f"is truncated: {length} bytes of sound are announced, {present} are there; copy it anew")
    known = _CODECS.get(codec, f"codec {codec}")
    duration_s = min(length or present, present) / bytes_per_s if bytes_per_s else 0.0
    found = SoundFile(known, rate_hz, channels, bits if codec != _GSM else 0, duration_s, plays_as_it_is=False)
    plain = (codec, channels, bits) == (_PCM, 1, 16)
    if ending == ".wav16":
        if not plain or rate_hz != 16000:
            raise RecordingError(
                f"is {found.described}; a .wav16 must be PCM, 16000 Hz, 16 bits, mono: convert it, or name it .wav"
            )
        return SoundFile(known, rate_hz, channels, bits, duration_s, plays_as_it_is=True)
    if (codec, bits) not in _CONVERTED:
        raise RecordingError(f"is {found.described}: this codec cannot be converted; make it PCM (sox, ffmpeg)")
    if channels == 0 or not 1000 <= rate_hz <= 400_000:
        raise RecordingError(f"has {channels} channels and {rate_hz} samples a second; convert it (sox, ffmpeg)")
    return SoundFile(known, rate_hz, channels, bits, duration_s, plays_as_it_is=plain and rate_hz == TELEPHONE_RATE_HZ)

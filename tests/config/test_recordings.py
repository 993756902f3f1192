from __future__ import annotations

import struct
from pathlib import Path

import pytest

from config.recordings import RecordingError, look_at


def wav(codec: int, channels: int, rate_hz: int, bits: int, sound: bytes, announced: int | None = None) -> bytes:
    bytes_per_s = rate_hz * channels * bits // 8
    form = struct.pack("<HHIIHH", codec, channels, rate_hz, bytes_per_s, channels * bits // 8, bits)
    length = len(sound) if announced is None else announced
    return b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", length) + sound


def put(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "described", "conversion"),
    [
        ("a.wav", wav(1, 1, 8000, 16, bytes(1600)), "PCM, 8000 Hz, 16 bits, mono", ""),
        (
            "a.wav",
            wav(1, 2, 44100, 16, bytes(17640)),
            "PCM, 44100 Hz, 16 bits, stereo",
            "44100 Hz to 8000 Hz, 2 channels to one",
        ),
        (
            "a.wav",
            wav(1, 1, 8000, 24, bytes(2400)),
            "PCM, 8000 Hz, 24 bits, mono",
            "PCM of 24 bits to PCM of 16 bits",
        ),
        ("a.wav", wav(6, 1, 8000, 8, bytes(800)), "A-law, 8000 Hz, 8 bits, mono", "A-law of 8 bits to PCM of 16 bits"),
        ("a.wav16", wav(1, 1, 16000, 16, bytes(3200)), "PCM, 16000 Hz, 16 bits, mono", ""),
        ("a.alaw", bytes(800), "A-law, 8000 Hz, mono", ""),
        ("a.ulaw", bytes(800), "µ-law, 8000 Hz, mono", ""),
        ("a.gsm", bytes(165), "GSM 6.10, 8000 Hz, mono", ""),
        ("a.g722", bytes(800), "G.722, 16000 Hz, mono", ""),
        ("a.g729", bytes(100), "G.729, 8000 Hz, mono", ""),
        ("a.sln", bytes(1600), "PCM, 8000 Hz, 16 bits, mono", ""),
        ("a.sln16", bytes(3200), "PCM, 16000 Hz, 16 bits, mono", ""),
    ],
)
def test_a_sound_is_described_with_what_is_converted(
    tmp_path: Path, name: str, content: bytes, described: str, conversion: str
) -> None:
    found = look_at(put(tmp_path, name, content))

    assert (found.described, found.conversion, found.plays_as_it_is) == (described, conversion, not conversion)
    assert found.duration_s == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.wav", b"", "is empty"),
        ("a.wav", b"ID3\x04 music", "not a WAV file but an MP3 file"),
        ("a.wav", b"hello, hello, hello", "is not a WAV file;"),
        ("a.wav", wav(1, 1, 8000, 16, bytes(100), announced=1600), "truncated: 1600 bytes of sound are announced, 100"),
        ("a.wav", wav(1, 1, 8000, 16, bytes(100))[:40], "truncated: there is no sound"),
        ("a.wav", wav(1, 1, 8000, 16, b""), "truncated: there is no sound"),
        ("a.wav", wav(85, 2, 44100, 0, bytes(100)), r"MP3, 44100 Hz, stereo: this codec cannot be converted"),
        ("a.wav", wav(49, 1, 8000, 0, bytes(65)), "GSM 6.10, 8000 Hz, mono: this codec cannot be converted"),
        ("a.wav", wav(1, 0, 8000, 16, bytes(100)), "has 0 channels"),
        ("a.wav16", wav(1, 1, 8000, 16, bytes(100)), "8000 Hz, 16 bits, mono; a .wav16 must be PCM, 16000 Hz"),
        ("a.gsm", bytes(166), "truncated: 166 bytes are no whole number of GSM 6.10 frames of 33"),
        ("a.sln", bytes(161), "truncated"),
        ("a.ulaw", wav(7, 1, 8000, 8, bytes(100)), "is a WAV file, not µ-law without a head; rename it"),
        ("a.gsm", b"ID3" + bytes(30), "is an MP3 file, not GSM"),
        ("a.mp3", b"ID3", "an ending that Asterisk does not play"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    with pytest.raises(RecordingError, match=why):
        look_at(put(tmp_path, name, content))


def test_a_length_that_a_pipe_could_not_know_is_no_fault(tmp_path: Path) -> None:
    for announced in (0, 0xFFFFFFFF, 0x7FFFF000):
        found = look_at(put(tmp_path, "a.wav", wav(1, 1, 8000, 16, bytes(1600), announced=announced)))
        assert found.duration_s == pytest.approx(0.1)

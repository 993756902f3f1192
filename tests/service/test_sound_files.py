"""Recordings as Asterisk leaves them: is there anything to be heard?"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from acd.service.sound_files import is_silent
from tests.service.voicemail.sounds import wav

QUIET, LOUD = struct.pack("<h", 12), struct.pack("<h", -300)
SECOND = 8000


@pytest.mark.parametrize(
    ("sound", "silent"),
    [
        (b"", True),
        (QUIET * 10 * SECOND, True),
        (QUIET * SECOND + LOUD * (SECOND // 10) + QUIET * SECOND, True),
        (QUIET * 3 * SECOND + LOUD * (SECOND // 2), False),
        ((QUIET * 79 + LOUD) * (SECOND // 80), False),
        (LOUD * SECOND + b"\x01", False),
    ],
    ids=["nothing", "idle line", "click", "a word at the end", "a low tone", "cut in a sample"],
)
def test_silence(tmp_path: Path, sound: bytes, *, silent: bool) -> None:
    path = tmp_path / "sound.wav"
    path.write_bytes(wav(0.0) + sound)
    assert is_silent(path) is silent


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        is_silent(tmp_path / "sound.wav")

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acd.service.prompts.audio import write_wav
from acd.service.prompts.recorded import inspect
from acd.service.prompts.tools import ToolError
from tests.service.prompts.sounds import tone, wav_file

PLAYABLE = write_wav(tone(440, 8000, 0.1))


@pytest.mark.parametrize(
    ("name", "content", "plays"),
    [
        ("a.wav", PLAYABLE, True),
        ("a.wav", write_wav(tone(440, 44100, 0.1)), False),
        ("a.wav", wav_file(1, 2, 8000, 16, bytes(400)), False),
        ("a.WAV", PLAYABLE, False),
        ("a.WAV", wav_file(49, 1, 8000, 0, bytes(65)), True),
        ("a.gsm", b"anything", True),
        ("a.ulaw", b"anything", True),
        ("a.sln16", b"anything", True),
    ],
)
def test_which_recordings_asterisk_plays_as_they_are(tmp_path: Path, name: str, content: bytes, plays: bool) -> None:
    (tmp_path / name).write_bytes(content)

    found = inspect(tmp_path, name)

    assert found.path == tmp_path / name
    assert found.plays_as_it_is is plays


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.wav", b"ID3", "cannot be used: it is not a WAV file"),
        ("a.mp3", b"ID3", "ending that Asterisk does not play; make it a .wav"),
        ("a", PLAYABLE, "ending that Asterisk does not play"),
    ],
)
def test_recordings_that_cannot_be_used_are_told(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ToolError, match=reason):
        inspect(tmp_path, name)


def test_a_recording_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"the recording .*/gone\.wav cannot be read: No such file"):
        inspect(tmp_path, "gone.wav")
    with pytest.raises(ToolError, match="cannot be read: embedded null"):
        inspect(tmp_path, "a\0.wav")


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/secret.wav", "a/../../secret.wav"])
def test_a_recording_lies_in_its_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.wav").write_bytes(PLAYABLE)
    (tmp_path / "en").mkdir()

    with pytest.raises(ToolError, match="must lie in"):
        inspect(tmp_path / "en", name)


def test_a_recording_is_looked_at_again_only_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(PLAYABLE)
    first = inspect(tmp_path, "a.wav")

    assert inspect(tmp_path, "a.wav", first) is first

    file.write_bytes(write_wav(tone(550, 44100, 0.1)))
    os.utime(file, ns=(first.modified_ns, first.modified_ns + 1))
    changed = inspect(tmp_path, "a.wav", first)
    assert not changed.plays_as_it_is
    assert changed.digest != first.digest

"""What counts as the machine's own Asterisk, SIPp and espeak-ng."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.lab.install import (
    NEEDED_MODULES,
    parse_asterisk_version,
    parse_sipp_version,
    system_asterisk,
    system_espeak_ng,
    system_sipp,
    system_sounds,
)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Asterisk 22.10.1+dfsg+~cs6.17.60671434-1", "22.10.1"),
        ("Asterisk 18.9-cert3", "18.9"),
        ("Asterisk certified/20.7-cert2", "20.7"),
        ("Asterisk certified-20.7-cert2", "20.7"),
        ("Asterisk GIT-master-7a1b2c", None),
        ("", None),
    ],
)
def test_asterisk_versions(text: str, version: str | None) -> None:
    assert parse_asterisk_version(text) == version


def test_sipp_version() -> None:
    assert parse_sipp_version("\n SIPp v3.8.0-TLS-SCTP-PCAP.\n") == (3, 8, 0)
    assert parse_sipp_version("sipp: command not found") is None


def program(folder: Path, name: str, output: str) -> dict[str, str]:
    path = folder / "usr" / "sbin" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\n")
    path.chmod(0o755)
    return {"PATH": str(path.parent)}


def asterisk_tree(folder: Path, version: str) -> dict[str, str]:
    modules = folder / "usr" / "lib" / "x86_64-linux-gnu" / "asterisk" / "modules"
    modules.mkdir(parents=True)
    for name in NEEDED_MODULES:
        (modules / name).touch()
    (folder / "usr" / "share" / "asterisk" / "documentation").mkdir(parents=True)
    return program(folder, "asterisk", f"Asterisk {version}")


def test_an_asterisk_that_is_new_enough(tmp_path: Path) -> None:
    found = system_asterisk(asterisk_tree(tmp_path, "20.5.0"), pytest.fail)
    assert found is not None
    assert found.version == "20.5.0"
    assert found.argv == (str(tmp_path / "usr/sbin/asterisk"),)
    assert found.module_dir == tmp_path / "usr/lib/x86_64-linux-gnu/asterisk/modules"
    assert found.data_dir == tmp_path / "usr/share/asterisk"


def test_an_asterisk_that_is_too_old(tmp_path: Path) -> None:
    said: list[str] = []
    assert system_asterisk(asterisk_tree(tmp_path, "16.28.0"), said.append) is None
    assert said == [
        f"{tmp_path}/usr/sbin/asterisk is not used: it is Asterisk 16.28.0, and 18 is the oldest that will do"
    ]


def test_an_asterisk_without_pjsip(tmp_path: Path) -> None:
    env = asterisk_tree(tmp_path, "20.5.0")
    next(tmp_path.glob("**/chan_pjsip.so")).unlink()
    said: list[str] = []
    assert system_asterisk(env, said.append) is None
    assert "it has not all modules that are needed" in said[0]


def test_sounds_count_only_when_both_are_there(tmp_path: Path) -> None:
    found = system_asterisk(asterisk_tree(tmp_path, "20.5.0"), pytest.fail)
    data = tmp_path / "usr/share/asterisk"
    assert system_sounds(None) is None
    for name in ("sounds/en/beep.gsm", "moh/song.gsm"):
        sounds = system_sounds(found)
        assert sounds is None or sounds.sounds_dir != data / "sounds"
        (data / name).parent.mkdir(parents=True)
        (data / name).touch()
    sounds = system_sounds(found)
    assert sounds is not None
    assert sounds.moh_dir == data / "moh"


@pytest.mark.parametrize(
    ("output", "good"),
    [("SIPp v3.8.0-TLS-PCAP.", True), ("SIPp v3.5.2-PCAP.", False), ("SIPp v3.8.0-TLS.", False), ("", False)],
)
def test_sipp_that_serves(tmp_path: Path, output: str, good: bool) -> None:
    assert bool(system_sipp(program(tmp_path, "sipp", output))) is good


@pytest.mark.parametrize(
    ("output", "good"),
    [
        ("eSpeak NG text-to-speech: 1.52.0  Data at: /x\n 5  cmn  --/M\n 2  en-gb  --/M", True),
        ("eSpeak NG text-to-speech: 1.51  Data at: /x\n 5  cmn  --/M\n 2  en-gb  --/M", False),
        ("eSpeak NG text-to-speech: 1.52.0\n 2  en-gb  --/M", False),
        ("eSpeak NG text-to-speech: 1.52.0\n 5  cmn  --/M", False),
    ],
)
def test_espeak_that_serves(tmp_path: Path, output: str, good: bool) -> None:
    assert bool(system_espeak_ng(program(tmp_path, "espeak-ng", output))) is good

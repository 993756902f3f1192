"""What an Asterisk to run is made of: the commands, and where its modules, sounds and music are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

OLDEST_ASTERISK = 18
OLDEST_SIPP = (3, 6)
OLDEST_ESPEAK_NG = (1, 52)  # 1.51 misreads common Chinese words (银行)
# An ordinary user's PATH on Debian lacks the folders where distributions put the asterisk command.
EXTRA_PATH = ("/usr/local/sbin", "/usr/sbin", "/sbin")
NEEDED_MODULES = ("chan_pjsip.so", "res_agi.so", "app_dial.so", "app_queue.so", "res_musiconhold.so")
PROBE_TIMEOUT_S = 15


class Tool(StrEnum):
    """A part of the lab; each is taken from the machine when it has it, else fetched."""

    ASTERISK = "asterisk"
    SOUNDS = "sounds"
    SIPP = "sipp"
    ESPEAK_NG = "espeak-ng"


ALL_TOOLS = frozenset(Tool)


@dataclass(frozen=True, slots=True)
class AsteriskInstall:
    """An Asterisk that can be started, and the tools beside it.

    A command is an argv prefix: append the program's own arguments. The prefix of a tool that was not asked
    for is empty.
    """

    asterisk: tuple[str, ...]
    sipp: tuple[str, ...]
    espeak_ng: tuple[str, ...]
    version: str
    module_dir: Path
    data_dir: Path
    sounds_dir: Path
    moh_dir: Path

    @property
    def major(self) -> int:
        """Asterisk's major version, such as 22."""
        return int(self.version.split(".", 1)[0])


@dataclass(frozen=True, slots=True)
class AsteriskProgram:
    """The Asterisk command with the modules that fit it."""

    argv: tuple[str, ...]
    version: str
    module_dir: Path
    data_dir: Path


@dataclass(frozen=True, slots=True)
class Sounds:
    """Folders with prompts and music on hold."""

    sounds_dir: Path
    moh_dir: Path


def probe(argv: tuple[str, ...]) -> str:
    """What a command prints (both streams), or an empty string when it can't be run or takes too long."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=PROBE_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def parse_asterisk_version(text: str) -> str | None:
    """The version in the output of ``asterisk -V``: ``22.10.1`` from ``Asterisk 22.10.1+dfsg…``, certified too."""
    found = re.search(r"Asterisk (?:certified[/-])?(\d+(?:\.\d+)*)", text)
    return found.group(1) if found else None


def parse_sipp_version(text: str) -> tuple[int, ...] | None:
    """The version in the output of ``sipp -v``, as numbers."""
    found = re.search(r"SIPp v(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found.group(1).split(".")) if found else None


def which(name: str, env: Mapping[str, str]) -> str | None:
    """The path of a command, looked for in PATH and in the system administrator's folders."""
    return shutil.which(name, path=os.pathsep.join((env.get("PATH", os.defpath), *EXTRA_PATH)))


def system_asterisk(env: Mapping[str, str], say: Callable[[str], None]) -> AsteriskProgram | None:
    """The machine's own Asterisk, when it is new enough and has the modules needed; else ``say`` is told why."""
    path = which("asterisk", env)
    if path is None:
        return None
    version = parse_asterisk_version(probe((path, "-V")))
    module_dir = next((folder for folder in _module_dirs(Path(path)) if _has_modules(folder)), None)
    data_dir = next((folder for folder in _data_dirs(Path(path)) if os.access(folder, os.R_OK | os.X_OK)), None)
    if version is None:
        say(f"{path} is not used: it does not tell its version")
    elif int(version.split(".", 1)[0]) < OLDEST_ASTERISK:
        say(f"{path} is not used: it is Asterisk {version}, and {OLDEST_ASTERISK} is the oldest that will do")
    elif module_dir is None:
        say(f"{path} is not used: it has not all modules that are needed ({', '.join(NEEDED_MODULES)})")
    elif data_dir is None:
        say(f"{path} is not used: its folder of data (share/asterisk or /var/lib/asterisk) can't be read")
    else:
        return AsteriskProgram((path,), version, module_dir, data_dir)
    return None


def system_sounds(program: AsteriskProgram | None) -> Sounds | None:
    """The prompts and music that came with the machine's own Asterisk, when both are there."""
    if program is None:
        return None
    for base in (program.data_dir, Path("/var/lib/asterisk"), Path("/usr/share/asterisk")):
        sounds = Sounds(base / "sounds", base / "moh")
        if has_sounds(sounds):
            return sounds
    return None


def has_sounds(sounds: Sounds) -> bool:
    """Whether there is an English prompt and at least one piece of music."""
    english = sounds.sounds_dir / "en"
    return any(english.glob("beep.*")) and any(sounds.moh_dir.glob("*.*"))


def system_sipp(env: Mapping[str, str]) -> tuple[str, ...]:
    """The machine's own SIPp when it is new enough and was built with pcap (for digits); else empty."""
    path = which("sipp", env)
    text = probe((path, "-v")) if path else ""
    version = parse_sipp_version(text)
    return (path,) if path and version and version >= OLDEST_SIPP and "PCAP" in text else ()


def system_espeak_ng(env: Mapping[str, str]) -> tuple[str, ...]:
    """The machine's own espeak-ng when it is new enough to speak English and Mandarin well; else empty."""
    path = which("espeak-ng", env)
    if path is None:
        return ()
    found = re.search(r"text-to-speech: (\d+)\.(\d+)", probe((path, "--version")))
    if found is None or (int(found[1]), int(found[2])) < OLDEST_ESPEAK_NG:
        return ()
    voices = probe((path, "--voices"))
    return (path,) if re.search(r"\bcmn\b", voices) and re.search(r"\ben-", voices) else ()


def _module_dirs(command: Path) -> list[Path]:
    prefix = command.resolve().parent.parent
    folders = [prefix / "lib" / "asterisk" / "modules", prefix / "lib64" / "asterisk" / "modules"]
    return [*folders, *sorted(prefix.glob("lib/*-linux-*/asterisk/modules")), Path("/usr/lib/asterisk/modules")]


def _has_modules(folder: Path) -> bool:
    return all((folder / name).is_file() for name in NEEDED_MODULES)


def _data_dirs(command: Path) -> list[Path]:
    # static-http and documentation are installed with every Asterisk, whichever folder it was built for.
    prefix = command.resolve().parent.parent
    candidates = [prefix / "share" / "asterisk", Path("/var/lib/asterisk"), prefix / "var" / "lib" / "asterisk"]
    return [folder for folder in candidates if (folder / "documentation").is_dir()]

"""Reading the files of a configuration folder: what can go wrong on the way becomes a finding, never an exception."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from config.problems import Findings, Position
from config.wording import printable

__all__ = ["MAX_FILE_BYTES", "read", "readable_by_others", "reason", "resolved", "shown"]

MAX_FILE_BYTES = 4 * 1024 * 1024
"""More than any site writes by hand; 10,000 agents fit in half of it."""


def shown(path: Path) -> str:
    """Return a path as text that can be printed: bytes that are not UTF-8 and control characters escaped."""
    return printable(os.fsencode(path).decode("utf-8", "backslashreplace"))


def resolved(path: Path, base: Path) -> Path:
    """Return an absolute path: ``~`` is the home folder, what is relative is below ``base``."""
    try:
        path = path.expanduser()
    except RuntimeError:  # No such user, or no home folder: the name is taken as it stands.
        return base / path
    return base / path


def reason(error: OSError) -> str:
    """Say why the system refused, without the path, which the position already gives."""
    return (error.strerror or str(error)).lower()


def read(path: Path, findings: Findings, limit: int = MAX_FILE_BYTES, *, if_missing: str = "create it") -> bytes | None:
    """Return a file's bytes; None, and a finding, if it is missing, unreadable, no file, or above ``limit`` bytes.

    ``if_missing`` is the remedy for a file that is not there.
    """
    position = Position(shown(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            findings.error(position, "this is not a file; put one here")
            return None
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        findings.error(position, f"the file is missing; {if_missing}")
        return None
    except OSError as error:
        findings.error(position, f"the file cannot be read ({reason(error)}); let the engine's user read it")
        return None
    if len(data) > limit:
        findings.error(position, f"the file is larger than {limit} bytes; split or shorten it")
        return None
    return data


def readable_by_others(path: Path) -> bool:
    """Tell whether users beside the owner and the group may read a file; a file that is not there is not."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False

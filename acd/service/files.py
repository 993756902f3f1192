"""Small files that must be whole after a crash, and private where they hold a secret."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from typing import TextIO

__all__ = ["claim_folder", "load_or_create_token", "sync_folder", "write_atomically"]

_TOKEN_BYTES = 32


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the file's content in one step: a reader, also one after a power cut, sees the old or the new one.

    Raises:
        OSError: the folder is missing or not writable, or the disk is full; the old content is still there then.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Let the names in a folder, too, survive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def claim_folder(folder: Path) -> TextIO:
    """Claim a folder for this process alone, until the file that is returned is closed or the process has ended.

    Raises:
        BlockingIOError: another process has claimed it.
        OSError: its file ``lock`` cannot be written.
    """
    file = (folder / "lock").open("a", encoding="ascii")
    try:
        # The process's own lock (not flock's): no child of ours keeps it when we are killed.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        file.close()
        raise
    return file


def load_or_create_token(path: Path) -> str:
    """Read the token kept in ``path``; where there is none yet, make one that only this user can read.

    Raises:
        OSError: the file cannot be read or written.
    """
    try:
        token = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        token = ""
    if not token:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        write_atomically(path, f"{token}\n".encode())
    return token

"""Child processes: they end when we do, and are ended without a race."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal


def dies_with_parent() -> tuple[str, ...]:
    """The argv prefix by which the kernel ends a child when its parent dies (util-linux; empty where it is absent).

    "Parent" is the thread that starts the child, so children are to be started from the main thread.
    """
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL") if setpriv else ()


def stop_signals() -> tuple[signal.Signals, ...]:
    """What asks a program at the terminal to stop: Ctrl-C, kill, and the terminal's end unless under nohup."""
    kept_away = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *(() if kept_away else (signal.SIGHUP,)))


def end_process(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Sends a signal to a child that may have ended just now.

    ``Process.terminate()`` looks whether the child has ended and, if so, takes its exit status away from asyncio's
    own watcher, which then complains and reports 255.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)

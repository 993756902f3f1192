"""Progress: plain lines in a log, a bar on a terminal."""

from __future__ import annotations

import io
import os
import pty
import select

import pytest

from acd.lab.progress import BarProgress, PlainProgress, progress_for


def test_plain_lines_at_each_quarter() -> None:
    stream = io.StringIO()
    progress = progress_for(stream)
    assert isinstance(progress, PlainProgress)
    progress.say("first")
    with progress.stage("Unpacking") as update:
        for percent in range(0, 101, 5):
            update(percent / 100)
    assert stream.getvalue().splitlines() == [
        "first",
        "Unpacking …",
        "Unpacking: 25%",
        "Unpacking: 50%",
        "Unpacking: 75%",
        "Unpacking: done",
    ]


def test_a_stage_that_fails_is_not_done() -> None:
    stream = io.StringIO()

    def fail() -> None:
        with PlainProgress(stream).stage("Unpacking"):
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert stream.getvalue() == "Unpacking …\n"


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as terminal:
        progress = progress_for(terminal)
        assert isinstance(progress, BarProgress)
        progress.say("Fetching [bold]as it is[/bold]")
        with progress.stage("Downloading") as update:
            update(0.5)
        terminal.flush()
        # A terminal hands over what it has at the moment: one read need not be all.
        shown = b""
        while b"100%" not in shown and select.select([reader], [], [], 10)[0]:
            shown += os.read(reader, 100_000)
    os.close(reader)
    assert b"[bold]as it is[/bold]" in shown
    assert b"Downloading" in shown
    assert b"100%" in shown

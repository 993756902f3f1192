"""Progress on standard error: a bar on a terminal, plain lines elsewhere (a log file, a CI job)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

PLAIN_STEP = 0.25


class Progress(Protocol):
    """Where long work tells how far it is."""

    def say(self, text: str) -> None:
        """One line of information."""

    def stage(self, title: str) -> AbstractContextManager[Callable[[float], None]]:
        """A piece of work; the callable takes the fraction done, 0 to 1."""


class PlainProgress:
    """A line when a stage begins, at each quarter, and when it is done."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def say(self, text: str) -> None:
        """One line of information."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def stage(self, title: str) -> Iterator[Callable[[float], None]]:
        """A piece of work, told in lines."""
        self.say(f"{title} …")
        told = 0.0

        def update(fraction: float) -> None:
            nonlocal told
            if fraction - told >= PLAIN_STEP and fraction < 1:
                told = fraction - fraction % PLAIN_STEP
                self.say(f"{title}: {told:.0%}")

        yield update
        self.say(f"{title}: done")


class BarProgress:
    """A moving bar for each stage."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream)

    def say(self, text: str) -> None:
        """One line of information, above the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def stage(self, title: str) -> Iterator[Callable[[float], None]]:
        """A piece of work, shown as a bar."""
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with RichProgress(*columns, console=self._console) as bar:
            task = bar.add_task(title, total=1.0)
            yield lambda fraction: bar.update(task, completed=min(fraction, 1.0))
            bar.update(task, completed=1.0)


def progress_for(stream: TextIO | None = None) -> Progress:
    """A bar when ``stream`` (standard error by default) is a terminal, plain lines otherwise."""
    stream = sys.stderr if stream is None else stream
    return BarProgress(stream) if stream.isatty() else PlainProgress(stream)

"""How the demo is shown: a live table on a terminal, a line for each happening elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from acd.lab.demo_engine import Status
from acd.lab.demo_story import CallerStory

__all__ = ["Screen", "print_summary", "screen_for"]

STATE_STYLES: Mapping[str, str] = {
    "ready": "green",
    "reserved": "yellow",
    "offered": "yellow",
    "talking": "bold cyan",
    "waiting": "magenta",
    "wrap-up": "blue",
    "back-off": "red",
}


class Screen(Protocol):
    """Where the demo is shown."""

    def say(self, text: str) -> None:
        """One line of information."""

    def live(self) -> AbstractContextManager[None]:
        """The time during which statuses are shown."""

    def show(self, status: Status, happened: Iterable[str]) -> None:
        """The engine's status, and what has happened since the one before."""


class PlainScreen:
    """Lines, each with the seconds since the beginning."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """One line of information."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Begins to count the seconds."""
        self._began = time.monotonic()
        yield

    def show(self, status: Status, happened: Iterable[str]) -> None:  # noqa: ARG002 - the lines tell it all
        """A line for each happening."""
        for line in happened:
            self.say(f"{time.monotonic() - self._began:6.1f} s  {line}")


class LiveScreen:
    """Tables of queues, agents and callers that stay in place, and a line for messages, callbacks and surveys."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """One line of information, above the tables."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Shows the tables as long as it lasts."""
        self._began = time.monotonic()
        with self._live:
            yield

    def show(self, status: Status, happened: Iterable[str]) -> None:
        """The tables as they stand."""
        for _line in happened:
            pass  # the tables tell it
        head = Text(f"{time.monotonic() - self._began:5.1f} s", style="dim")
        self._live.update(
            Group(head, _queues(status), _agents(status), _callers(status), _beside(status)), refresh=True
        )


def screen_for(stream: TextIO | None = None) -> Screen:
    """Tables when ``stream`` (standard output by default) is a terminal, lines otherwise."""
    stream = sys.stdout if stream is None else stream
    return LiveScreen(Console(file=stream)) if stream.isatty() else PlainScreen(stream)


def print_summary(stories: Iterable[CallerStory], served: Collection[str], stream: TextIO | None = None) -> None:
    """A line for each caller, then the sums. ``served``: the numbers of those who reached an agent."""
    console = Console(file=stream, highlight=False)
    table = Table(title="All calls", title_justify="left")
    for column in ("Caller", "Queue", "Waited", "Rang at", "Served by", "Survey"):
        table.add_column(column, justify="right" if column == "Waited" else "left")
    for story in stories:
        waited = f"{story.waited_s:.1f} s" if story.waited_s is not None else "-"
        answers = ", ".join(str(answer) for answer in story.survey.values())
        by = _outcome(story, story.caller in served)
        _add(table, story.caller, story.queue or "-", waited, ", ".join(story.tried), by, answers)
    console.print(table)


def _outcome(story: CallerStory, served: bool) -> Text:
    if story.message_s is not None:
        return Text(f"message, {story.message_s:.1f} s")
    if not served:
        return Text("nobody", style="bold red")
    return Text(f"{story.agent}, called back" if story.called_back else story.agent)


def _beside(status: Status) -> Text:
    """One line for what is not a call."""
    seconds = sum(message["seconds"] for message in status["messages"])
    numbers = (
        ("Messages", f"{len(status['messages'])} ({seconds:.0f} s)"),
        ("Callbacks waiting", str(len(status["callbacks"]))),
        ("Survey answers", str(sum(len(survey["answers"]) for survey in status["surveys"]))),
    )
    return Text("    ".join(f"{what}: {number}" for what, number in numbers), style="bold")


def _queues(status: Status) -> Table:
    table = _table("Queue", "Waiting", "Ringing", "Talking", "Longest wait", "Free agents", "Served")
    for queue in status["queues"]:
        longest = f"{queue['longest_wait_s']:.0f} s" if queue["waiting"] else ""
        numbers = (queue["waiting"], queue["offered"], queue["talking"], longest, queue["ready"], queue["handled"])
        _add(table, queue["title"], *numbers)
    return table


def _callers(status: Status) -> Table:
    table = _table("Caller", "Queue", "State", "For", "Agent")
    for call in status["calls"]:
        agent = call["agent"] or ", ".join(call["offered_to"])
        _add(table, call["caller"], call["queue"], _state(call), f"{call['in_state_s']:.0f} s", agent)
    return table


def _agents(status: Status) -> Table:
    table = _table("Agent", "State", "For", "Calls")
    for agent in status["agents"]:
        _add(table, agent["name"], _state(agent), f"{agent['in_state_s']:.0f} s", agent["calls"])
    return table


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, min_width=72)  # low, so that all three fit on a terminal of 24 lines
    for column in columns:
        table.add_column(column)
    return table


def _add(table: Table, *cells: object) -> None:
    """Add a row. Texts are taken as they are: what callers send must not be read as markup."""
    table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in cells))


def _state(entry: Mapping[str, Any]) -> Text:
    reason = f" ({entry['reason']})" if entry.get("reason") else ""
    return Text(f"{entry['state']}{reason}", style=STATE_STYLES.get(entry["state"], ""))

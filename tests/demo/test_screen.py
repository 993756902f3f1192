from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from acd.lab.demo import DemoResult
from acd.lab.demo_screen import LiveScreen, PlainScreen, print_summary, screen_for
from acd.lab.demo_story import CallerStory

QUEUE = {"title": "Sales", "waiting": 2, "offered": 1, "talking": 0, "longest_wait_s": 7.4, "ready": 0, "handled": 3}
CALL = {"caller": "+49[red]1", "queue": "sales", "state": "offered", "in_state_s": 1.2, "agent": ""}
AGENT = {"name": "Anna Li", "state": "back-off", "reason": "rejected", "in_state_s": 2.0, "calls": 4}
STATUS: dict[str, Any] = {"queues": [QUEUE], "calls": [{**CALL, "offered_to": ["anna"]}], "agents": [AGENT]}


def test_tables_on_a_terminal() -> None:
    stream = io.StringIO()
    screen = LiveScreen(Console(file=stream, force_terminal=True, width=100))
    with screen.live():
        screen.show(STATUS, iter(["something"]))
    shown = stream.getvalue()
    for text in ("Sales", "7 s", "+49[red]1", "offered", "back-off (rejected)", "Anna Li"):
        assert text in shown


def test_lines_elsewhere() -> None:
    stream = io.StringIO()
    screen = screen_for(stream)
    assert isinstance(screen, PlainScreen)
    with screen.live():
        screen.show(STATUS, ["+491 is in the menu"])
        screen.show(STATUS, [])
    assert stream.getvalue() == "   0.0 s  +491 is in the menu\n"


def test_the_summary_names_who_served_and_who_was_lost() -> None:
    stream = io.StringIO()
    stories = [CallerStory("+491", "sales", "bob", 3.25, ("anna", "bob")), CallerStory("+492")]
    print_summary(stories, {"+491"}, stream)
    lines = stream.getvalue().splitlines()
    assert any("+491" in line and "3.2 s" in line and "anna, bob" in line for line in lines)
    assert any("+492" in line and "nobody" in line for line in lines)


def test_success_needs_every_caller_and_no_fault() -> None:
    stories = [CallerStory("+491", "sales", "bob", 2.0), CallerStory("+492", "sales", "anna", 4.0)]
    both = frozenset({"+491", "+492"})
    assert DemoResult(stories, both, 0, 61.0).succeeded
    assert not DemoResult(stories, frozenset({"+491"}), 0, 61.0).succeeded
    assert not DemoResult(stories, both, 1, 61.0).succeeded
    assert not DemoResult([], frozenset(), 0, 61.0).succeeded
    assert (
        str(DemoResult(stories, both, 0, 61.0))
        == "2 calls: 2 served, 0 lost; waited 3.0 s on average, 4.0 s at most; took 61 s"
    )


def test_a_summary_without_any_wait() -> None:
    assert "1 lost; waited 0.0 s" in str(DemoResult([CallerStory("+491")], frozenset(), 0, 1.0))

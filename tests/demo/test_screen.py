from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from acd.lab.demo import DemoResult
from acd.lab.demo_screen import LiveScreen, PlainScreen, print_summary, screen_for
from acd.lab.demo_story import CallerStory

QUEUE = {"title": "Sales", "waiting": 2, "offered": 1, "talking": 0, "longest_wait_s": 7.4, "ready": 0, "handled": 3}
CALL = {"caller": "+49[red]1", "queue": "sales", "state": "offered", "in_state_s": 1.2, "agent": ""}
AGENT = {"name": "Anna Li", "state": "back-off", "reason": "rejected", "in_state_s": 2.0, "calls": 4}
STATUS: dict[str, Any] = {
    "queues": [QUEUE],
    "calls": [{**CALL, "offered_to": ["anna"]}],
    "agents": [AGENT],
    "messages": [{"seconds": 5.5}, {"seconds": 6.0}],
    "callbacks": [{"number": "+493"}],
    "surveys": [{"answers": {"solved": 1, "friendly": 5}}, {"answers": {"solved": 2}}],
}


def test_tables_on_a_terminal() -> None:
    stream = io.StringIO()
    screen = LiveScreen(Console(file=stream, force_terminal=True, width=100))
    with screen.live():
        screen.show(STATUS, iter(["something"]))
    shown = stream.getvalue()
    for text in ("Sales", "7 s", "+49[red]1", "offered", "back-off (rejected)", "Anna Li"):
        assert text in shown
    assert "Messages: 2 (12 s)    Callbacks waiting: 1    Survey answers: 3" in shown


def test_lines_elsewhere() -> None:
    stream = io.StringIO()
    screen = screen_for(stream)
    assert isinstance(screen, PlainScreen)
    with screen.live():
        screen.show(STATUS, ["+491 is in the menu"])
        screen.show(STATUS, [])
    assert stream.getvalue() == "   0.0 s  +491 is in the menu\n"


def test_the_summary_names_what_came_of_each_call() -> None:
    stream = io.StringIO()
    stories = [
        CallerStory("+491", "sales", "bob", 3.25, ("anna", "bob"), survey={"solved": 1, "friendly": 5}),
        CallerStory("+492"),
        CallerStory("+493", message_s=5.75),
        CallerStory("+494", "support", "chen", 9.0, ("chen",), called_back=True),
    ]
    print_summary(stories, {"+491", "+494"}, stream)
    lines = stream.getvalue().splitlines()
    assert any("+491" in line and "3.2 s" in line and "anna, bob" in line and "1, 5" in line for line in lines)
    assert any("+492" in line and "nobody" in line for line in lines)
    assert any("+493" in line and "message, 5.8 s" in line for line in lines)
    assert any("+494" in line and "chen, called" in line for line in lines)


def result(*missing: str, faults: int = 0, stories: Sequence[CallerStory] | None = None) -> DemoResult:
    everything = [
        CallerStory("+491", "sales", "bob", 2.0, survey={"solved": 1}),
        CallerStory("+492", "sales", "anna", 4.0, called_back=True),
        CallerStory("+493", message_s=5.5),
    ]
    told = everything if stories is None else stories
    return DemoResult(told, frozenset({"+491", "+492"}), missing, faults, 61.0)


def test_success_needs_everything_and_no_fault() -> None:
    assert result().succeeded
    assert not result("the message of +493").succeeded
    assert not result(faults=1).succeeded
    assert not result(stories=[]).succeeded
    sums = (
        "3 calls: 2 served; waited 3.0 s on average, 4.0 s at most; 1 message left (5.5 s of sound); 1 callback done; "
        "1 survey answered; took 61 s"
    )
    assert str(result()) == sums
    assert str(result("the talk of +491", faults=2)) == (
        f"{sums}; MISSING: the talk of +491; the engine found 2 faults of its own"
    )


def test_a_summary_without_any_wait() -> None:
    assert "waited 0.0 s" in str(result(stories=[CallerStory("+491")]))

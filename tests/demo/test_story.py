from __future__ import annotations

from typing import Any

from acd.lab.demo_story import CallerStory, Stories

AGENTS = [{"id": "anna", "name": "Anna Li"}, {"id": "bob", "name": "Bob Miller"}]


def status(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"calls": list(calls), "agents": AGENTS}


def call(state: str, **more: Any) -> dict[str, Any]:
    plain = {"caller": "+491", "state": state, "queue": "", "offered_to": [], "agent": "", "waited_s": 0.0}
    return {**plain, "position": 0, **more}


def test_a_call_from_the_menu_to_its_end() -> None:
    stories = Stories()
    statuses = [
        status(call("menu")),
        status(call("waiting", queue="sales", position=2)),
        status(call("waiting", queue="sales", position=1)),
        status(call("offered", queue="sales", offered_to=["anna"])),
        status(call("offered", queue="sales", offered_to=["bob"])),
        status(call("talking", queue="sales", agent="bob", waited_s=3.25)),
        status(),
    ]
    assert [line for each in statuses for line in stories.take(each)] == [
        "+491 is in the menu",
        "+491 waits in sales, place 2",
        "+491 (sales): the phone of Anna Li rings",
        "+491 (sales): the phone of Bob Miller rings",
        "+491 (sales) talks to Bob Miller after 3.2 s",
        "+491 has hung up",
    ]
    assert stories.by_caller == {"+491": CallerStory("+491", "sales", "bob", 3.25, ("anna", "bob"))}


def test_nothing_is_told_twice() -> None:
    stories = Stories()
    assert list(stories.take(status(call("menu"))))
    assert list(stories.take(status(call("menu", waited_s=9.0)))) == []


def test_a_caller_whom_nobody_served() -> None:
    stories = Stories()
    list(stories.take(status(call("waiting", queue="sales", position=1))))
    assert list(stories.take(status())) == ["+491 is gone, unserved"]
    assert stories.by_caller["+491"].waited_s is None

from __future__ import annotations

from typing import Any

from acd.lab.demo_story import CallerStory, Stories

AGENTS = [{"id": "anna", "name": "Anna Li"}, {"id": "bob", "name": "Bob Miller"}]


def status(*calls: dict[str, Any], **beside: list[dict[str, Any]]) -> dict[str, Any]:
    return {"calls": list(calls), "agents": AGENTS, "messages": [], "callbacks": [], "surveys": [], **beside}


def call(state: str, **more: Any) -> dict[str, Any]:
    plain = {"id": "c1", "caller": "+491", "state": state, "queue": "", "offered_to": [], "agent": "", "waited_s": 0.0}
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


def test_a_caller_who_leaves_a_message() -> None:
    stories = Stories()
    message = {"id": "m1", "seconds": 5.75, "call": {"caller": "+491"}}
    statuses = [status(call("menu")), status(call("menu"), messages=[message]), status(messages=[message])]
    assert [line for each in statuses for line in stories.take(each)] == [
        "+491 is in the menu",
        "+491 has left a message of 5.8 s",
        "+491 has hung up",
    ]
    assert stories.by_caller == {"+491": CallerStory("+491", message_s=5.75)}


def test_a_caller_who_is_called_back() -> None:
    stories = Stories()
    promised = [{"id": "c2", "number": "+491"}]
    statuses = [
        status(call("menu")),
        status(call("menu"), call("waiting", id="c2", queue="support", position=1), callbacks=promised),
        status(call("waiting", id="c2", queue="support", position=1), callbacks=promised),
        status(call("talking", id="c2", queue="support", agent="bob", waited_s=9.0)),
        status(),
    ]
    assert [line for each in statuses for line in stories.take(each)] == [
        "+491 is in the menu",
        "+491 will be called back, and hangs up",
        "+491 waits in support, place 1",
        "+491 has hung up",
        "+491 (support) talks to Bob Miller after 9.0 s",
        "+491 has hung up",
    ]
    assert stories.by_caller == {"+491": CallerStory("+491", "support", "bob", 9.0, called_back=True)}


def test_the_survey_after_the_talk_is_told_once() -> None:
    stories = Stories()
    survey = {"call": "c1", "answers": {"solved": 1, "friendly": 5}}
    statuses = [
        status(call("talking", queue="sales", agent="anna", waited_s=1.0)),
        status(call("menu", queue="sales")),
        status(call("menu", queue="sales"), surveys=[survey]),
        status(surveys=[survey, {"call": "of another day", "answers": {"solved": 2}}]),
    ]
    assert [line for each in statuses for line in stories.take(each)] == [
        "+491 (sales) talks to Anna Li after 1.0 s",
        "+491 is asked how it was",
        "+491 has answered the survey: solved 1, friendly 5",
        "+491 has hung up",
    ]
    assert stories.by_caller["+491"].survey == {"solved": 1, "friendly": 5}

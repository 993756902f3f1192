"""Keys that mean the same everywhere, and prompts that no key stops."""

from __future__ import annotations

import pytest

from ivr.keys import Keys
from ivr.nodes import EnqueueNode, Play, Say, SayKind
from ivr.speech import Prompt
from ivr.tree import Forest, Node, Tree
from tests.ivr.builders import Walk, at, end, menu, play, prompts
from tests.ivr.scripted_line import ScriptedLine

KEYS = Keys(repeat="*", back="#", top="8", operator="0", operator_node=at("operator"))
LAW = Prompt("law", barge_in=False)


def site(*nodes: Node, keys: Keys = KEYS) -> Walk:
    return Walk(Forest([Tree(name="main", start=at("start"), nodes=(*nodes, end("operator"), end("bye")), keys=keys)]))


@pytest.mark.parametrize(
    ("keys", "story"),
    [
        ("1*2", ["start choice 1 -> news", "news repeat * -> news", "news next -> deep", "deep choice 2 -> bye"]),
        ("1#", ["start choice 1 -> news", "news back # -> start"]),
        ("12", ["start choice 1 -> news", "news next -> deep", "deep choice 2 -> bye"]),
        ("10", ["start choice 1 -> news", "news operator 0 -> operator"]),
        ("1", ["start choice 1 -> news", "news next -> deep"]),
    ],
)
@pytest.mark.parametrize("kind", ["play", "say"])
async def test_they_work_while_something_is_played_or_said(kind: str, keys: str, story: list[str]) -> None:
    news: Node = (
        play("news", "deep")
        if kind == "play"
        else Say(id=at("news"), kind=SayKind.TEXT, value="News.", next=at("deep"))
    )
    walk = site(menu({"1": "news"}), news, menu({"2": "bye"}, name="deep", on_failure="bye"))

    await walk.run(ScriptedLine([(0.5 + 0.4 * index, key) for index, key in enumerate(keys)]))

    assert walk.story[: len(story)] == story


async def test_what_a_play_does_with_a_key_is_told() -> None:
    walk = site(menu({"1": "news"}), play("news", "start"))
    line = ScriptedLine(reactions={"start": [[(0.2, "1")]], "news": [[(0.3, "8")]]})

    await walk.run(line)

    assert line.heard_parts[:3] == ["start…", "news…", "start"]
    assert (walk.records[1].key, walk.records[1].interrupted, walk.records[1].outcome) == ("8", True, "top")


async def test_a_prompt_that_no_key_stops_has_no_keys() -> None:
    walk = site(play("start", "deep", barge_in=False), menu({"1": "bye"}, name="deep"))

    await walk.run(ScriptedLine([(0.5, "*"), (0.6, "1")]))

    assert walk.story[:2] == ["start next -> deep", "deep repeat * -> deep"], "the menu has the key then"


async def test_a_node_may_have_keys_of_its_own_or_none() -> None:
    walk = site(
        Play(id=at("start"), prompts=prompts("start"), next=at("deep"), keys=Keys()),
        menu({"1": "bye"}, name="deep", keys=Keys(repeat="7"), on_failure="bye"),
    )

    await walk.run(ScriptedLine([(0.5, "7"), (3.0, "1")]))

    assert walk.story[:3] == ["start next -> deep", "deep repeat 7 -> deep", "deep choice 1 -> bye"]


async def test_a_queues_prompt_can_be_repeated() -> None:
    walk = site(EnqueueNode(id=at("start"), queue="sales", prompts=prompts("moment")))
    line = ScriptedLine([(0.5, "*")])

    await walk.run(line)

    assert line.heard_parts == ["moment…", "moment"]


async def test_a_node_that_reads_keys_in_its_own_way_is_not_disturbed() -> None:
    """A node type that says nothing of its keys has all of them for itself."""

    class Reading(Play):
        def own_keys(self) -> str:
            return Node.own_keys(self)

    walk = site(Reading(id=at("start"), prompts=prompts("start"), next=at("deep")), menu({"*": "bye"}, name="deep"))

    await walk.run(ScriptedLine([(0.5, "*")]))

    assert walk.story[:2] == ["start next -> deep", "deep choice * -> bye"]


# Barge-in by prompt.


@pytest.mark.parametrize(
    ("keys", "heard"),
    [
        ([], ["first", "law", "last"]),
        ([(0.5, "1")], ["first…", "law"]),
        ([(2.5, "1")], ["first", "law"]),
        ([(4.5, "1")], ["first", "law", "last…"]),
        ([(0.0, "1")], ["law"]),
    ],
)
@pytest.mark.parametrize("kind", ["play", "menu"])
async def test_a_prompt_among_others_that_no_key_stops(
    kind: str, keys: list[tuple[float, str]], heard: list[str]
) -> None:
    parts = (Prompt("first"), LAW, Prompt("last"))
    node: Node = (
        menu({"1": "bye"}, prompts=parts, timeout_s=0.5, on_failure="bye")
        if kind == "menu"
        else Play(id=at("start"), prompts=parts, next=at("bye"))
    )
    line = ScriptedLine(keys)

    await site(node).run(line)

    assert line.heard_parts[: len(heard)] == heard
    assert line.heard_parts[len(heard)] in ("bye", "no-input")


async def test_two_prompts_in_a_row_that_no_key_stops() -> None:
    line = ScriptedLine([(0.5, "1"), (1.0, "2")])
    node = Play(id=at("start"), prompts=(LAW, Prompt("more", barge_in=False), Prompt("last")), next=at("bye"))

    await site(node).run(line)

    assert line.heard_parts == ["law", "more", "bye"]

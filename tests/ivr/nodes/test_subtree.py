"""Subtrees: what they are given, what they return, and where back, top and plain steps lead out of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.conditions import FieldTest
from ivr.context import CallContext, Frame
from ivr.interpreter import Interpreter, Limits
from ivr.keys import Keys
from ivr.nodes import Branch, Case, EnqueueNode, HangUpNode, Menu, ReturnNode, Say, SayKind, SetNode, Subtree
from ivr.nodes.menu import Retries
from ivr.outcome import EndReason, Enqueue, HangUp, NodeId, Outcome
from ivr.record import StepRecord
from ivr.tree import Forest, Node, Tree, node_id
from tests.ivr.builders import call, prompts
from tests.ivr.scripted_line import ScriptedLine

KEYS = Keys(back="*", top="#")


def trees(**nodes: list[Node]) -> Forest:
    return Forest([Tree(name=name, start=found[0].id, nodes=tuple(found), keys=KEYS) for name, found in nodes.items()])


def menu(name: str, **choices: str) -> Menu:
    return Menu(
        id=NodeId(name),
        prompts=prompts(name),
        choices={key.removeprefix("k"): NodeId(to) for key, to in choices.items()},
        invalid=Retries(retries=1),
        no_input=Retries(retries=0),
    )


def subtree(name: str, start: str, then: str, on: dict[str, str] | None = None, **params: str) -> Subtree:
    return Subtree(
        id=NodeId(name),
        start=NodeId(start),
        next=NodeId(then),
        params=params,
        on={result: NodeId(to) for result, to in (on or {}).items()},
    )


def returned(name: str, result: str = "") -> ReturnNode:
    return ReturnNode(id=NodeId(name), result=result)


def ended(name: str) -> HangUpNode:
    return HangUpNode(id=NodeId(name), prompts=prompts(name))


class Walk:
    def __init__(self, forest: Forest, limits: Limits | None = None) -> None:
        self.records: list[StepRecord] = []
        self.context = call()
        self.interpreter = Interpreter(forest, on_step=self.records.append, limits=limits)

    async def run(self, keys: str = "", start: str = "main.start") -> Outcome:
        self.line = ScriptedLine([(0.1 * number, key) for number, key in enumerate(keys)])
        self.context.answered = False
        return await self.interpreter.run(self.line, self.context, NodeId(start))

    @property
    def way(self) -> list[str]:
        return [f"{record.node} {record.outcome}" for record in self.records]


async def test_it_is_given_something_and_returns_by_its_result() -> None:
    forest = trees(
        main=[
            subtree("main.start", "ask.start", "main.other", {"ok": "main.good"}, kind="{data.kind}", more=""),
            ended("main.good"),
            ended("main.other"),
        ],
        ask=[
            Say(id=NodeId("ask.start"), kind=SayKind.TEXT, value="{param.kind}{param.more}", next=NodeId("ask.key")),
            menu("ask.key", k1="ask.yes", k2="ask.no", k3="ask.plain"),
            returned("ask.yes", "ok"),
            returned("ask.no", "no"),
            returned("ask.plain"),
        ],
    )
    for key, node, outcome in (
        ("1", "main.good", "return:ok"),
        ("2", "main.other", "return:no"),
        ("3", "main.other", "return"),
    ):
        walk = Walk(forest)
        walk.context.data["kind"] = "gold"
        await walk.run(key)
        assert walk.way[0] == "main.start call"
        assert walk.way[-2].endswith(f" {outcome}")
        assert walk.way[-1] == f"{node} hang-up"
        assert walk.records[1].problems == ()
        assert walk.context.frames == []
        assert walk.context.lookup("param.kind") is None, "what was given is known in the subtree alone"


async def test_subtrees_in_subtrees_know_each_their_own() -> None:
    forest = trees(
        main=[subtree("main.start", "outer.start", "main.end", value="1"), ended("main.end")],
        outer=[
            subtree("outer.start", "inner.start", "outer.say", value="{param.value}2"),
            Say(id=NodeId("outer.say"), kind=SayKind.DIGITS, value="{param.value}", next=NodeId("outer.back")),
            returned("outer.back"),
        ],
        inner=[
            Say(id=NodeId("inner.start"), kind=SayKind.DIGITS, value="{param.value}", next=NodeId("inner.back")),
            returned("inner.back"),
        ],
    )
    walk = Walk(forest)
    await walk.run()
    assert walk.line.heard_parts == ["digits 12", "digits 1", "main.end"]


@pytest.mark.parametrize("first", ["main.entry", "main.start"])
async def test_a_top_of_its_own_is_outside_of_all_subtrees(first: str) -> None:
    nodes: dict[str, list[Node]] = {
        "main": [
            menu("main.entry", k1="main.call"),
            menu("main.start", k1="main.call"),
            subtree("main.call", "sub.start", "main.end"),
            ended("main.end"),
        ],
        "sub": [subtree("sub.start", "deep.start", "sub.done"), returned("sub.done")],
        "deep": [menu("deep.start")],
    }
    keys = Keys(top="#", top_node=NodeId("main.start"))
    walk = Walk(
        Forest([Tree(name=name, start=NodeId(first), nodes=tuple(found), keys=keys) for name, found in nodes.items()])
    )

    await walk.run("1#", start=first)

    visited = [record.node for record in walk.records]
    assert visited[:5] == [first, "main.call", "sub.start", "deep.start", "main.start"]
    assert (walk.context.frames, walk.context.menus) == ([], ["main.start"])


async def test_back_in_the_first_menu_of_a_subtree_leads_out_of_it() -> None:
    forest = trees(
        main=[
            menu("main.start", k1="main.second", k9="main.end"),
            menu("main.second", k1="main.call", k2="main.start"),
            subtree("main.call", "sub.start", "main.end", kind="a"),
            ended("main.end"),
        ],
        sub=[menu("sub.start", k1="sub.deep"), menu("sub.deep", k1="sub.done"), returned("sub.done")],
    )
    walk = Walk(forest)
    await walk.run("111**2")
    nodes = [record.node for record in walk.records]
    assert nodes[:8] == [
        "main.start",
        "main.second",
        "main.call",
        "sub.start",
        "sub.deep",
        "sub.start",
        "main.second",
        "main.start",
    ]
    assert walk.context.frames == []
    walk = Walk(forest)
    await walk.run("111#9")
    assert [record.node for record in walk.records][-2:] == ["main.start", "main.end"]
    assert walk.context.frames == []
    assert walk.context.menus == ["main.start"]


async def test_the_menus_of_a_subtree_that_has_returned_are_on_no_way_back() -> None:
    forest = trees(
        main=[
            menu("main.start", k1="main.call", k9="main.end"),
            subtree("main.call", "sub.start", "main.second"),
            menu("main.second", k1="main.end"),
            ended("main.end"),
        ],
        sub=[menu("sub.start", k1="sub.done"), returned("sub.done")],
    )
    walk = Walk(forest)
    await walk.run("11*9")
    assert [record.node for record in walk.records][-3:] == ["main.second", "main.start", "main.end"]


async def test_one_menu_may_be_in_several_subtrees_at_once() -> None:
    forest = trees(
        main=[menu("main.start", k1="main.call"), subtree("main.call", "main.start", "main.end"), ended("main.end")],
    )
    walk = Walk(forest)
    await walk.run("11" + "***")
    assert [len(walk.context.frames), walk.context.menus] == [0, ["main.start"]]
    assert [record.outcome for record in walk.records][4:7] == ["back", "back", "back"]


async def test_a_plain_step_to_a_tree_further_out_leaves_the_subtrees_between() -> None:
    forest = trees(
        main=[
            subtree("main.start", "one.start", "main.end", kind="a"),
            menu("main.menu", k1="main.start"),
            ended("main.end"),
        ],
        one=[subtree("one.start", "two.start", "one.done"), returned("one.done")],
        two=[menu("two.start", k1="other.start", k2="main.menu", k3="one.done")],
        other=[menu("other.start", k1="main.menu", k2="other.done"), returned("other.done")],
    )
    for keys, frames in (("1", 2), ("2", 0), ("11", 0)):
        walk = Walk(forest)
        await walk.run(keys)
        assert len(walk.context.frames) == frames, keys
    walk = Walk(forest)
    await walk.run("3")
    assert walk.way[-2:] == ["one.done return", "main.end hang-up"]
    walk = Walk(forest)
    await walk.run("12")
    assert walk.way[-3:] == ["other.done return", "one.done return", "main.end hang-up"], "another tree goes on for it"


async def test_subtrees_that_call_each_other_come_to_an_end() -> None:
    forest = trees(
        main=[subtree("main.start", "main.start", "main.end", kind="a"), ended("main.end"), ended("main.desk")],
    )
    walk = Walk(forest, Limits(subtree_depth=7))
    assert await walk.run() == HangUp(reason=EndReason.DEPTH_LIMIT)
    assert [record.outcome for record in walk.records] == ["call"] * 7 + ["depth-limit"]
    assert walk.line.heard_parts == ["goodbye"]
    walk = Walk(forest, Limits(subtree_depth=7, then=NodeId("main.desk")))
    assert await walk.run() == HangUp()
    assert (walk.way[-1], walk.context.frames) == ("main.desk hang-up", [])


async def test_a_return_from_nowhere_ends_the_call() -> None:
    walk = Walk(trees(main=[returned("main.start", "ok")]))
    assert await walk.run() == HangUp(reason=EndReason.NOTHING_TO_RETURN_TO)
    assert walk.line.heard_parts == ["goodbye"]


async def test_a_caller_whose_subtrees_were_forgotten_begins_anew() -> None:
    walk = Walk(trees(main=[ended("main.start")], sub=[returned("sub.start")]))
    walk.context.frames_lost = True
    walk.context.entry = NodeId("main.start")
    walk.context.menus = [NodeId("x.y")]
    await walk.run(start="sub.start")
    assert walk.way == ["sub.start return", "main.start hang-up"]
    assert [str(problem.kind) for problem in walk.records[0].problems] == ["subtrees-forgotten"]
    assert not walk.context.frames_lost


async def test_a_node_to_return_to_that_is_gone_ends_the_call() -> None:
    walk = Walk(trees(sub=[returned("sub.start")]))
    walk.context.frames = [Frame(NodeId("main.gone"))]
    assert await walk.run(start="sub.start") == HangUp(reason=EndReason.NO_SUCH_NODE)


async def test_a_queue_within_a_subtree_leads_on_within_it() -> None:
    forest = trees(
        main=[subtree("main.start", "sub.start", "main.end"), ended("main.end")],
        sub=[EnqueueNode(id=NodeId("sub.start"), queue="q", next=NodeId("sub.done")), returned("sub.done")],
    )
    walk = Walk(forest)
    outcome = await walk.run()
    assert isinstance(outcome, Enqueue)
    assert outcome.then == "sub.done"
    await walk.run(start="sub.done")
    assert walk.way[-1] == "main.end hang-up"


async def test_a_plain_step_out_of_a_subtree_that_was_in_the_same_menu_leaves_it_once_on_the_way_back() -> None:
    forest = trees(
        main=[subtree("main.start", "sub.start", "main.end"), menu("main.out", k1="sub.start"), ended("main.end")],
        sub=[menu("sub.start", k1="sub.again", k2="main.out"), subtree("sub.again", "sub.start", "sub.start")],
    )
    walk = Walk(forest)
    await walk.run("12")  # twice in the menu, once in a subtree of a subtree, and out to the tree of the first caller
    assert walk.context.menus == ["sub.start", "main.out"]
    assert_sound(walk.context)


async def test_three_tries_then_the_operator() -> None:
    enough = Branch(
        id=NodeId("main.enough"),
        cases=(Case(FieldTest(name="data.tries", equals="3"), NodeId("main.operator")),),
        default=NodeId("main.start"),
    )
    forest = trees(
        main=[
            menu("main.start", k1="main.wrong"),
            SetNode(id=NodeId("main.wrong"), add={"tries": 1}, next=NodeId("main.enough")),
            enough,
            ended("main.operator"),
        ],
    )
    walk = Walk(forest)
    await walk.run("111")
    assert walk.line.heard_parts[-1] == "main.operator"
    assert [record.outcome for record in walk.records if record.type == "branch"] == ["default", "default", "case-1"]


TREES = ("a", "b", "c")


@given(st.data())
async def test_random_subtrees_always_end(data: st.DataObject) -> None:
    """Whatever calls whatever, and whatever is pressed: a walk ends, and no frame is left that leads nowhere."""
    everywhere = [node_id(tree, node) for tree in TREES for node in ("start", "n1", "n2", "done")]
    anywhere = st.sampled_from(everywhere)

    def node(at: NodeId) -> Node:
        kind = data.draw(st.sampled_from(["menu", "subtree", "set", "return"]))
        if kind == "menu":
            return menu(at, k1=data.draw(anywhere), k2=data.draw(anywhere))
        if kind == "subtree":
            return subtree(at, data.draw(anywhere), data.draw(anywhere), {"x": data.draw(anywhere)}, p="1")
        if kind == "set":
            return SetNode(id=at, add={"n": 1}, next=data.draw(anywhere))
        return returned(at, data.draw(st.sampled_from(["", "x"])))

    forest = trees(**{tree: [node(node_id(tree, name)) for name in ("start", "n1", "n2", "done")] for tree in TREES})
    walk = Walk(forest, Limits(steps=60, steps_without_key=20, subtree_depth=4))
    outcome = await walk.run(data.draw(st.text("12*#9", max_size=30)), "a.start")
    assert isinstance(outcome, HangUp)
    assert len(walk.records) <= 60 + 2 * 2
    assert all(0 <= frame.menus <= len(walk.context.menus) for frame in walk.context.frames)
    assert_sound(walk.context)


def assert_sound(context: CallContext) -> None:
    """Frames begin one after the other, and no menu is twice on the way within one."""
    starts = [0, *(frame.menus for frame in context.frames), len(context.menus)]
    assert starts == sorted(starts)
    for first, last in pairwise(starts):
        part = context.menus[first:last]
        assert len(part) == len(set(part))

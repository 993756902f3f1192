from __future__ import annotations

from ivr.checks import Fault, FaultKind, check
from ivr.nodes import EnqueueNode, LanguageNode, Retries, Say, SayKind
from ivr.outcome import NodeId
from ivr.tree import Forest, Node
from tests.ivr.builders import at, end, forest, menu, play, prompts

ALL = ("start", "a", "b", "c", "not-valid", "no-input")


def kinds(*nodes: Node) -> list[tuple[FaultKind, NodeId, str]]:
    return [(fault.kind, fault.node, fault.subject) for fault in check(forest(*nodes), ALL)]


def test_a_sound_forest_has_no_faults() -> None:
    assert check(forest(menu({"1": "a", "2": "b"}), play("a", "start"), end("b")), ALL) == ()
    assert check(Forest([]), ()) == ()


def test_missing_nodes() -> None:
    assert kinds(menu({"1": "x"}, on_failure="y")) == [
        (FaultKind.NO_SUCH_NODE, at("start"), "main.x"),
        (FaultKind.NO_SUCH_NODE, at("start"), "main.y"),
    ]
    assert check(forest(), ()) == (Fault(FaultKind.NO_SUCH_NODE, at("start"), "main.start"),)


def test_missing_prompts() -> None:
    say = Say(id=at("x"), kind=SayKind.TEXT, value="No prompt at all.")

    assert kinds(play("start", "d"), end("d"), say) == [
        (FaultKind.NO_SUCH_PROMPT, at("d"), "d"),
        (FaultKind.UNREACHABLE, at("x"), ""),
    ]


def test_a_menu_that_says_nothing() -> None:
    for invalid in (Retries(), Retries(prompts=prompts("not-valid"))):
        silent = menu({"1": "a"}, prompts=(), invalid=invalid)
        assert kinds(silent, end("a")) == [(FaultKind.SILENT_MENU, at("start"), "")]


def test_rings_on_which_nobody_is_asked() -> None:
    assert kinds(play("start", "a"), LanguageNode(id=at("a"), language="zh", next=at("start"))) == [
        (FaultKind.ENDLESS_LOOP, at("start"), "main.start -> main.a -> main.start")
    ]
    assert kinds(play("start", "start")) == [(FaultKind.ENDLESS_LOOP, at("start"), "main.start -> main.start")]


def test_a_ring_is_found_behind_a_way_in_and_told_once() -> None:
    assert kinds(play("start", "a"), play("a", "b"), play("b", "a"), play("c", "a")) == [
        (FaultKind.ENDLESS_LOOP, at("a"), "main.a -> main.b -> main.a"),
        (FaultKind.UNREACHABLE, at("c"), ""),
    ]


def test_a_ring_through_a_menu_or_a_queue_is_none() -> None:
    assert kinds(play("start", "a"), menu({"1": "start"}, name="a", on_failure="start")) == []
    assert kinds(EnqueueNode(id=at("start"), queue="q", next=at("start"))) == []


def test_nodes_that_nothing_leads_to() -> None:
    assert kinds(end("start"), play("a", "b"), end("b")) == [
        (FaultKind.UNREACHABLE, at("a"), ""),
        (FaultKind.UNREACHABLE, at("b"), ""),
    ]


def test_a_very_deep_tree_is_no_trouble() -> None:
    nodes = [play("start", "n0"), *(play(f"n{index}", f"n{index + 1}") for index in range(20_000)), end("n20000")]

    assert check(forest(*nodes), {node.id.partition(".")[2] for node in nodes}) == ()

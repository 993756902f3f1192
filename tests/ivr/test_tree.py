from __future__ import annotations

import importlib
import pkgutil

import pytest

import ivr.nodes
from ivr.nodes import NODE_TYPES
from ivr.outcome import NodeId
from ivr.speech import Prompt
from ivr.tree import Forest, Node, Tree, node_id, resolve_reference
from tests.ivr.builders import at, end, forest, play

NODES = {"main": ["start", "menu"], "cards": ["lost", "start"], "empty": []}
STARTS = {"main": "start", "cards": "lost"}


@pytest.mark.parametrize(
    ("reference", "tree", "node"),
    [
        ("menu", "main", "main.menu"),
        ("start", "cards", "cards.start"),
        ("cards", "main", "cards.lost"),
        ("main", "main", "main.start"),
        ("cards.start", "main", "cards.start"),
        ("cards", "", "cards.lost"),
        ("main.menu", "", "main.menu"),
        ("lost", "main", None),
        ("cards.menu", "main", None),
        ("other.start", "main", None),
        ("menu", "", None),
        ("main.", "main", None),
        ("", "main", None),
        ("empty", "main", None),
    ],
)
def test_references(reference: str, tree: str, node: str | None) -> None:
    assert resolve_reference(reference, tree=tree, nodes=NODES, starts=STARTS) == node


def test_nodes_are_found_by_id_over_all_trees() -> None:
    other = Tree(name="other", start=node_id("other", "a"), nodes=(), language="zh")
    trees = Forest([Tree(name="main", start=at("start"), nodes=(play("start", "bye"), end("bye"))), other])

    assert set(trees.nodes) == {at("start"), at("bye")}
    assert set(trees.trees) == {"main", "other"}
    assert trees.language_at(node_id("other", "a")) == "zh"
    assert trees.language_at(at("start")) == "en"
    assert trees.language_at(NodeId("nowhere.x")) == "en"


def test_all_speech_is_told_once() -> None:
    assert forest(play("start", "bye"), end("bye"), play("x"), end("y")).speech() == tuple(
        map(Prompt, ["start", "bye", "x", "y"])
    )
    assert forest(play("start"), *[]).speech() == (Prompt("start"),)


def test_names_are_unique() -> None:
    with pytest.raises(ValueError, match=r"two nodes are named 'main\.start'"):
        forest(play("start"), end("start"))
    tree = Tree(name="main", start=at("start"), nodes=())
    with pytest.raises(ValueError, match="two trees are named 'main'"):
        Forest([tree, tree])
    with pytest.raises(ValueError, match=r"id must start with 'other\.'"):
        Forest([Tree(name="other", start=at("start"), nodes=(play("start"),))])


def test_every_node_type_is_registered_by_its_name() -> None:
    for module in pkgutil.iter_modules(ivr.nodes.__path__, "ivr.nodes."):
        importlib.import_module(module.name)
    todo, found = [Node], set[type[Node]]()
    while todo:
        todo += [kind for kind in todo.pop().__subclasses__() if kind.__module__.startswith("ivr.nodes.")]
        found.update(todo)
    # With slots a dataclass is made twice: the first make has the same name, and is no node of its own.
    assert {kind.type for kind in found} == set(NODE_TYPES)
    assert all(node_type.type == name for name, node_type in NODE_TYPES.items())

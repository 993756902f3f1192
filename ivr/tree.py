"""Nodes, trees and the forest. Built by the service from a checked configuration; immutable afterwards.

A node is named `tree.node` in the whole forest. In a configuration file a reference may be shorter;
`resolve_reference` has the rule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ivr.keys import Keys
from ivr.line import KEYS
from ivr.outcome import Move, NodeId
from ivr.speech import Speech

if TYPE_CHECKING:
    from ivr.visit import Visit


def node_id(tree: str, node: str) -> NodeId:
    """The forest-wide name of `node` in `tree`."""
    return NodeId(f"{tree}.{node}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(ABC):
    """One node of a tree.

    A node type is a subclass in its own file under `ivr/nodes`, listed in that package's registry.
    """

    type: ClassVar[str]
    """The type's name in the configuration."""
    asks: ClassVar[bool] = False
    """The node asks the caller for a key, so a ring of nodes through it is the caller's own wish."""
    leaves: ClassVar[bool] = False
    """The walk ends here; a later one may go on at one of the targets."""
    landmark: ClassVar[bool] = False
    """`back` and `top` lead here."""

    id: NodeId
    keys: Keys | None = None
    """Keys with the same meaning everywhere, where they are not the tree's."""

    @abstractmethod
    async def step(self, visit: Visit) -> Move:
        """Do the node's work on the visit's line and say where the call goes."""

    def own_keys(self) -> str:
        """The keys that have a meaning of the node's own. All others may mean repeat, back, top or operator here.

        All are the node's own until its type says otherwise: so a type that reads keys in its own way is not disturbed.
        """
        return KEYS

    def targets(self) -> tuple[NodeId, ...]:
        """Every node that a call may go to from here."""
        return ()

    def follows(self) -> tuple[NodeId, ...]:
        """The targets that a call may go to from here as the very next step; others lie behind a subtree."""
        return self.targets()

    def returns_to(self, result: str) -> NodeId | None:  # noqa: ARG002 - for those that call subtrees
        """Where a subtree that was called here goes on with this result; None if none is called here."""
        return None

    def speech(self) -> tuple[Speech, ...]:
        """Everything the node may say that is known beforehand, for checks and for preparing the sound."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree: one file of the configuration.

    `language` is for callers who come in here without having chosen one; `keys` hold at all nodes without their own.
    """

    name: str
    start: NodeId
    nodes: tuple[Node, ...]
    language: str = "en"
    keys: Keys = field(default_factory=Keys)


class Forest:
    """All trees of a site, indexed. That their references lead somewhere is seen to by who builds it."""

    def __init__(self, trees: Iterable[Tree]) -> None:
        """Index the trees.

        Raises:
            ValueError: two trees or two nodes have one name, or a node's id is not its tree's.
        """
        self._trees: dict[str, Tree] = {}
        self._nodes: dict[NodeId, Node] = {}
        for tree in trees:
            if tree.name in self._trees:
                raise ValueError(f"two trees are named {tree.name!r}")
            self._trees[tree.name] = tree
            for node in tree.nodes:
                if tree_of(node.id) != tree.name:
                    raise ValueError(
                        f"node {node.id!r} stands in tree {tree.name!r}; its id must start with {tree.name + '.'!r}"
                    )
                if node.id in self._nodes:
                    raise ValueError(f"two nodes are named {node.id!r}")
                self._nodes[node.id] = node

    @property
    def trees(self) -> Mapping[str, Tree]:
        """The trees by name."""
        return self._trees

    @property
    def nodes(self) -> Mapping[NodeId, Node]:
        """The nodes of all trees by id."""
        return self._nodes

    def language_at(self, at: NodeId) -> str:
        """The language of the tree that holds `at`; English for a node of no tree."""
        tree = self._trees.get(tree_of(at))
        return tree.language if tree else "en"

    def keys_at(self, at: NodeId) -> Keys:
        """The keys that mean the same everywhere, as they are at this node."""
        node, tree = self._nodes.get(at), self._trees.get(tree_of(at))
        if node is not None and node.keys is not None:
            return node.keys
        return tree.keys if tree else Keys()

    def speech(self) -> tuple[Speech, ...]:
        """Everything the trees may say that is known beforehand, each once, in order."""
        return tuple(dict.fromkeys(part for node in self._nodes.values() for part in node.speech()))


def tree_of(node: NodeId) -> str:
    """The name of the tree that a node's id names."""
    return node.partition(".")[0]


def resolve_reference(
    reference: str, *, tree: str, nodes: Mapping[str, Iterable[str]], starts: Mapping[str, str]
) -> NodeId | None:
    """The node meant by `reference` in a file: a node of the same tree, a tree (its start), or `tree.node`.

    `nodes` are the node names and `starts` the start node's name, each by tree. `tree` may be empty for a reference
    that stands in no tree (a dialled number's). None if nothing has that name.
    """
    if reference in nodes.get(tree, ()):
        return node_id(tree, reference)
    if reference in starts:
        return node_id(reference, starts[reference])
    other, _, name = reference.partition(".")
    if name and name in nodes.get(other, ()):
        return node_id(other, name)
    return None

"""Where a reference in a tree leads: to a node of the same tree, to a tree's start, or to ``tree.node``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from config.checks.draft import Draft
from config.document import KeyPath
from config.problems import Findings, Position
from config.schema.ivr import Node
from config.schema.marks import NODE, Refers, Way, marks
from config.suggest import nearest, suggestion

__all__ = ["Edge", "Place", "check_reference", "edges", "lookup"]

Place: TypeAlias = tuple[str, str]
"""Tree and node."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A reference in a node: where it stands below the node, what it says, what makes a caller follow it."""

    path: KeyPath
    reference: str
    way: Way


def edges(node: Node) -> Iterator[Edge]:
    """Yield every reference of a node."""
    for mark in marks(node):
        if mark.marker == Refers(NODE):
            yield Edge(mark.path, mark.value, mark.way)


def lookup(draft: Draft, tree: str, reference: str) -> Place | None:
    """Return where a reference leads to, None if nowhere (or nobody can tell). ``tree`` is empty outside of trees."""
    if tree and reference in (draft.nodes(tree) or ()):
        return (tree, reference)
    if reference in draft.trees:
        model = draft.trees[reference].model
        return (reference, model.start) if model else None
    other, _, node = reference.partition(".")
    if node and other in draft.trees and node in (draft.nodes(other) or ()):
        return (other, node)
    return None


def check_reference(draft: Draft, findings: Findings, position: Position, tree: str, reference: str) -> None:
    """Report a reference that leads nowhere. What may stand in a file that cannot be read is let pass."""
    own = draft.nodes(tree) if tree else frozenset()
    if not draft.trees or own is None or reference in own or reference in draft.trees:
        return  # That there is no tree at all is reported once.
    other, dot, node = reference.partition(".")
    if dot and other in draft.trees:
        nodes = draft.nodes(other)
        if nodes is not None and node not in nodes:
            near = nearest(node, nodes)
            right = f"did you mean '{other}.{near}'?" if near else suggestion(node, nodes)
            findings.error(position, f"tree '{other}' has no node '{node}'; {right}")
        return
    kind = "node or tree" if tree else "tree"
    elsewhere = next((name for name in draft.trees if reference in (draft.nodes(name) or ())), None)
    dotted = (f"{name}.{at}" for name in draft.trees for at in draft.nodes(name) or ()) if dot else ()
    right = suggestion(reference, {*own, *draft.trees, *dotted})
    if elsewhere is not None:  # the very name, in another tree
        right = f"did you mean '{elsewhere}.{reference}'?"
    findings.error(position, f"unknown {kind} '{reference}'; {right}")

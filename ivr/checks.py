"""Faults of a forest that can be seen without a caller."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ivr.outcome import NodeId
from ivr.speech import Prompt
from ivr.tree import Forest, Node


class FaultKind(StrEnum):
    """What can be wrong with a forest."""

    NO_SUCH_NODE = "no-such-node"
    """A tree starts, or a node goes on, at a node that does not exist."""
    NO_SUCH_PROMPT = "no-such-prompt"
    """A node says a prompt that does not exist."""
    SILENT_MENU = "silent-menu"
    """A node asks the caller for a key without saying anything."""
    ENDLESS_LOOP = "endless-loop"
    """Nodes follow each other in a ring on which nobody asks the caller: only the bound on steps would end it."""
    UNREACHABLE = "unreachable"
    """No tree's start and no other node leads here."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `subject` is the missing name or, for a loop, its nodes in order."""

    kind: FaultKind
    node: NodeId
    subject: str = ""


def check(forest: Forest, prompts: Collection[str]) -> tuple[Fault, ...]:
    """All faults of `forest`, given the names of the prompts that exist, in the order of the configuration."""
    return (
        *_missing_nodes(forest),
        *_missing_prompts(forest, prompts),
        *(Fault(FaultKind.SILENT_MENU, node.id) for node in forest.nodes.values() if node.asks_silently()),
        *_endless_loops(forest),
        *_unreachable(forest),
    )


def _missing_nodes(forest: Forest) -> Iterator[Fault]:
    for tree in forest.trees.values():
        if tree.start not in forest.nodes:
            yield Fault(FaultKind.NO_SUCH_NODE, tree.start, tree.start)
    for node in forest.nodes.values():
        for target in forest.targets(node.id):
            if target not in forest.nodes:
                yield Fault(FaultKind.NO_SUCH_NODE, node.id, target)


def _missing_prompts(forest: Forest, prompts: Collection[str]) -> Iterator[Fault]:
    for node in forest.nodes.values():
        for part in dict.fromkeys(node.speech()):
            if isinstance(part, Prompt) and part.name not in prompts:
                yield Fault(FaultKind.NO_SUCH_PROMPT, node.id, part.name)


def _endless_loops(forest: Forest) -> Iterator[Fault]:
    """One fault for each ring of nodes that go on by themselves."""
    done: set[NodeId] = set()
    for start in forest.nodes:
        # Depth first with the way kept at hand: a node met again on its own way closes a ring. No recursion, trees
        # can be deep.
        way: dict[NodeId, None] = {}
        todo: list[Iterator[NodeId]] = [iter((start,))]
        while todo:
            node = next(todo[-1], None)
            if node is None:
                todo.pop()
                if way:
                    done.add(way.popitem()[0])
            elif node in way:
                ring = list(way)[list(way).index(node) :]
                yield Fault(FaultKind.ENDLESS_LOOP, node, " -> ".join((*ring, node)))
            elif node not in done and _goes_on_by_itself(forest.nodes.get(node)):
                way[node] = None
                todo.append(iter(forest.nodes[node].follows()))


def _goes_on_by_itself(node: Node | None) -> bool:
    return node is not None and not node.asks and not node.leaves


def _unreachable(forest: Forest) -> Iterator[Fault]:
    reached = _reach(forest, (tree.start for tree in forest.trees.values()))
    return (Fault(FaultKind.UNREACHABLE, node) for node in forest.nodes if node not in reached)


def _reach(forest: Forest, starts: Iterable[NodeId]) -> set[NodeId]:
    todo = [start for start in starts if start in forest.nodes]
    reached = set(todo)
    while todo:
        node: Node = forest.nodes[todo.pop()]
        new = [target for target in forest.targets(node.id) if target in forest.nodes and target not in reached]
        reached.update(new)
        todo.extend(new)
    return reached

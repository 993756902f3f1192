"""How callers pass through subtrees: a ring of menus may run through one, and it matters whether it asks on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from config.checks.references import Edge, Place
from config.schema.ivr import Node, Return, Subtree
from config.schema.marks import Way

__all__ = ["Steps", "with_passages"]

Steps: TypeAlias = Mapping[Place, Sequence[tuple[Edge, Place]]]
"""Every node's edges, with where they lead."""

_QUIET: Final = (
    (Way.BY_ITSELF, frozenset({Way.BY_ITSELF})),
    (Way.FAILURE, frozenset({Way.BY_ITSELF, Way.FAILURE})),
    (Way.TURNED_AWAY, frozenset({Way.BY_ITSELF, Way.TURNED_AWAY})),
)
"""What makes a caller come through a subtree, and the ways that lead there; the first that leads through counts."""

_NO_RESULT: Final = ""


def with_passages(nodes: Mapping[Place, Node], steps: Steps) -> dict[tuple[Place, Edge], Way]:
    """Return what makes a caller follow the edges on which a subtree returns, where it is not the caller's own doing.

    A subtree may call others, so what is found is looked at again until nothing new is.
    """
    found: dict[Place, dict[str, Way]] = {place: {} for place, node in nodes.items() if isinstance(node, Subtree)}
    for way, quiet in _QUIET:
        grows = True
        while grows:
            grows = False
            for caller, results in found.items():
                new = _results(nodes, steps, found, caller, quiet) - set(results)
                results.update(dict.fromkeys(new, way))
                grows = grows or bool(new)
    ways: dict[tuple[Place, Edge], Way] = {}
    for place, results in found.items():
        for edge, _ in steps[place]:
            taken = [way for result, way in results.items() if edge in _after(nodes[place], steps[place], {result})]
            quietest = next((way for way, _ in _QUIET if way in taken), None)
            if edge.way is Way.RETURNED and quietest is not None:
                ways[place, edge] = quietest
    return ways


def _results(
    nodes: Mapping[Place, Node],
    steps: Steps,
    found: Mapping[Place, Mapping[str, Way]],
    caller: Place,
    quiet: frozenset[Way],
) -> set[str]:
    """With which results a caller who follows only quiet ways can come out of the subtree that a node calls."""
    todo = [to for edge, to in steps[caller] if edge.way is not Way.RETURNED]
    results: set[str] = set()
    seen = set(todo)
    while todo:
        place = todo.pop()
        node = nodes[place]
        if isinstance(node, Return):
            results.add(node.result or _NO_RESULT)
        onward = [to for edge, to in steps[place] if edge.way in quiet]
        if place in found:  # not into it once more: with what it comes out is known
            through = {result for result, way in found[place].items() if way in quiet}
            after = _after(node, steps[place], through)
            onward = [to for edge, to in steps[place] if edge in after]
        new = [to for to in onward if to not in seen]
        seen.update(new)
        todo.extend(new)
    return results


def _after(node: Node, steps: Sequence[tuple[Edge, Place]], results: set[str]) -> set[Edge]:
    """On which edges a subtree node leads on, for these results."""
    handled = set(node.results) if isinstance(node, Subtree) else set()
    return {
        edge
        for edge, _ in steps
        if edge.way is Way.RETURNED
        and (edge.path[-1] in results if edge.path[0] == "results" else bool(results - handled))
    }

"""Following callers through the trees: rings without an end, nodes nobody reaches, prompts missing in a language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from config.checks.draft import Draft
from config.checks.onward import exits, prompts_heard
from config.checks.prompts import prompt_uses
from config.checks.references import Edge, Place, edges, lookup
from config.checks.rings import rings
from config.problems import Findings, Position
from config.schema.ivr import BUILT_IN_PROMPTS, Enqueue, Node, SetLanguage
from config.schema.marks import Way

__all__ = ["check_walks"]


@dataclass(frozen=True, slots=True)
class _Step:
    """An edge that leads somewhere, with the position of its reference."""

    edge: Edge
    to: Place
    position: Position


class _Map:
    """All sound nodes and the steps between them."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.nodes: dict[Place, Node] = {}
        self.steps: dict[Place, tuple[_Step, ...]] = {}
        for tree, part in draft.trees.items():
            for name, node in part.model.nodes.items() if part.model else ():
                self.nodes[tree, name] = node
        for place, node in self.nodes.items():
            self.steps[place] = tuple(self._steps(place, node))

    def _steps(self, place: Place, node: Node) -> Iterator[_Step]:
        tree, name = place
        for edge in edges(node):
            to = lookup(self.draft, tree, edge.reference)
            if to in self.nodes:
                yield _Step(edge, to, self.draft.trees[tree].source.value(("nodes", name, *edge.path)))
        if isinstance(node, Enqueue):
            yield from self._steps_from_queue(node.queue)

    def _steps_from_queue(self, queue: str) -> Iterator[_Step]:
        routing = self.draft.routing
        for found in exits(routing.model, queue) if routing.model else ():
            to = lookup(self.draft, "", found.reference)
            if to in self.nodes:
                way = Way.TURNED_AWAY if found.at_once else Way.OVERFLOW
                yield _Step(Edge(found.path, found.reference, way), to, routing.source.value(found.path))

    def entries(self) -> list[Place]:
        """Return where dialled numbers lead."""
        routing = self.draft.routing.model
        places = [lookup(self.draft, "", reference) for reference in routing.numbers.values()] if routing else []
        return [place for place in dict.fromkeys(places) if place in self.nodes]

    def starts(self) -> Iterator[Place]:
        """Yield the start of each tree."""
        for tree, part in self.draft.trees.items():
            if part.model and (tree, part.model.start) in self.nodes:
                yield (tree, part.model.start)


def check_walks(draft: Draft, findings: Findings) -> None:
    """Check rings and languages on what is sound; and, if nothing is wrong so far, that every node is reached."""
    site = _Map(draft)
    _check_rings(site, findings)
    _check_languages(site, findings)
    if not findings.errors:
        _check_reached(site, findings)


def _check_rings(site: _Map, findings: Findings) -> None:
    """Refuse rings on which the caller is never asked; warn of those that a silent caller stays on."""
    refused: set[Place] = set()
    for ring in _rings(site, {Way.BY_ITSELF}):
        refused.update(step.to for step in ring)
        findings.error(
            ring[-1].position,
            f"callers go round for ever without being asked: {_told(ring)}; lead one to a menu, a queue or hangup",
        )
    for ring in _rings(site, {Way.BY_ITSELF, Way.FAILURE}):
        if not refused.intersection(step.to for step in ring):
            findings.warning(
                ring[-1].position,
                f"a caller who presses nothing goes round for ever: {_told(ring)}; lead on_failure elsewhere",
            )
    for ring in _rings(site, {Way.BY_ITSELF, Way.TURNED_AWAY}):
        if not refused.intersection(step.to for step in ring):
            findings.warning(
                ring[-1].position,
                f"callers whom a join rule leads on come back without being asked: {_told(ring)}; "
                "lead one to a menu or hangup",
            )


def _told(ring: list[_Step]) -> str:
    trees = {step.to[0] for step in ring}
    names = [step.to[1] if len(trees) == 1 else ".".join(step.to) for step in (ring[-1], *ring)]
    return " -> ".join(names)


def _rings(site: _Map, ways: set[Way]) -> Iterator[list[_Step]]:
    """Yield rings of steps of the given kinds; the last step closes one."""
    return rings(site.nodes, lambda place: [(step.to, step) for step in site.steps[place] if step.edge.way in ways])


def _check_languages(site: _Map, findings: Findings) -> None:
    """Warn of prompts that a caller may come to in a language they do not have."""
    variants = {
        name: frozenset(part.names("prompts", name) or ())
        for part in site.draft.trees.values()
        for name in part.names("prompts") or ()
    }
    reached: dict[tuple[Place, str], None] = {}
    todo = [(place, _language(site, place[0])) for place in (*site.entries(), *site.starts())]
    while todo:
        place, language = todo.pop()
        if (place, language) in reached:
            continue
        reached[place, language] = None
        node = site.nodes[place]
        onward = node.language if isinstance(node, SetLanguage) else language
        todo.extend((step.to, onward) for step in site.steps[place])
    routing = site.draft.routing
    for (tree, name), language in reached:
        source = site.draft.trees[tree].source
        node = site.nodes[tree, name]
        heard = [(prompt, source.value(("nodes", name, *below))) for below, prompt in prompt_uses(node)]
        if isinstance(node, Enqueue) and routing.model is not None:
            heard += [(prompt, routing.source.value(path)) for prompt, path in prompts_heard(routing.model, node.queue)]
        for prompt, at in heard:
            if prompt not in BUILT_IN_PROMPTS and variants.get(prompt) and language not in variants[prompt]:
                findings.warning(
                    at,
                    f"prompt '{prompt}' has no '{language}', which callers here may have chosen: they hear it in "
                    f"another language; add '{language}' to the prompt",
                )


def _language(site: _Map, tree: str) -> str:
    model = site.draft.trees[tree].model
    return model.language if model else "en"


def _check_reached(site: _Map, findings: Findings) -> None:
    """Warn of trees and nodes that no call can come to."""
    reached = _reach(site, site.entries())
    trees = {tree for tree, _ in reached}
    for tree, part in site.draft.trees.items():
        if tree not in trees:
            findings.warning(
                Position(part.source.file), f"no number and no node leads to tree '{tree}'; name it under 'numbers'"
            )
    reached |= _reach(site, (start for start in site.starts() if start[0] not in trees))
    for tree, node in site.nodes:
        if (tree, node) not in reached:
            findings.warning(
                site.draft.trees[tree].source.key(("nodes", node)),
                f"no call can come to node '{node}'; lead to it from another node, or remove it",
            )


def _reach(site: _Map, starts: Iterable[Place]) -> set[Place]:
    todo = list(starts)
    reached = set(todo)
    while todo:
        new = {step.to for step in site.steps[todo.pop()]} - reached
        reached |= new
        todo.extend(new)
    return reached

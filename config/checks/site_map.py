"""The map of a site's menus: all nodes, the steps between them, and what follows from those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

from config.checks.draft import Draft
from config.checks.onward import exits, prompts_heard
from config.checks.passages import with_passages
from config.checks.prompts import prompt_uses
from config.checks.references import Edge, Place, edges, lookup
from config.problems import Position
from config.schema.ivr import BUILT_IN_PROMPTS, Enqueue, Menu, Node, SetData, SetLanguage
from config.schema.marks import NODE, Refers, Way

__all__ = ["ENDINGS", "SiteMap", "Step", "Untranslated"]

ENDINGS = frozenset({"agent", "callback", "enqueue", "hangup", "return", "transfer", "voicemail", "voicemail-access"})
"""Node types that bring a call to something: a person, a queue, a message, an end."""


@dataclass(frozen=True, slots=True)
class Step:
    """An edge that leads somewhere, with the position of its reference."""

    edge: Edge
    to: Place
    position: Position


@dataclass(frozen=True, slots=True)
class Untranslated:
    """A prompt that callers may come to in a language it does not have."""

    place: Place
    prompt: str
    language: str
    position: Position


class SiteMap:
    """All sound nodes and the steps between them."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.nodes: dict[Place, Node] = {}
        self.steps: dict[Place, tuple[Step, ...]] = {}
        for tree, part in draft.trees.items():
            for name, node in part.model.nodes.items() if part.model else ():
                self.nodes[tree, name] = node
        for place, node in self.nodes.items():
            self.steps[place] = tuple(self._steps(place, node))
        self._pass_through_subtrees()

    def _pass_through_subtrees(self) -> None:
        """Let the steps on which a subtree returns tell whether the caller was asked in it."""
        edges_of = {place: [(step.edge, step.to) for step in steps] for place, steps in self.steps.items()}
        for (place, edge), way in with_passages(self.nodes, edges_of).items():
            self.steps[place] = tuple(
                replace(step, edge=replace(edge, way=way)) if step.edge == edge else step for step in self.steps[place]
            )

    def _steps(self, place: Place, node: Node) -> Iterator[Step]:
        tree, name = place
        for edge in edges(node):
            to = lookup(self.draft, tree, edge.reference)
            if to in self.nodes:
                yield Step(edge, to, self.draft.trees[tree].source.value(("nodes", name, *edge.path)))
        if isinstance(node, Enqueue):
            yield from self._steps_from_queue(node.queue, surveyed=node.next is None)

    def _steps_from_queue(self, queue: str, *, surveyed: bool) -> Iterator[Step]:
        routing = self.draft.routing
        for found in exits(routing.model, queue) if routing.model else ():
            to = lookup(self.draft, "", found.reference)
            if to in self.nodes and (surveyed or not found.after_call):
                way = Way.TURNED_AWAY if found.at_once else Way.AFTER_CALL if found.after_call else Way.OVERFLOW
                yield Step(Edge(found.path, found.reference, way), to, routing.source.value(found.path))

    def position(self, place: Place) -> Position:
        """Return where a node stands."""
        tree, name = place
        return self.draft.trees[tree].source.key(("nodes", name))

    def entries(self) -> list[Place]:
        """Return where dialled numbers and extensions lead, calls that have reached a bound, and keys from anywhere."""
        places = [lookup(self.draft, tree, reference) for tree, reference in self._entries()]
        return [place for place in dict.fromkeys(places) if place in self.nodes]

    def is_whole(self) -> bool:
        """Return whether every way is known: nothing that may lead on was refused, and nothing leads nowhere."""
        routing, trees = self.draft.routing, self.draft.trees
        if routing.model is None or routing.refused:
            return False
        models = [part.model for part in trees.values() if not part.refused]
        if len(models) < len(trees) or any(model is None or model.start not in model.nodes for model in models):
            return False
        if any(isinstance(node, Menu) and not node.choices for node in self.nodes.values()):
            return False
        inside = [(tree, edge.reference) for (tree, _), node in self.nodes.items() for edge in edges(node)]
        return all(lookup(self.draft, tree, reference) is not None for tree, reference in (*inside, *self._entries()))

    def _entries(self) -> list[tuple[str, str]]:
        """Return the references of `entries`, each with its tree (empty for the site)."""
        routing = self.draft.routing.model
        references: list[tuple[str, str | None]] = []
        if routing is not None:
            menus = routing.menus
            site = (*routing.numbers.values(), *routing.extensions.values())
            anywhere = (menus.on_limit, menus.keys.operator_to, menus.keys.top_to)
            references += [("", each) for each in (*site, *anywhere)]
        for tree, part in self.draft.trees.items():
            if part.model is not None and part.model.keys is not None:
                references += [(tree, part.model.keys.operator_to), (tree, part.model.keys.top_to)]
        return [(tree, reference) for tree, reference in references if reference is not None]

    def starts(self) -> Iterator[Place]:
        """Yield the start of each tree."""
        for tree, part in self.draft.trees.items():
            if part.model and (tree, part.model.start) in self.nodes:
                yield (tree, part.model.start)

    def reached(self, starts: Iterable[Place]) -> set[Place]:
        """Return every node that a call can come to from ``starts``."""
        todo = list(starts)
        reached = set(todo)
        while todo:
            new = {step.to for step in self.steps[todo.pop()]} - reached
            reached |= new
            todo.extend(new)
        return reached

    def unused_trees(self) -> list[str]:
        """Return the trees to which no number and no node of a tree in use leads."""
        trees = {tree for tree, _ in self.reached(self.entries())}
        return [tree for tree in self.draft.trees if tree not in trees]

    def unreached(self) -> list[Place]:
        """Return the nodes that no call can come to. In an unused tree those that its start does not lead to."""
        unused = set(self.unused_trees())
        reached = self.reached((*self.entries(), *(start for start in self.starts() if start[0] in unused)))
        return [place for place in self.nodes if place not in reached]

    def dead_ends(self) -> list[Place]:
        """Return the nodes from which no call comes to anything: no person, queue, message, action or end.

        The end that a menu brings by itself, when its caller gives no valid answer and it does not say what follows,
        is one, too.
        """
        sources: dict[Place, list[Place]] = {}
        for place, steps in self.steps.items():
            for step in steps:
                sources.setdefault(step.to, []).append(place)
        todo = [place for place, node in self.nodes.items() if self._comes_to_something(place, node)]
        saved = set(todo)
        while todo:
            for source in sources.get(todo.pop(), ()):
                if source not in saved:
                    saved.add(source)
                    todo.append(source)
        return [place for place in self.nodes if place not in saved]

    def _comes_to_something(self, place: Place, node: Node) -> bool:
        if node.type in ENDINGS or _lets_the_call_end(node):
            return True
        # What a reference with a mistake in it was meant to lead to is not known.
        return len(self.steps[place]) < sum(1 for _ in edges(node))

    def untranslated(self) -> Iterator[Untranslated]:
        """Yield the prompts that callers may come to in a language the prompts do not have."""
        variants = {
            name: frozenset(part.names("prompts", name) or ())
            for part in self.draft.trees.values()
            for name in part.names("prompts") or ()
        }
        for place, language in self._languages():
            for prompt, at in self._heard(place):
                if prompt not in BUILT_IN_PROMPTS and variants.get(prompt) and language not in variants[prompt]:
                    yield Untranslated(place, prompt, language, at)

    def _languages(self) -> dict[tuple[Place, str], None]:
        """Return the nodes with the languages in which callers come to them."""
        reached: dict[tuple[Place, str], None] = {}
        todo = [(place, self._language(place[0])) for place in (*self.entries(), *self.starts())]
        while todo:
            place, language = todo.pop()
            if (place, language) in reached:
                continue
            reached[place, language] = None
            node = self.nodes[place]
            onward = (node.language if isinstance(node, SetLanguage | SetData) else None) or language
            todo.extend((step.to, onward) for step in self.steps[place])
        return reached

    def _language(self, tree: str) -> str:
        model = self.draft.trees[tree].model
        return model.language if model else "en"

    def _heard(self, place: Place) -> Iterator[tuple[str, Position]]:
        tree, name = place
        source = self.draft.trees[tree].source
        node = self.nodes[place]
        for below, prompt in prompt_uses(node):
            yield prompt, source.value(("nodes", name, *below))
        routing = self.draft.routing
        if isinstance(node, Enqueue) and routing.model is not None:
            for prompt, path in prompts_heard(routing.model, node.queue):
                yield prompt, routing.source.value(path)


def _lets_the_call_end(node: Node) -> bool:
    """Tell whether one of a node's ways on is left out: the call ends there, which the node's description says."""
    fields = type(node).model_fields
    return any(
        getattr(node, name) is None and _names_a_node((field.annotation, *field.metadata))
        for name, field in fields.items()
    )


def _names_a_node(shape: object) -> bool:
    parts = shape if isinstance(shape, tuple) else get_args(shape)
    return any(part == Refers(NODE) or _names_a_node(part) for part in parts)

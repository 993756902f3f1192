"""The picture of a site's trees: what is in it, from the configuration as far as it is sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from config.checks import Draft
from config.checks.prompts import faulty_recordings, prompt_uses
from config.checks.references import Place, edges, lookup
from config.checks.site_map import ENDINGS, SiteMap
from config.document import KeyPath
from config.schema.ivr import BUILT_IN_PROMPTS, Node
from config.schema.ivr import Prompt as WrittenPrompt
from config.schema.marks import NODE, PROMPT, Refers, Templated, Way, marks

__all__ = ["CHOICES_MAX", "Exit", "GraphNode", "GraphTree", "Mark", "Shape", "graph_of"]

CHOICES_MAX = 5
"""Choices that callers keep in mind; menus with more are marked."""


class Shape(StrEnum):
    """What kind of node it is, which is how it is drawn."""

    ASKS = "asks"
    SAYS = "says"
    DECIDES = "decides"
    DOES = "does"
    ENDS = "ends"
    BROKEN = "broken"


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        **dict.fromkeys(("menu", "collect", "pin"), Shape.ASKS),
        **dict.fromkeys(("play", "say", "language"), Shape.SAYS),
        **dict.fromkeys(("branch", "hours", "subtree"), Shape.DECIDES),
        **dict.fromkeys(("set", "http", "webhook", "record", "survey"), Shape.DOES),
        **dict.fromkeys(ENDINGS, Shape.ENDS),
    }
)
"""How each node type is drawn; one that is not here is drawn as doing something."""


class Mark(StrEnum):
    """What is to be looked at in a node."""

    BROKEN = "has errors"
    UNREACHABLE = "unreachable"
    DEAD_END = "dead end"
    MISSING_PROMPT = "missing prompt"
    MANY_CHOICES = f"more than {CHOICES_MAX} choices"


@dataclass(frozen=True, slots=True)
class Exit:
    """A way on from a node: what makes a caller take it, and where it leads (None: to a node that is not there)."""

    label: str
    to: Place | None
    written: str
    """The reference as it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """A node of the picture. `details` name what it refers to, `texts` are what it says; each in lines of its own."""

    place: Place
    type: str
    shape: Shape
    details: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    exits: tuple[Exit, ...] = ()
    marks: Mapping[Mark, str]
    """With what there is to say about each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphTree:
    """A tree. `numbers` lead to its nodes, by node."""

    name: str
    start: Place
    nodes: tuple[GraphNode, ...]
    numbers: Mapping[Place, tuple[str, ...]]


def graph_of(draft: Draft) -> tuple[GraphTree, ...]:
    """All trees of a configuration, which may have errors; those that numbers lead to come first."""
    builder = _Builder(draft, SiteMap(draft))
    trees = (builder.tree(name) for name in draft.trees)
    return tuple(sorted(trees, key=lambda tree: not tree.numbers))


class _Builder:
    def __init__(self, draft: Draft, site: SiteMap) -> None:
        self._draft = draft
        self._site = site
        self._unreached = set(site.reached(site.nodes)) - site.reached(site.entries())
        self._dead = set(site.dead_ends())
        self._prompts: dict[str, Mapping[str, WrittenPrompt]] = {}
        for part in draft.trees.values():
            for name, variants in part.model.prompts.items() if part.model else ():
                self._prompts[name] = dict(variants.items())
        self._faulty = faulty_recordings(draft)
        self._untranslated: dict[Place, dict[str, list[str]]] = {}
        for found in site.untranslated():
            languages = self._untranslated.setdefault(found.place, {}).setdefault(found.prompt, [])
            languages.append(found.language)

    def tree(self, name: str) -> GraphTree:
        part = self._draft.trees[name]
        nodes = part.model.nodes if part.model else {}
        broken = sorted((part.names("nodes") or frozenset()) - set(nodes))
        return GraphTree(
            name=name,
            start=(name, part.model.start if part.model else ""),
            nodes=(
                *(self._node((name, key), node) for key, node in nodes.items()),
                *(_broken((name, key)) for key in broken),
            ),
            numbers=self._numbers(name),
        )

    def _numbers(self, tree: str) -> dict[Place, tuple[str, ...]]:
        routing = self._draft.routing.model
        numbers: dict[Place, tuple[str, ...]] = {}
        for number, reference in routing.numbers.items() if routing else ():
            place = lookup(self._draft, "", reference)
            if place is not None and place[0] == tree:
                numbers[place] = (*numbers.get(place, ()), number)
        return numbers

    def _node(self, place: Place, node: Node) -> GraphNode:
        return GraphNode(
            place=place,
            type=node.type,
            shape=SHAPES.get(node.type, Shape.DOES),
            details=tuple(dict.fromkeys(_details(node))),
            texts=tuple(dict.fromkeys(self._texts(place[0], node))),
            exits=tuple(self._exits(place, node)),
            marks=dict(self._marks(place, node)),
        )

    def _exits(self, place: Place, node: Node) -> Iterator[Exit]:
        found: dict[tuple[Place | None, str], list[str]] = {}
        for edge in edges(node):
            to = lookup(self._draft, place[0], edge.reference)
            found.setdefault((to, edge.reference), []).append(_label(edge.path))
        for step in self._site.steps[place]:
            if step.edge.way in (Way.OVERFLOW, Way.TURNED_AWAY):
                labels = found.setdefault((step.to, step.edge.reference), [])
                if "queue rules" not in labels:
                    labels.append("queue rules")
        for (to, reference), labels in found.items():
            yield Exit(", ".join(labels), to, reference)

    def _texts(self, tree: str, node: Node) -> Iterator[str]:
        part = self._draft.trees[tree]
        language = part.model.language if part.model else "en"
        for _, name in prompt_uses(node):
            yield _text(name, self._prompts.get(name, {}), language)
        for mark in marks(node):
            if isinstance(mark.marker, Templated):
                yield mark.value

    def _marks(self, place: Place, node: Node) -> Iterator[tuple[Mark, str]]:
        if place in self._unreached:
            yield Mark.UNREACHABLE, "no call can come here"
        if place in self._dead:
            yield Mark.DEAD_END, "no call comes from here to a queue, an action or an end"
        lost = [edge.reference for edge in edges(node) if lookup(self._draft, place[0], edge.reference) is None]
        if lost:
            yield Mark.BROKEN, "leads to what is not there: " + ", ".join(lost)
        missing = list(self._missing(place, node))
        if missing:
            yield Mark.MISSING_PROMPT, ", ".join(dict.fromkeys(missing))
        choices = getattr(node, "choices", None)
        if choices is not None and len(choices) > CHOICES_MAX:
            yield Mark.MANY_CHOICES, f"{len(choices)} choices"

    def _missing(self, place: Place, node: Node) -> Iterator[str]:
        for _, name in prompt_uses(node):
            if name not in self._prompts and name not in BUILT_IN_PROMPTS:
                yield name
            for language in self._faulty.get(name, ()):
                yield f"{name} ({language})"
        for name, languages in self._untranslated.get(place, {}).items():
            yield f"{name} ({', '.join(languages)})"


def _broken(place: Place) -> GraphNode:
    return GraphNode(
        place=place,
        type="?",
        shape=Shape.BROKEN,
        marks={Mark.BROKEN: "cannot be used as it is written: see acd check-config"},
    )


def _label(path: KeyPath) -> str:
    """What makes a caller go this way: the key or branch, by the way to the reference."""
    words = [_word(part) for part in path if part not in ("cases", "choices", "next", "on", "to")]
    return " ".join(words).removeprefix("on ") or "next"


def _word(part: str | int) -> str:
    """A step of the way in words; places in lists are counted from 1, as people do."""
    return f"case {part + 1}" if isinstance(part, int) else part.replace("_", " ")


def _details(node: Node) -> Iterator[str]:
    for mark in marks(node):
        if isinstance(mark.marker, Refers) and mark.marker.kind not in (NODE, PROMPT):
            yield f"{mark.marker.kind} {mark.value}"
    language = getattr(node, "language", None)
    if isinstance(language, str):
        yield f"language {language}"


def _text(name: str, variants: Mapping[str, WrittenPrompt], language: str) -> str:
    prompt = variants.get(language) or next(iter(variants.values()), None)
    if prompt is None:
        return f"[{name}]"
    return prompt.text if prompt.text is not None else f"[{name}: {prompt.file}]"

"""Call data that something asks for and nothing sets: a slip of the pen that would be heard as silence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from config.checks.draft import Draft
from config.checks.fields import customer_fields, field_names
from config.document import KeyPath
from config.problems import Findings, Position
from config.schema.ivr import Http, Node, Survey
from config.schema.lookups import LookUp
from config.schema.marks import FIELD, Mark, Refers, SetsDatum, Templated, marks
from config.schema.shared import Model
from config.suggest import suggestion
from config.validation import Part

__all__ = ["check_call_data"]

_SPACE = "data."


def check_call_data(draft: Draft, findings: Findings) -> None:
    """Warn of each read call datum that no node of any tree sets, with the nearest that one does.

    A file with faults could hold what is missed, so all have to be sound first.
    """
    parts: list[Part[Any]] = [draft.routing, draft.follow_up, *draft.trees.values()]
    if any(part.model is None or part.refused for part in parts):
        return
    asked = _asked(draft)
    known = frozenset(name for node in _nodes(draft) for name in _set_by(node, asked))
    customer = customer_fields(draft)
    for position, name in sorted(_read(draft)):
        if name not in known:
            right = _remedy(name, known, customer)
            findings.warning(position, f"nothing sets '{_SPACE}{name}', so it is always empty; {right}")


def _remedy(name: str, known: Collection[str], customer: Collection[str]) -> str:
    if name in customer:
        return f"did you mean 'customer.{name}'?"
    return suggestion(name, known) if known else "set it before, such as by a node of type set, collect or http"


def _nodes(draft: Draft) -> Iterator[Node]:
    for part in draft.trees.values():
        yield from part.model.nodes.values() if part.model else ()


def _asked(draft: Draft) -> Mapping[str, LookUp]:
    """Return the look-ups of routing.yaml that nodes ask, by name."""
    routing = draft.routing.model
    named = {node.lookup for node in _nodes(draft) if isinstance(node, Http)}
    return {name: lookup for name, lookup in routing.lookups.items() if name in named} if routing else {}


def _set_by(node: Node, asked: Mapping[str, LookUp]) -> Iterator[str]:
    """Yield the call data that a node sets, by itself or by the look-up that it names."""
    models: list[Model] = [node]
    if isinstance(node, Http) and node.lookup is not None and node.lookup in asked:
        models.append(asked[node.lookup])
    for mark in (mark for model in models for mark in marks(model)):
        if isinstance(mark.marker, SetsDatum):
            yield from (f"{mark.value}{suffix}" for suffix in mark.marker.suffixes)


def _read(draft: Draft) -> Iterator[tuple[Position, str]]:
    """Yield the names of the call data that are read, each with its place."""
    for part in draft.trees.values():
        for name, node in part.model.nodes.items() if part.model else ():
            path: KeyPath = ("nodes", name)
            for mark, datum in _data_in(marks(node)):
                yield part.source.value((*path, *mark.path)), datum
            if isinstance(node, Survey) and node.opt_in == "before":
                at = (*path, "opt_in_data" if "opt_in_data" in node.model_fields_set else "opt_in")
                yield part.source.value(at), node.opt_in_data
    for name, lookup in _asked(draft).items():
        for mark, datum in _data_in(marks(lookup)):
            yield draft.routing.source.value(("lookups", name, *mark.path)), datum
    for name, rule in draft.follow_up.model.rules.items() if draft.follow_up.model else ():
        for mark, datum in _data_in(marks(rule)):
            yield draft.follow_up.source.value(("rules", name, *mark.path)), datum


def _data_in(found: Iterator[Mark]) -> Iterator[tuple[Mark, str]]:
    for mark in found:
        if isinstance(mark.marker, Templated):
            names: Iterator[str] = field_names(mark.value)
        else:
            names = iter([mark.value] if mark.marker == Refers(FIELD) else [])
        yield from ((mark, name.removeprefix(_SPACE)) for name in names if name.startswith(_SPACE))

"""What is said and asked: values that can be said, extensions that are one thing each, keys that lead somewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from config.checks.draft import Draft
from config.checks.fields import field_names
from config.checks.references import check_reference
from config.document import KeyPath
from config.problems import Findings, Position
from config.schema.ivr import Menu, Say, Tree
from config.schema.ivr.asking import Pin
from config.schema.ivr.lookups import Http
from config.schema.keys import MenuKeys
from config.schema.marks import Templated, marks
from config.schema.shared import Model
from config.validation import Part
from ivr.values import SayKind, Wording, to_speech

__all__ = ["check_asking"]

_RIGHT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "digits": "is not made of digits and letters, with a digit among them; give such, or use kind: text",
        "phone": "is no telephone number; write it as +49 30 123, or use kind: text",
        "number": "is not a number; give a whole number, or use kind: text",
        "ordinal": "is not a place in a row; give a whole number, such as 21",
        "money": "is not a sum of money; write 12.50 USD, or 12.50 and the key 'currency'",
        "date": "is not a date; write it as 2026-11-21",
        "time": "is not a time of day; write it as 15:30",
        "duration": "is not a duration; give seconds, 2:05:00 or PT2H5M",
    }
)


def check_asking(draft: Draft, findings: Findings) -> None:
    """Check the values of say nodes, that PINs are compared, extensions, and the keys that mean the same everywhere."""
    handed_over = _secrets_sent(draft)
    for tree, part in draft.trees.items():
        for name, node in part.model.nodes.items() if part.model else ():
            if isinstance(node, Say):
                _check_said(draft, findings, tree, name, node)
            elif isinstance(node, Pin) and node.name not in handed_over:
                _check_compared(findings, part, name, node)
    _check_extensions(draft, findings)
    _check_keys(draft, findings)


def _check_compared(findings: Findings, part: Part[Tree], name: str, node: Pin) -> None:
    if node.hash is None and ("nodes", name, "hash") not in part.refused:
        findings.warning(
            part.source.key(("nodes", name)),
            "nobody compares this PIN, whatever is keyed in is taken; give a 'hash', or send "
            f"{{secret.{node.name}}} with a look-up",
        )


def _secrets_sent(draft: Draft) -> set[str]:
    """Return the names of the secrets that look-ups send."""
    nodes = [node for part in draft.trees.values() if part.model for node in part.model.nodes.values()]
    lookups: list[Model] = [node for node in nodes if isinstance(node, Http)]
    if draft.routing.model is not None:
        lookups += draft.routing.model.lookups.values()
    sent = (mark.value for lookup in lookups for mark in marks(lookup) if isinstance(mark.marker, Templated))
    return {name.removeprefix("secret.") for text in sent for name in field_names(text) if name.startswith("secret.")}


def _check_said(draft: Draft, findings: Findings, tree: str, name: str, node: Say) -> None:
    wording = Wording(currency=node.currency or "", weekday=node.weekday, year=node.year, clock_h=int(node.clock))
    refused_currency = ("nodes", name, "currency") in draft.trees[tree].refused
    for language, text in node.value.items():
        if any(field_names(text)) or node.kind == "text" or refused_currency:
            continue
        plain = text.replace("{{", "{").replace("}}", "}")
        if to_speech(SayKind(node.kind), plain, wording=wording) is None:
            position = draft.trees[tree].source.value(("nodes", name, "value", language))
            findings.error(position, f"'{text}' {_RIGHT[node.kind]}")


def _check_extensions(draft: Draft, findings: Findings) -> None:
    """Check that each extension leads somewhere and is one thing, and that it can be dialled at all."""
    known: dict[str, Position] = {}
    for extension, position, at in _extensions(draft, findings):
        first = known.setdefault(extension, at)
        if first != at:
            findings.error(position, f"extension {extension} is defined in {first}, too; give each one of its own")
    menus = [
        (draft.trees[tree].source.value(("nodes", name, "direct_dial")))
        for tree, part in draft.trees.items()
        for name, node in (part.model.nodes.items() if part.model else ())
        if isinstance(node, Menu) and node.direct_dial is not None
    ]
    written = known or draft.routing.names("extensions") or ("agents",) in draft.agents.refused
    if menus and not written and draft.agents.model is not None and draft.routing.model is not None:
        findings.error(
            menus[0], "there is no extension to dial; give agents one, or write 'extensions' in routing.yaml"
        )
    every_tree_read = all(part.model is not None for part in draft.trees.values())
    if known and not menus and every_tree_read:
        findings.warning(
            next(iter(known.values())), "no menu lets callers dial extensions; add direct_dial: yes to one"
        )


def _extensions(draft: Draft, findings: Findings) -> Iterator[tuple[str, Position, Position]]:
    """Yield each extension, where a fault in it is reported, and where it stands."""
    routing, agents = draft.routing, draft.agents
    for extension, reference in routing.model.extensions.items() if routing.model else ():
        path = ("extensions", extension)
        check_reference(draft, findings, routing.source.value(path), "", reference)
        yield extension, routing.source.key(path), routing.source.key(path)
    for name, agent in agents.model.agents.items() if agents.model else ():
        if agent.extension is not None:
            at = agents.source.value(("agents", name, "extension"))
            yield agent.extension, at, at


def _check_keys(draft: Draft, findings: Findings) -> None:
    """Check that the operator's key, wherever it is given, has a node to lead to."""
    site = draft.routing.model.menus.keys if draft.routing.model else None
    site_has_operator = site is None or site.operator_to is not None
    if site is not None:
        _check_level(draft, findings, draft.routing.source.value, ("menus", "keys"), "", site, outer=False)
    for tree, part in draft.trees.items():
        if part.model is None:
            continue
        keys = part.model.keys
        tree_has_operator = site_has_operator or (keys is not None and keys.operator_to is not None)
        if keys is not None:
            _check_level(draft, findings, part.source.value, ("keys",), tree, keys, outer=site_has_operator)
        for name, node in part.model.nodes.items():
            own: MenuKeys | None = getattr(node, "keys", None)
            if own is not None:
                path = ("nodes", name, "keys")
                _check_level(draft, findings, part.source.value, path, None, own, outer=tree_has_operator)


def _check_level(
    draft: Draft,
    findings: Findings,
    position: Callable[[KeyPath], Position],
    path: KeyPath,
    tree: str | None,
    keys: MenuKeys,
    *,
    outer: bool,
) -> None:
    """Check the keys at one place. ``tree`` is None where its references are checked already."""
    if tree is not None:
        for key, reference in (("operator_to", keys.operator_to), ("top_to", keys.top_to)):
            if reference is not None:
                check_reference(draft, findings, position((*path, key)), tree, reference)
    if keys.operator and keys.operator_to is None and not outer:
        findings.error(position((*path, "operator")), "the operator's key leads nowhere; say where with operator_to")

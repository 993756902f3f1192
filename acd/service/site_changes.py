"""What differs between two sites, in plain words: queues and agents, numbers, menus, prompts, hours, and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from acd.core.changes import describe_changes
from acd.service.compile import Compiled
from acd.service.follow_up.rules import FollowUpRule
from acd.service.lookups.customers import CustomerSite
from config.customers import CustomerTable
from config.schema import Acd
from ivr.tree import Node, Tree

__all__ = ["changes_between", "needing_restart"]

_NO_ONE: Final[Mapping[str, Any]] = {"listed": {}, "table": CustomerTable(), "agents": frozenset()}
_TAKEN: Final = ("mail.", "secrets.", "webhooks.")
"""Settings of acd.yaml that a running process takes."""
_SECRETS = frozenset({"asterisk.ami.password"})


def changes_between(before: Compiled, after: Compiled) -> list[str]:
    """Return one sentence for each thing that a running engine would do otherwise; empty when nothing changed."""
    return [
        *describe_changes(before.routing, after.routing),
        *_mapping("number", before.numbers, after.numbers),
        *_menus(_written(before.forest.trees), _written(after.forest.trees)),
        *_prompts(before, after),
        *_names("calendar", before.calendars, after.calendars),
        *_mapping("opening hours of queue", before.opening_hours, after.opening_hours),
        *_customers(before.customers, after.customers),
        *_names("look-up", before.lookups, after.lookups),
        *_names("secret", before.secrets, after.secrets),
        *_mapping("survey of queue", before.surveys, after.surveys),
        *_single("mail server", before.channels.mail, after.channels.mail),
        *_names("webhook", before.channels.webhooks, after.channels.webhooks),
        *_names("follow-up", _by_name(before), _by_name(after)),
        *_names("voicemail box", before.boxes.by_name, after.boxes.by_name),
        *_single("lock-out of voicemail", before.boxes.lock_out, after.boxes.lock_out),
        *_single("outbound", before.outbound, after.outbound),
        *_single("reset of call counts", before.counts_reset, after.counts_reset),
    ]


def needing_restart(before: Acd, after: Acd) -> list[str]:
    """Return one sentence for each setting of acd.yaml that differs: they are read at start only."""
    old, new = dict(_leaves(before.model_dump())), dict(_leaves(after.model_dump()))
    return [
        f"{key} changed" if key in _SECRETS else f"{key} {_shown(old.get(key))} -> {_shown(new.get(key))}"
        for key in {**old, **new}
        if old.get(key) != new.get(key) and not key.startswith(_TAKEN)
    ]


def _by_name(site: Compiled) -> Mapping[str, FollowUpRule]:
    return {rule.name: rule for rule in site.follow_up}


def _customers(before: CustomerSite, after: CustomerSite) -> Iterator[str]:
    yield from _names("customer", before.listed, after.listed)
    old, new = before.table, after.table
    if old.columns != new.columns:
        yield f"customer table: columns {', '.join(new.columns) or 'none'}, not {', '.join(old.columns) or 'none'}"
    if old.rows != new.rows:
        changed = sum(1 for number, row in new.rows.items() if number in old.rows and old.rows[number] != row)
        gone, added = (len(one.keys() - other.keys()) for one, other in ((old.rows, new.rows), (new.rows, old.rows)))
        yield f"customer table: {added} new, {changed} changed, {gone} gone"
    yield from _single("how callers are looked up", replace(before, **_NO_ONE), replace(after, **_NO_ONE))


def _written(trees: Mapping[str, Tree]) -> Mapping[str, Tree]:
    """The trees of the site's own files; those that the engine adds for boxes and callbacks are told with these."""
    return {name: tree for name, tree in trees.items() if not name.startswith("@")}


def _menus(before: Mapping[str, Tree], after: Mapping[str, Tree]) -> Iterator[str]:
    for name, tree in after.items():
        old = before.get(name)
        if old is None:
            yield f"menu {name}: new"
            continue
        if old.start != tree.start:
            yield f"menu {name}: starts at {tree.start}, not at {old.start}"
        if old.language != tree.language:
            yield f"menu {name}: language {old.language} -> {tree.language}"
        yield from _names("menu node", _by_id(old), _by_id(tree))
    yield from (f"menu {name}: gone" for name in before if name not in after)


def _by_id(tree: Tree) -> Mapping[str, Node]:
    return {node.id: node for node in tree.nodes}


def _prompts(before: Compiled, after: Compiled) -> Iterator[str]:
    old = {
        f"{name} ({language})": source for name, texts in before.prompts.items() for language, source in texts.items()
    }
    new = {
        f"{name} ({language})": source for name, texts in after.prompts.items() for language, source in texts.items()
    }
    yield from _names("prompt", old, new)


def _names(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name, value in after.items():
        if name not in before:
            yield f"{kind} {name}: new"
        elif before[name] != value:
            yield f"{kind} {name}: changed"
    yield from (f"{kind} {name}: gone" for name in before if name not in after)


def _mapping(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield f"{kind} {name}: {_shown(before.get(name))} -> {_shown(after.get(name))}"


def _single(kind: str, before: object, after: object) -> Iterator[str]:
    if before != after:
        yield f"{kind}: changed"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _shown(value: object) -> str:
    return "none" if value is None else str(value)

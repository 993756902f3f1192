"""Fields in texts and conditions: is anything known by that name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from config.checks.draft import Draft
from config.problems import Findings, Position
from config.schema.ivr.asking import Pin
from config.suggest import suggestion

__all__ = [
    "CALL_FIELDS",
    "CUSTOMER_FIELDS",
    "HOURS_FIELDS",
    "check_braces",
    "check_field",
    "check_fields",
    "customer_fields",
    "field_names",
]

CALL_FIELDS = frozenset(
    {"id", "caller", "caller_name", "caller_number", "dialled", "language", "queue", "agent", "waited_s"}
)
"""What ``{call.…}`` stands for in texts; the last three once the call has been in a queue."""

HOURS_FIELDS = frozenset({"calendar", "state", "cause", "why", "until", "until_date", "until_time", "until_days"})
"""What ``{hours.…}`` stands for after a node of type hours."""

CUSTOMER_FIELDS = frozenset({"known", "source", "id", "name", "language", "vip", "agent", "matter"})
"""What ``{customer.…}`` stands for, whoever calls; and whatever else is known of customers."""

_FIELD = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
"""As in the menus' interpreter: a doubled brace is a brace, everything else in braces is a field."""

_BRACE = re.compile(r"[{}]")


def field_names(text: str) -> Iterator[str]:
    """Yield the names of a text's fields."""
    for match in _FIELD.finditer(text):
        if match.group(1) is not None:
            yield match.group(1)


def check_fields(
    draft: Draft, findings: Findings, tree: str, position: Position, text: str, *, secrets: bool = False
) -> None:
    """Report fields of a text that nothing is known of: they would be filled in with nothing.

    ``tree`` is empty for a text of no tree. ``secrets``: the text may have secrets in it.
    """
    for name in field_names(text):
        space, _, key = name.partition(".")
        if space == "secret":
            _check_secret(draft, findings, position, key, allowed=secrets)
        elif space == "call" and key and key not in CALL_FIELDS:
            right = suggestion(name, _known(draft, tree))
            findings.warning(position, f"unknown field '{{{name}}}' is filled in with nothing; {right}")
        else:
            check_field(draft, findings, tree, position, name)
    check_braces(findings, position, text)


def check_braces(findings: Findings, position: Position, text: str) -> None:
    """Warn of a brace that is part of no field: one was left open, or its name is misspelt."""
    if _BRACE.search(_FIELD.sub("", text)):
        findings.warning(
            position, "a brace that is part of no field stays as it is; write {data.name}, or {{ and }} for braces"
        )


def check_field(draft: Draft, findings: Findings, tree: str, position: Position, name: str) -> None:
    """Report a field that nothing is known of. Call data have a check of their own."""
    space, _, key = name.partition(".")
    if space == "data" and key:
        return
    known = _known(draft, tree)
    if name not in known:
        findings.error(position, f"unknown field '{{{name}}}'; {suggestion(name, known)}")


def _check_secret(draft: Draft, findings: Findings, position: Position, name: str, *, allowed: bool) -> None:
    if not allowed:
        findings.error(position, f"'{{secret.{name}}}' would be seen here; only what a look-up sends may hold secrets")
        return
    nodes = (node for part in draft.trees.values() if part.model for node in part.model.nodes.values())
    pins = {node.name for node in nodes if isinstance(node, Pin)}
    known = {*(draft.acd.names("secrets") or ()), *pins}
    readable = draft.acd.raw is not None and all(part.model is not None for part in draft.trees.values())
    if readable and draft.trees and name not in known:
        right = suggestion(name, known) if known else "name it under 'secrets' in acd.yaml"
        findings.error(position, f"unknown secret '{name}'; {right}")


def customer_fields(draft: Draft) -> Collection[str]:
    """Return what may be known of a customer: by every way in which one is found."""
    routing = draft.routing.model
    if routing is None:
        return CUSTOMER_FIELDS
    listed = {name for customer in routing.customers.values() for name in customer.data}
    lookup = routing.lookups.get(routing.caller_lookup.lookup or "")
    asked = lookup.answer if lookup is not None else ()
    return {*CUSTOMER_FIELDS, *draft.customers.columns, *listed, *asked}


def _known(draft: Draft, tree: str) -> Collection[str]:
    params = (draft.trees[tree].names("parameters") or ()) if tree else ()
    return {
        *(f"customer.{name}" for name in customer_fields(draft)),
        *(f"call.{name}" for name in CALL_FIELDS),
        *(f"hours.{name}" for name in HOURS_FIELDS),
        *(f"param.{name}" for name in params),
    }

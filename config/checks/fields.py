"""Fields in texts and conditions: is anything known by that name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from config.checks.draft import Draft
from config.problems import Findings, Position
from config.suggest import suggestion

__all__ = ["CALL_FIELDS", "HOURS_FIELDS", "check_field", "check_fields", "field_names"]

CALL_FIELDS = frozenset({"id", "caller", "caller_name", "dialled", "language", "position", "waited_s"})
"""What ``{call.…}`` stands for in texts."""

HOURS_FIELDS = frozenset({"calendar", "state", "cause", "why", "until", "until_date", "until_time", "until_days"})
"""What ``{hours.…}`` stands for after a node of type hours."""

_FIELD = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
"""As in the menus' interpreter: a doubled brace is a brace, everything else in braces is a field."""


def field_names(text: str) -> Iterator[str]:
    """Yield the names of a text's fields."""
    for match in _FIELD.finditer(text):
        if match.group(1) is not None:
            yield match.group(1)


def check_fields(draft: Draft, findings: Findings, tree: str, position: Position, text: str) -> None:
    """Report fields of a text that nothing is known of: they would be filled in with nothing."""
    for name in field_names(text):
        space, _, key = name.partition(".")
        if space == "call" and key and key not in CALL_FIELDS:
            right = suggestion(name, _known(draft, tree))
            findings.warning(position, f"unknown field '{{{name}}}' is filled in with nothing; {right}")
        else:
            check_field(draft, findings, tree, position, name)


def check_field(draft: Draft, findings: Findings, tree: str, position: Position, name: str) -> None:
    """Report a field that nothing is known of. What call data there will be, only the call can tell."""
    space, _, key = name.partition(".")
    if space == "data" and key:
        return
    known = _known(draft, tree)
    if name not in known:
        findings.error(position, f"unknown field '{{{name}}}'; {suggestion(name, known)}")


def _known(draft: Draft, tree: str) -> Collection[str]:
    params = draft.trees[tree].names("parameters") or ()
    return {
        *(f"call.{name}" for name in CALL_FIELDS),
        *(f"hours.{name}" for name in HOURS_FIELDS),
        *(f"param.{name}" for name in params),
    }

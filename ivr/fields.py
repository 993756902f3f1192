"""Fields in texts: `{call.caller}`, `{data.topic}`; a literal brace is written twice.

This is not `str.format`: a field is a name looked up in a table and nothing more, because both the values and,
through look-ups, the names' surroundings can come from outside. What is filled in is not scanned again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

VALUE_LENGTH_MAX = 200
"""Characters of one value that are used. A caller's name can be 10 kB long; nobody wants it read out."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_.-]*)\}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its fields filled in, and the names that nothing is known of (filled in as nothing)."""

    text: str
    unknown: tuple[str, ...] = ()


def fill(template: str, lookup: Callable[[str], str | None]) -> Filled:
    """Fill the fields of `template`. A lone brace stays as it is."""
    unknown: list[str] = []

    def value(token: re.Match[str]) -> str:
        name = token.group(1)
        if name is None:
            return token.group(0)[0]
        found = lookup(name)
        if found is None:
            unknown.append(name)
            return ""
        return clean(found)

    return Filled(_TOKEN.sub(value, template), tuple(unknown))


def substitute(template: str, value: Callable[[str], str]) -> str:
    """`template` with what `value` gives for each field's name, taken as it is: `value` makes it harmless."""
    return _TOKEN.sub(lambda token: value(token.group(1)) if token.group(1) else token.group(0)[0], template)


def field_names(template: str) -> tuple[str, ...]:
    """The names of the fields in `template`, in order."""
    return tuple(match.group(1) for match in _TOKEN.finditer(template) if match.group(1))


def clean(value: str) -> str:
    """`value` as one line of bounded length, without control characters."""
    return "".join(char if char.isprintable() else " " for char in value[:VALUE_LENGTH_MAX]).strip()

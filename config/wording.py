"""Texts of the files inside messages: on one line, printable, short, and nothing that may be a secret."""

from __future__ import annotations

__all__ = ["printable", "quoted", "shown_key"]

_SHOWN_AT_MOST = 60


def printable(text: str) -> str:
    """Escape what would break or hide a line: control characters, line ends, unassigned characters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def quoted(value: object) -> str:
    """Quote a value in a message, shortened when it is long."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    short = text if len(text) <= _SHOWN_AT_MOST else text[:_SHOWN_AT_MOST] + "…"
    return f"'{printable(short)}'"


def shown_key(key: str) -> str:
    """Quote a key in a message; of ``password:secret`` (a forgotten space) only the part before the colon is shown."""
    name, colon, _ = key.partition(":")
    return quoted(f"{name[:_SHOWN_AT_MOST]}:…" if colon else key)

"""Nearest known name: turns "unknown" into "did you mean"."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

__all__ = ["known_names", "nearest", "suggestion"]

_LISTED_AT_MOST = 12
_COMPARED_AT_MOST = 5000
"""Names looked through for a near one: keeps a file full of wrong names from taking minutes."""


def nearest(name: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that ``name`` was probably meant to be, or None.

    ``cutoff`` is how like it must be, from 0 (anything) to 1 (the same).
    """
    if len(name) > 100:
        return None
    candidates = sorted(known)[:_COMPARED_AT_MOST]
    folded: dict[str, str] = {}
    for candidate in candidates:
        folded.setdefault(_fold(candidate), candidate)
    close = get_close_matches(_fold(name), list(folded), n=1, cutoff=cutoff)
    return folded[close[0]] if close else None


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")


def known_names(known: Collection[str]) -> str:
    """List the known names, shortened when there are many: ``cards, general, … (14 in all)``."""
    names = sorted(known)
    if len(names) <= _LISTED_AT_MOST:
        return ", ".join(names)
    return f"{', '.join(names[:_LISTED_AT_MOST])}, … ({len(names)} in all)"


def suggestion(name: str, known: Collection[str]) -> str:
    """Say what would be right: the nearest name, else the names there are, else that there are none."""
    if near := nearest(name, known):
        return f"did you mean '{near}'?"
    if not known:
        return "none is defined"
    return f"known: {known_names(known)}"

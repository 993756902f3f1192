"""Nearest known name: turns "unknown" into "did you mean"."""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches
from heapq import nlargest

from config.wording import printable

__all__ = ["known_names", "nearest", "suggestion"]

_LISTED_AT_MOST = 12
_LOOKED_AT_CLOSELY = 20
"""Names that are compared in full, which takes 25 microseconds each: a file of wrong names must not take minutes."""

_LOOKED_AT = 5000


def nearest(name: str, known: Collection[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that ``name`` was probably meant to be, or None.

    ``cutoff`` is how like it must be, from 0 (anything) to 1 (the same). Names that no message could show are left
    out: those of a file as written may be anything.
    """
    if len(name) > 100:
        return None
    folded: dict[str, str] = {}
    for candidate in sorted(known)[:_LOOKED_AT]:
        if candidate.isprintable():
            folded.setdefault(_fold(candidate), candidate)
    wanted = _fold(name)
    candidates = list(folded)
    if len(candidates) > _LOOKED_AT_CLOSELY:
        candidates = nlargest(_LOOKED_AT_CLOSELY, candidates, key=_likeness(wanted))
    close = get_close_matches(wanted, candidates, n=1, cutoff=cutoff)
    return folded[close[0]] if close else None


def _likeness(wanted: str) -> Callable[[str], int]:
    """Return a quick measure of how like a name is to ``wanted``: characters and pairs in common, length."""
    pairs = {wanted[place : place + 2] for place in range(len(wanted) - 1)}
    characters = set(wanted)

    def measure(candidate: str) -> int:
        common = sum(pair in candidate for pair in pairs) + sum(character in candidate for character in characters)
        return common - abs(len(candidate) - len(wanted))

    return measure


def _fold(name: str) -> str:
    return name.casefold().replace("-", "_")


def known_names(known: Collection[str]) -> str:
    """List the known names, shortened when there are many: ``cards, general, … (14 in all)``."""
    names = [printable(name) for name in sorted(known)]
    if len(names) <= _LISTED_AT_MOST:
        return ", ".join(names)
    return f"{', '.join(names[:_LISTED_AT_MOST])}, … ({len(names)} in all)"


def suggestion(name: str, known: Collection[str], listed: Collection[str] = ()) -> str:
    """Say what would be right: the nearest name, else the names there are, else that there are none.

    ``listed`` are those of them that are worth being listed; all, if left out.
    """
    if near := nearest(name, known):
        return f"did you mean '{near}'?"
    if not known:
        return "none is defined"
    return f"known: {known_names(listed or known)}"

"""What a check has found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

__all__ = ["Finding", "Findings", "Level", "fault", "ok", "some", "unchecked", "warning"]

_SHOWN: Final = 8


class Level(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    """Calls are served, but not in every case, or not as safely as they could be."""
    FAULT = "fault"
    """Calls cannot be served until it is mended."""
    UNCHECKED = "unchecked"
    """It cannot be seen from here or with the engine's few rights; the text says how to look by hand."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result: which check, how it came out, what was seen, and what to do about it (empty when all is well)."""

    check: str
    level: Level
    text: str
    remedy: str = ""


Findings: TypeAlias = Iterator[Finding]


def ok(check: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Level.OK, text)


def warning(check: str, text: str, remedy: str) -> Finding:
    """Something to do at some time."""
    return Finding(check, Level.WARNING, text, remedy)


def fault(check: str, text: str, remedy: str) -> Finding:
    """Something to do now."""
    return Finding(check, Level.FAULT, text, remedy)


def unchecked(check: str, text: str, by_hand: str) -> Finding:
    """Something to look at by hand."""
    return Finding(check, Level.UNCHECKED, text, by_hand)


def some(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more

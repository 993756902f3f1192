"""Reads cases from text files: what is changed in the small sound site, and the messages that must follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.config.sites import Changes, changed


@dataclass
class Case:
    """One change to the sound site and the messages that must follow."""

    name: str
    old: dict[str, list[str]] = field(default_factory=dict)
    new: dict[str, list[str]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def changes(self) -> Changes:
        """Return the changed files."""
        changes: Changes = {}
        for file, old in self.old.items():
            changes |= changed(file, "\n".join(old), "\n".join(self.new[file]))
        return changes


def read_cases(path: Path) -> Iterator[Case]:
    """Read a file of ``broken/``: `case:`, `in FILE`, `<` old lines, `>` new lines, `!` messages."""
    case, file = Case(""), ""
    for line in path.read_text(encoding="utf-8").split("\n"):
        mark, _, rest = line.partition(" ")
        match mark:
            case "case:":
                case = Case(f"{path.stem}: {rest}")
            case "in":
                file = rest
                case.old[file], case.new[file] = [], []
            case "<":
                case.old[file].append(rest)
            case ">":
                case.new[file].append(rest)
            case "!":
                case.messages.append(rest)
            case "" if case.name:
                yield case
                case = Case("")
            case _ if mark not in ("", "#"):
                raise ValueError(f"{path}: {line!r} is no line of a case")

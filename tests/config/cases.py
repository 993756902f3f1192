"""Reads cases from text files: what is changed in the small sound site, and the messages that must follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.config.sites import FILES, Changes, replaced


@dataclass
class Edit:
    """Some lines of a file and what stands in their place."""

    file: str
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


@dataclass
class Case:
    """One change to the sound site and the messages that must follow."""

    name: str
    edits: list[Edit] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def changes(self) -> Changes:
        """Return the changed files."""
        changes: Changes = {}
        for edit in self.edits:
            text = changes.get(edit.file, FILES[edit.file])
            changes[edit.file] = replaced(str(text), "\n".join(edit.old), "\n".join(edit.new))
        return changes


def read_cases(path: Path) -> Iterator[Case]:
    """Read a file of ``broken/``: `case:`, `in FILE`, `<` old lines, `>` new lines, `!` messages.

    A file may be changed in several places: `in FILE` again.
    """
    case = Case("")
    for line in path.read_text(encoding="utf-8").split("\n"):
        mark, _, rest = line.partition(" ")
        match mark:
            case "case:":
                case = Case(f"{path.stem}: {rest}")
            case "in":
                case.edits.append(Edit(rest))
            case "<":
                case.edits[-1].old.append(rest)
            case ">":
                case.edits[-1].new.append(rest)
            case "!":
                case.messages.append(rest)
            case "" if case.name:
                yield case
                case = Case("")
            case _ if mark not in ("", "#"):
                raise ValueError(f"{path}: {line!r} is no line of a case")

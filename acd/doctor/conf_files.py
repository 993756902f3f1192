"""Asterisk's configuration files as far as the doctor reads them: sections, settings, includes, templates.

Rules from Asterisk's ``main/config.c`` and its sample files: ``;`` begins a comment, ``\\;`` is a semicolon, ``;--`` to
``--;`` is a comment over several lines, ``name = value`` and ``name => value`` mean the same, ``[name](a,b)`` takes the
settings of templates first, ``[name](+)`` adds to a section, ``#include`` and ``#tryinclude`` may use wildcards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

__all__ = ["Sections", "read_conf", "setting", "settings"]

Sections: TypeAlias = Mapping[str, Sequence[tuple[str, str]]]
"""Settings by section, in their order; a name may come more than once."""

_MAX_DEPTH: Final = 10
_SECTION = re.compile(r"\[([^\]]+)\]\s*(?:\(([^)]*)\))?\s*$")
_INCLUDE = re.compile(r"#(?:try)?include\s+[\"<]?([^\">]+)[\">]?\s*$")
_COMMENT = re.compile(r";--(?!-).*?--;", re.DOTALL)


def read_conf(path: Path) -> Sections:
    """Read a file and all that it includes. Raises OSError when one is there and can't be read, or ``path`` is not."""
    sections: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] = []
    for line in _lines(path, path.parent, 0):
        if found := _SECTION.match(line):
            current = _open_section(sections, found.group(1), found.group(2) or "")
        elif (place := line.find("=")) > 0:
            current.append((line[:place].strip(), line[place + 1 :].removeprefix(">").strip()))
    return sections


def settings(sections: Sections, section: str, name: str) -> list[str]:
    """Return all values of a setting, in their order; Asterisk's names have no case."""
    return [value for key, value in sections.get(section, ()) if key.casefold() == name.casefold()]


def setting(sections: Sections, section: str, name: str) -> str:
    """Return the value that holds, which is the last; empty when there is none."""
    return next(reversed(settings(sections, section, name)), "")


def _open_section(sections: dict[str, list[tuple[str, str]]], name: str, options: str) -> list[tuple[str, str]]:
    words = [word.strip() for word in options.split(",") if word.strip()]
    current = sections.setdefault(name, [])
    for word in words:
        if word not in ("!", "+"):
            current.extend(sections.get(word, ()))
    return current


def _lines(path: Path, root: Path, depth: int) -> Iterator[str]:
    text = _COMMENT.sub("", path.read_text(errors="replace"))
    for raw in text.splitlines():
        line = re.sub(r"(?<!\\);.*", "", raw).replace("\\;", ";").strip()
        if found := _INCLUDE.match(line):
            # Asterisk, too, stops at a file that includes itself.
            for included in _included(found.group(1).strip(), root) if depth < _MAX_DEPTH else ():
                yield from _lines(included, root, depth + 1)
        elif line:
            yield line


def _included(pattern: str, root: Path) -> list[Path]:
    if pattern.startswith("/"):
        return sorted(Path("/").glob(pattern.lstrip("/")))
    return sorted(root.glob(pattern))

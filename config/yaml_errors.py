"""YAML syntax errors in words that help: what stands there, and what to write instead.

libyaml's own words ("mapping values are not allowed in this context") are kept out of the way: the usual causes are
few (a tab, a missing space after a colon, an open quote, wrong indentation) and can be told from the line itself.
No message repeats a value of the file: the line may hold a password.
"""

from __future__ import annotations

import re

import yaml

__all__ = ["explain"]

_BY_PROBLEM: tuple[tuple[str, str], ...] = (
    (
        "mapping values are not allowed",
        "a colon is not expected here; check the indentation here and in the line before, and quote a text with ': '",
    ),
    ("block sequence entries are not allowed", "a list item ('- ') is not expected here; start the list on a new line"),
    (
        "did not find expected ',' or ']'",
        "the list opened with '[' in line {start} goes on here without ',' or ']'; close it or add the comma",
    ),
    (
        "did not find expected ',' or '}'",
        "the mapping opened with '{{' in line {start} goes on here without ',' or '}}'; close it or add the comma",
    ),
    (
        "did not find expected key",
        "a key is expected here; align it with the keys above, or quote the text if it contains quotes or brackets",
    ),
    (
        "did not find expected '-' indicator",
        "a list item ('- ') is expected here, as the list started in line {start}; indent the line or add '- '",
    ),
    (
        "did not find expected node content",
        "a value is expected here; quote a text that starts with a bracket or comma",
    ),
    (
        "could not find expected ':'",
        "the key in line {start} has no ':'; write key: value, with a space after the colon",
    ),
    ("found unknown escape character", "unknown escape after '\\'; use single quotes, or write '\\\\' for a backslash"),
    ("found incompatible YAML document", "an unknown YAML version is asked for; remove the %YAML line"),
)

_OPEN_QUOTE = ("found unexpected end of stream", "found unexpected document indicator")


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Return line and column (from 1) and a message for a syntax error in ``text``."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 1, 1, "this is not valid YAML"
    problem = error.problem or ""
    start = error.context_mark or mark
    line, column = mark.line + 1, mark.column + 1
    if tab := _tab_in_indentation(text, mark.line):
        return line, tab, "a tab is used for indentation; YAML allows spaces only"
    if problem in _OPEN_QUOTE and "quoted scalar" in (error.context or ""):
        return start.line + 1, start.column + 1, "this quote is never closed; add the closing quote"
    if problem == "found character that cannot start any token":
        return line, column, _bad_start(text, mark.line, mark.column)
    if problem.startswith("mapping values") and (glued := _colon_without_space(text, mark.line)):
        return *glued, "a space is missing after this colon; write key: value"
    for words, message in _BY_PROBLEM:
        if words in problem:
            return line, column, message.format(start=start.line + 1)
    return line, column, f"this is not valid YAML ({problem or 'no reason known'})"


def _line(text: str, number: int) -> str:
    lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", text)
    return lines[number] if number < len(lines) else ""


def _tab_in_indentation(text: str, number: int) -> int | None:
    """Return the column (from 1) of a tab before the line's first word, None when there is none."""
    line = _line(text, number)
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    return indentation.index("\t") + 1 if "\t" in indentation else None


def _colon_without_space(text: str, number: int) -> tuple[int, int] | None:
    """Return line and column (from 1) of a colon that lacks its space, right before line ``number`` or in it.

    ``key:value`` is a text of its own in YAML, so it is the next line's colon that the parser stumbles over.
    """
    for candidate in (number, number - 1):
        found = re.match(r"[ -]*[A-Za-z0-9_-]+(:)[^\s:]", _line(text, candidate)) if candidate >= 0 else None
        if found:
            return candidate + 1, found.start(1) + 1
    return None


def _bad_start(text: str, number: int, column: int) -> str:
    character = _line(text, number)[column : column + 1]
    if character == "\t":
        return "a tab stands here; use spaces"
    return f"a text may not start with {character!r} unless it is quoted"

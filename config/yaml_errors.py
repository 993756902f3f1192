"""YAML syntax errors in words that help: what stands there, and what to write instead.

libyaml's own words ("mapping values are not allowed in this context") are kept out of the way: the usual causes are
few (a tab, a missing space after a colon, an open quote, wrong indentation) and can be told from the line itself.
No message repeats a value of the file: the line may hold a password.
"""

from __future__ import annotations

import re
from typing import Protocol

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
    ("found unexpected ':'", "a colon is not expected here; put a space after it, or quote the text"),
    ("found unknown escape character", "unknown escape after '\\'; use single quotes, or write '\\\\' for a backslash"),
    (
        "did not find expected alphabetic or numeric character",
        "a text that starts with '*' or '&' must be quoted, as in \"*\": …",
    ),
    (
        "did not find expected <document start>",
        "this does not go with what stands above; align it with the keys above, or write key: value",
    ),
    (
        "did not find expected comment or line break",
        "after '|' or '>' the text starts on the next line; quote a text that starts with one of them",
    ),
    ("mapping keys are not allowed", "a text that starts with '? ' must be quoted"),
    ("found incompatible YAML document", "an unknown YAML version is asked for; remove the %YAML line"),
)

_BY_CONTEXT: tuple[tuple[str, str], ...] = (
    ("a directive", "a line that starts with '%' is not used here; remove it, or quote the text"),
    ("a tag", "a text that starts with '!' must be quoted"),
    ("a quoted scalar", "this is no escape after '\\'; use single quotes, or write '\\\\' for a backslash"),
    ("a block scalar", "after '|' or '>' the text starts on the next line; quote a text that starts with one of them"),
)

_BRACKET = 'quote a text with brackets in it, such as "a[0].b", within {…} and […]'
_NO_COLON = "this key has no ':'; write key: value, with a space after the colon"
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_COMMENT_OR_QUOTED = re.compile(r"""(?<![^\s\[{,])(?:#[^\n]*|"(?:[^"\\]|\\.)*+"|'(?:[^']|'')*+')""", re.DOTALL)
_OPEN_QUOTE = ("found unexpected end of stream", "found unexpected document indicator")


class _Mark(Protocol):
    """A position as the parser gives it, counted from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Return line and column (from 1) and a message for a syntax error in ``text``."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 1, 1, "this is not valid YAML"
    start = error.context_mark or mark
    return _told_by_the_line(error, text, mark, start) or (
        mark.line + 1,
        mark.column + 1,
        _told_by_the_words(error.problem or "", error.context or "", start.line + 1),
    )


def _told_by_the_line(error: yaml.MarkedYAMLError, text: str, mark: _Mark, start: _Mark) -> tuple[int, int, str] | None:
    """Find the usual causes, which stand elsewhere than where the parser stumbles."""
    problem = error.problem or ""
    if tab := _tab_in_indentation(text, mark.line):
        return mark.line + 1, tab, "a tab is used for indentation; YAML allows spaces only"
    if problem in _OPEN_QUOTE and "quoted scalar" in (error.context or ""):
        return start.line + 1, start.column + 1, "this quote is never closed; add the closing quote"
    if opened := _long_quote(text, mark.line):
        return *opened, f"this quote is closed only in line {mark.line + 1}; add the closing quote where its text ends"
    if problem.startswith("did not find expected ',' or") and _bracket_in_text(text, mark.line, mark.column):
        return mark.line + 1, mark.column + 1, _BRACKET
    if problem == "could not find expected ':'":
        return start.line + 1, start.column + 1, _NO_COLON
    if problem == "found character that cannot start any token":
        return mark.line + 1, mark.column + 1, _bad_start(text, mark.line, mark.column)
    if problem.startswith("mapping values"):
        if glued := _colon_without_space(text, mark.line):
            return *glued, "a space is missing after this colon; write key: value"
        if bare := _key_without_colon(text, mark.line):
            return *bare, _NO_COLON
    return None


def _told_by_the_words(problem: str, context: str, start_line: int) -> str:
    """Put libyaml's words into the reader's."""
    for words, message in _BY_PROBLEM:
        if words in problem:
            return message.format(start=start_line)
    for words, message in _BY_CONTEXT:
        if words in context:
            return message
    return f"this is not valid YAML ({problem or 'no reason known'})"


def _line(text: str, number: int) -> str:
    lines = _LINE_END.split(text)
    return lines[number] if number < len(lines) else ""


def _bracket_in_text(text: str, number: int, column: int) -> bool:
    """Tell whether the parser stumbles over a bracket that stands right behind a letter, as in ``a[0].b``."""
    behind = _line(text, number)[max(column - 1, 0) :]
    return column > 0 and re.match(r"[^\s'\"\[\]{}][\[{]", behind) is not None


def _long_quote(text: str, number: int) -> tuple[int, int] | None:
    """Return line and column (from 1) of a quote above line ``number`` that is closed in it.

    A forgotten closing quote is made up for by the next quote there is, and the parser stumbles over what follows that.
    """
    lines = _LINE_END.split(text)[: number + 1]
    before = "\n".join(lines)
    last_line = len(before) - len(lines[-1])
    for found in _COMMENT_OR_QUOTED.finditer(before):
        if found.start() < last_line < found.end() and not found.group().startswith("#"):
            above = before[: found.start()].split("\n")
            return len(above), len(above[-1]) + 1
    return None


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


def _key_without_colon(text: str, number: int) -> tuple[int, int] | None:
    """Return line and column (from 1) of a key without a colon in the line before ``number``, indented like it.

    YAML joins such a line with the next one to a text of two lines.
    """
    indentation = len(_line(text, number)) - len(_line(text, number).lstrip(" "))
    before = _line(text, number - 1) if number else ""
    found = re.fullmatch(r"( *)[A-Za-z0-9_-]+(?: [^:#]*)?", before)
    return (number, indentation + 1) if found and len(found.group(1)) == indentation else None


def _bad_start(text: str, number: int, column: int) -> str:
    character = _line(text, number)[column : column + 1]
    if character == "\t":
        return "a tab stands here; use spaces"
    return f"a text may not start with {character!r} unless it is quoted"

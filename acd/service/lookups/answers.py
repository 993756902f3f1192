"""Taking from an answer what was asked for: values by their path, each held against its type."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

__all__ = ["AnswerField", "AnswerWrong", "ValueKind", "parse_path", "read_answer"]

_LONGEST_TEXT: Final = 500
_STEP: Final = re.compile(r"\[(?P<place>[0-9]{1,4})\]|(?:^|\.)(?P<name>[A-Za-z0-9_$@-]{1,64})")


class ValueKind(StrEnum):
    """What a value must be."""

    TEXT = "text"
    """A text, number or boolean, taken as text."""
    NUMBER = "number"
    WHOLE = "whole-number"
    FLAG = "flag"
    """True or false; call data have `yes` or `no`."""


class AnswerWrong(Exception):
    """The answer is not what it should be. The text names fields, never values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerField:
    """One value: where it stands, what it must be, and what holds where it is missing (None: it must be there)."""

    path: tuple[str | int, ...]
    kind: ValueKind = ValueKind.TEXT
    default: str | None = None


def parse_path(path: str) -> tuple[str | int, ...]:
    """Read ``account.entries[0].amount``.

    Raises:
        ValueError: it is no path.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at) if (at == 0) != (path[at] == ".") or path[at] == "[" else None
        if step is None:
            raise ValueError(f"{path!r} is no path")
        steps.append(step["name"] if step["name"] is not None else int(step["place"]))
        at = step.end()
    if not steps:
        raise ValueError("a path has at least one name")
    return tuple(steps)


def read_answer(body: bytes, fields: Mapping[str, AnswerField]) -> dict[str, str]:
    """Take the values out of a body in JSON, as call data.

    Raises:
        AnswerWrong: it is no JSON, a value is missing or of another type.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise AnswerWrong("the answer is not JSON") from None
    return {name: _value(name, field, answer) for name, field in fields.items()}


def _value(name: str, field: AnswerField, answer: Any) -> str:
    found = _at(answer, field.path)
    if found is None:
        if field.default is None:
            raise AnswerWrong(f"{name} is missing")
        return field.default
    text = _as_text(found, field.kind)
    if text is None:
        raise AnswerWrong(f"{name} is not a {field.kind}")
    return text


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _as_text(value: object, kind: ValueKind) -> str | None:
    """Return a value as call data have it; None when it is of another kind, or too long."""
    match kind:
        case ValueKind.FLAG:
            return {True: "yes", False: "no"}[value] if isinstance(value, bool) else None
        case ValueKind.TEXT:
            text = _as_text(value, ValueKind.FLAG) if isinstance(value, bool) else _as_text(value, ValueKind.NUMBER)
            text = value if isinstance(value, str) else text
            return text if text is not None and len(text) <= _LONGEST_TEXT else None
        case ValueKind.WHOLE | ValueKind.NUMBER:
            # Many services write amounts as texts, so that no digit is lost.
            if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value):
                return value if kind is ValueKind.NUMBER or "." not in value else None
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                return None
            if kind is ValueKind.WHOLE and value != int(value):
                return None
            return str(int(value)) if value == int(value) else _plain(value)


def _plain(value: float) -> str:
    """Write a number without an exponent: it may be read out."""
    return f"{value:.10f}".rstrip("0").rstrip(".")

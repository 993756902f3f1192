"""From a document to a model: pydantic's findings in the reader's words, each at its place in the file.

So that one wrong value does not hide the others, what pydantic refuses is taken out and the rest is validated again:
the references between files are then checked on all that is sound.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.document import Document, KeyPath, Raw, SourceMap
from config.problems import Findings, Position
from config.schema.walk import Shape, by_key, child, is_model, models_of, plain
from config.suggest import nearest, suggestion
from config.wording import quoted, shown_key

__all__ = ["Part", "raw_at", "validate"]

M = TypeVar("M", bound=BaseModel)

_KEYS_SHOWN = 4
"""A mapping with more keys is looked up rather than guessed from a list."""


@dataclass(frozen=True, slots=True)
class Part(Generic[M]):
    """One file after validation."""

    model: M | None
    """What is sound of it; None when nothing is."""
    raw: Raw | None
    """All of it as written; None when the file could not be read."""
    source: SourceMap
    """Where the values of ``model`` stand."""
    refused: frozenset[KeyPath] = frozenset()
    """What is wrong and therefore not in ``model``: refused values, lists with refused items, and keys missing or
    written another way."""

    def names(self, *path: str) -> frozenset[str] | None:
        """Return the keys under ``path`` as written, sound or not; None when they cannot be known."""
        found = raw_at(self.raw, path)
        if isinstance(found, dict):
            return frozenset(found)
        return None if self.raw is None or path in self.refused else frozenset()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a pydantic error belongs: the way to the value, and the shape that was expected there."""

    path: KeyPath
    shape: Shape
    is_key: bool


def raw_at(raw: Raw | None, path: KeyPath) -> Raw | None:
    """Return what stands at ``path``, None when nothing does."""
    for key in path:
        if isinstance(raw, dict) and isinstance(key, str):
            raw = raw.get(key)
        elif isinstance(raw, list) and isinstance(key, int) and key < len(raw):
            raw = raw[key]
        else:
            return None
    return raw


def validate(model: type[M], document: Document, findings: Findings) -> Part[M]:
    """Check a document against its model; what is wrong goes to ``findings``."""
    raw = document.root
    if raw is None:
        return Part(None, None, document.source)
    rest: Raw | None = deepcopy(raw)
    source = document.source
    gone: set[KeyPath] = set(document.dropped)
    while rest is not None:
        try:
            return Part(model.model_validate(rest), raw, source, frozenset(gone))
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            places = [_place(model, detail["loc"]) for detail in details]
            guessed = _meant(model, details, places, rest)
            _report(model, details, places, rest, source, gone | guessed, findings)
            rest, source, gone = _prune(model, details, places, rest, source, gone | guessed)
    # Of a file that is a list or a text no name can be known.
    return Part(None, raw if isinstance(raw, dict) else None, source, frozenset(gone))


def _place(model: type[BaseModel], location: tuple[str | int, ...]) -> _Place:
    """Translate pydantic's location: union tags are left out, a wrong key is told from a wrong value."""
    shape: Shape = model
    path: list[str | int] = []
    for element in location:
        if element == "[key]":
            return _Place(tuple(path), shape, is_key=True)
        tagged = models_of(shape)
        if tagged and isinstance(element, str) and element in tagged:
            shape = tagged[element]
            continue
        path.append(element)
        shape, _ = child(shape, element)
    return _Place(tuple(path), shape, is_key=False)


def _report(
    model: type[BaseModel],
    details: list[ErrorDetails],
    places: list[_Place],
    raw: Raw,
    source: SourceMap,
    gone: set[KeyPath],
    findings: Findings,
) -> None:
    for detail, place in zip(details, places, strict=True):
        if detail["type"] in ("missing", "union_tag_not_found"):
            path = place.path if detail["type"] == "missing" else (*place.path, "type")
            if path not in gone:
                findings.error(source.key(path[:-1]), _missing(model, raw, path))
        elif detail["type"] == "extra_forbidden":
            findings.error(source.key(place.path), _unknown(model, raw, place.path))
        else:
            findings.error(*_wrong_value(detail, place, raw, source))


def _owner(model: type[BaseModel], raw: Raw, path: KeyPath) -> Shape:
    """Return the shape of the mapping at ``path``; in a union the one its ``type`` names."""
    shape: Shape = model
    for length in range(len(path) + 1):
        if tagged := models_of(shape):
            kind = raw_at(raw, (*path[:length], "type"))
            shape = tagged.get(kind) if isinstance(kind, str) else None
        if length < len(path):
            shape, _ = child(shape, path[length])
    return shape


def _known_keys(model: type[BaseModel], raw: Raw, path: KeyPath) -> tuple[str, ...]:
    owner = plain(_owner(model, raw, path))
    return tuple(by_key(owner)) if is_model(owner) else ()


def _meant(model: type[BaseModel], details: list[ErrorDetails], places: list[_Place], raw: Raw) -> frozenset[KeyPath]:
    """Return the keys that unknown keys were probably meant to be: those are not reported as missing, too."""
    meant: set[KeyPath] = set()
    for detail, place in zip(details, places, strict=True):
        if detail["type"] == "extra_forbidden":
            near = nearest(_before_colon(str(place.path[-1])), _known_keys(model, raw, place.path[:-1]))
            if near:
                meant.add((*place.path[:-1], near))
    return frozenset(meant)


def _before_colon(key: str) -> str:
    return key.partition(":")[0]


def _unknown(model: type[BaseModel], raw: Raw, path: KeyPath) -> str:
    """Say that a key is not known here, and what would be right."""
    key, known = str(path[-1]), _known_keys(model, raw, path[:-1])
    name = _before_colon(key)
    hints: Mapping[str, str] = getattr(plain(_owner(model, raw, path[:-1])), "hints", {})
    if key in hints:
        return f"{shown_key(key)} cannot be used here: {hints[key]}"
    if ":" in key and name in known:
        return f"unknown key {shown_key(key)}; write '{name}: …' with a space after the colon"
    return f"unknown key {shown_key(key)}; {suggestion(name, known)}"


def _missing(model: type[BaseModel], raw: Raw, path: KeyPath) -> str:
    """Say which key is missing and show one."""
    key = path[-1]
    tagged = models_of(_container(model, raw, path[:-1])) if key == "type" else {}
    if tagged:
        found = raw_at(raw, path[:-1])
        near = nearest("type", found) if isinstance(found, dict) else None
        right = f"write it for {quoted(near)}" if near else f"give one of {', '.join(sorted(tagged))}"
        return f"key 'type' is missing; {right}"
    _, field = child(_owner(model, raw, path[:-1]), key)
    example = _flow(field.examples[0]) if field and field.examples else "…"
    return f"key '{key}' is missing; add it, such as {key}: {example}"


def _flow(value: object) -> str:
    """Write an example on one line of YAML; texts that look like numbers are quoted, as is good style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    text = str(value)
    return f'"{text}"' if isinstance(value, str) and text.isdigit() else text


def _container(model: type[BaseModel], raw: Raw, path: KeyPath) -> Shape:
    """Return the shape of the value at ``path``, a union left as it is."""
    if not path:
        return model
    shape, _ = child(_owner(model, raw, path[:-1]), path[-1])
    return shape


def _wrong_value(detail: ErrorDetails, place: _Place, raw: Raw, source: SourceMap) -> tuple[Position, str]:
    """Return position and message for a value (or key) that is there but wrong."""
    kind, context = detail["type"], detail.get("ctx", {})
    position = source.key(place.path) if place.is_key else source.value(place.path)
    if kind == "union_tag_invalid":
        known = tuple(re.findall(r"'([^']+)'", str(context["expected_tags"])))
        position, tag = source.value((*place.path, "type")), raw_at(raw, (*place.path, "type"))
        if not isinstance(tag, str):
            return position, _wrong_kind(str, tag)
        return position, f"unknown type {quoted(tag)}; {suggestion(tag, known)}"
    given = str(place.path[-1]) if place.is_key else raw_at(raw, place.path)
    if kind == "literal_error" and isinstance(given, str):
        known = tuple(word for word in re.findall(r"'([^']*)'", str(context["expected"])) if word)
        return position, f"unknown {_field_name(place)} {quoted(given)}; {suggestion(given, known)}"
    if kind == "too_short":
        return position, f"{shown_key(str(place.path[-1]))} is empty; give at least one"
    if kind == "acd":
        return position, str(context["text"])
    return position, _wrong_kind(place.shape, given)


def _field_name(place: _Place) -> str:
    """Name what a wrong word stands for: its key, or for keys what they are."""
    if place.is_key:
        return "language" if place.path[0] == "prompts" or "value" in place.path else "key"
    names = [part for part in place.path if isinstance(part, str)]
    return names[-1]


def _wrong_kind(shape: Shape, given: Raw | None) -> str:
    """Say that a text, list or mapping stands where another kind of value belongs. Never repeats a text."""
    found = "a mapping (key: value)" if isinstance(given, dict) else "a list" if isinstance(given, list) else "a text"
    expected = _expected(shape)
    hint = ""
    if isinstance(given, str) and ":" in given and expected.startswith("a mapping"):
        hint = ", with a space after the colon"
    elif is_model(shape) and len(keys := by_key(plain(shape))) <= _KEYS_SHOWN:
        hint = f"; its keys: {', '.join(keys)}"
    return f"{found} stands here; {expected} belongs here{hint}"


def _expected(shape: Shape) -> str:
    core = plain(shape)
    origin = getattr(core, "__origin__", core)
    if is_model(core) or models_of(core) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return "a mapping (key: value)"
    if origin in (tuple, list):
        return "a list such as [a, b]"
    if core is bool:
        return "yes or no"
    if core in (int, float):
        return "a number"
    return "a text"


def _prune(
    model: type[BaseModel],
    details: list[ErrorDetails],
    places: list[_Place],
    raw: Raw,
    source: SourceMap,
    gone: set[KeyPath],
) -> tuple[Raw | None, SourceMap, set[KeyPath]]:
    """Take out what was refused. What lacks a needed key goes as a whole, and so on upwards.

    At the top of a file a needed key is replaced by the model's stand-in, so that the rest of the file stays.
    Returns what is left, where it stands, and all that is gone so far; places in lists are those of what is left.
    """
    doomed: set[KeyPath] = set()
    stand_ins = getattr(model, "stand_ins", {})
    for detail, place in zip(details, places, strict=True):
        if detail["type"] != "missing":
            doomed.add(place.path)
        elif len(place.path) == 1 and place.path[0] in stand_ins and isinstance(raw, dict):
            raw[str(place.path[0])] = deepcopy(stand_ins[place.path[0]])
            gone = gone | {place.path}
        else:
            doomed.add(place.path[:-1])
    doomed = {_existing(raw, _divisible(model, raw, path)) for path in doomed}
    if () in doomed:
        return None, source, gone
    gone = gone | doomed | {path[:-1] for path in doomed if isinstance(path[-1], int)}
    removed: dict[KeyPath, list[int]] = {}
    for path in doomed:
        holder = raw_at(raw, path[:-1])
        if isinstance(holder, dict):
            holder.pop(str(path[-1]), None)
        elif isinstance(path[-1], int):
            removed.setdefault(path[:-1], []).append(path[-1])
    for path, places_in_list in sorted(removed.items(), key=lambda item: -len(item[0])):
        items = raw_at(raw, path)
        if isinstance(items, list):
            items[:] = [item for place, item in enumerate(items) if place not in set(places_in_list)]
    if not removed:
        return raw, source, gone
    keys, values = _moved_up(source.keys, removed), _moved_up(source.values, removed)
    return raw, SourceMap(source.file, keys, values), set(_moved_up(dict.fromkeys(gone, source.key(())), removed))


def _divisible(model: type[BaseModel], raw: Raw, path: KeyPath) -> KeyPath:
    """Return the way to what is left out as a whole with the value at ``path``: the value itself, or a model of which
    no part makes sense without the others."""
    for length in range(len(path)):
        if getattr(plain(_owner(model, raw, path[:length])), "indivisible", False):
            return path[:length]
    return path


def _existing(raw: Raw, path: KeyPath) -> KeyPath:
    """Return the way to what is written there, or to the nearest thing around it.

    A short form is validated as the long one (``prompt: a`` as ``prompt: [a]``), so a path may go further than the
    file does. What is taken out must be something that is there, or validation would never end.
    """
    while path and raw_at(raw, path) is None:
        path = path[:-1]
    return path


def _moved_up(positions: Mapping[KeyPath, Position], removed: Mapping[KeyPath, list[int]]) -> dict[KeyPath, Position]:
    """Return the positions after list items were taken out: those behind them move up."""
    ordered = {path: sorted(places) for path, places in removed.items()}
    result: dict[KeyPath, Position] = {}
    for path, position in positions.items():
        new: KeyPath | None = path
        for depth, at in enumerate(path):
            places = ordered.get(path[:depth])
            if places is None or not isinstance(at, int) or new is None:
                continue
            before = bisect_left(places, at)
            gone = before < len(places) and places[before] == at
            new = None if gone else (*new[:depth], at - before, *new[depth + 1 :])
        if new is not None:
            result[new] = position
    return result

"""A YAML file as plain dicts, lists and texts, with the position of every key and value.

Every scalar stays the text that was written: ``+493012345``, ``0123``, ``10:30`` and ``no`` are not turned into numbers
or booleans; the schema decides what each is. The file is read from parser events rather than with ``compose()``,
because libyaml's composer recurses and kills the process on a file of 100,000 opening brackets.

Refused, each with its position: duplicate keys, merge keys (``<<``), tags, more than one document, keys that are not
plain text, nesting deeper than :data:`MAX_DEPTH`, aliases that expand to more than :data:`MAX_NODES` values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from config.problems import Findings, Position
from config.wording import quoted, shown_key
from config.yaml_errors import explain

__all__ = ["MAX_DEPTH", "MAX_NODES", "Document", "KeyPath", "Raw", "SourceMap", "parse"]

KeyPath: TypeAlias = tuple[str | int, ...]
"""The way to a value from the root of a file: keys of mappings and places in lists (from 0)."""

Raw: TypeAlias = "dict[str, Raw] | list[Raw] | str"
"""A value as written, nothing interpreted."""

MAX_DEPTH = 30
"""Levels of nesting; the deepest configuration that means something has about 10."""

MAX_NODES = 500_000
"""Values in one file after its aliases are expanded."""

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What YAML allows in no file; a byte order mark is taken off before."""

_HASH_AS_KEY = re.compile(r"^ *#:(?= *[A-Za-z0-9])", re.MULTILINE)
"""A key of the telephone as it is written by those who do not think of comments."""

_LOADER: type[yaml.BaseLoader] | type[yaml.CBaseLoader] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Where each key and value of one file was written."""

    file: str
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    values: dict[KeyPath, Position] = field(default_factory=dict)

    def key(self, path: KeyPath) -> Position:
        """Return where the key (or list item) at ``path`` stands, or the nearest thing around it."""
        for end in range(len(path), 0, -1):
            if found := self.keys.get(path[:end]):
                return found
        return Position(self.file)

    def value(self, path: KeyPath) -> Position:
        """Return where the value at ``path`` starts, or the nearest value around it."""
        for end in range(len(path), 0, -1):
            if found := self.values.get(path[:end]):
                return found
        return Position(self.file)


@dataclass(frozen=True, slots=True)
class Document:
    """One file's content. ``root`` is None when the file could not be read or holds nothing."""

    root: Raw | None
    source: SourceMap
    dropped: frozenset[KeyPath] = frozenset()
    """Keys whose value was refused here already, so that they are not reported as missing, too."""


@dataclass(slots=True, eq=False)
class _Node:
    """A parsed value before aliases are expanded: one of the three is not None, or none for an empty value."""

    position: Position
    scalar: str | None = None
    items: list[_Node] | None = None
    pairs: list[tuple[str, Position, _Node]] | None = None


def parse(data: bytes, file: str, findings: Findings) -> Document:
    """Read one YAML file's bytes; what is wrong goes to ``findings``."""
    text = _decode(data, file, findings)
    if text is None:
        return Document(None, SourceMap(file))
    for found in _HASH_AS_KEY.finditer(text):
        message = """this line is a comment; if the key '#' is meant, quote it: "#": …"""
        findings.warning(_position_at(text[: found.end() - 2], file), message)
    try:
        node = _Composer(text, file, findings).compose()
    except yaml.MarkedYAMLError as error:
        line, column, message = explain(error, text)
        findings.error(Position(file, line, column), message)
        node = None
    except _RefusedError as refused:
        findings.error(refused.position, refused.message)
        node = None
    if node is None:
        return Document(None, SourceMap(file))
    return _Expansion(file, findings).expand(node)


def _decode(data: bytes, file: str, findings: Findings) -> str | None:
    """Decode UTF-8, with or without a byte order mark; None (and a finding) if it is something else."""
    bom = b"\xef\xbb\xbf"
    body = data.removeprefix(bom)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        position = _position_at(body[: error.start].decode("utf-8"), file)
        byte = body[error.start]
        findings.error(position, f"byte 0x{byte:02x} is not UTF-8; save the file in the encoding UTF-8")
        return None
    if found := _CONTROL.search(text):
        position = _position_at(text[: found.start()], file)
        findings.error(position, f"control character U+{ord(found.group()):04X} in the file; remove it")
        return None
    return text


def _position_at(before: str, file: str) -> Position:
    """Return the position that follows the text ``before``."""
    lines = re.split("\r\n|[\r\n]", before)
    return Position(file, len(lines), len(lines[-1]) + 1)


class _RefusedError(Exception):
    """Valid YAML that a configuration file may not use."""

    def __init__(self, position: Position, message: str) -> None:
        self.position = position
        self.message = message
        super().__init__(message)


class _Composer:
    """Builds nodes from parser events; recursion is bounded by :data:`MAX_DEPTH`."""

    def __init__(self, text: str, file: str, findings: Findings) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._file = file
        self._findings = findings
        self._anchors: dict[str, _Node] = {}

    def compose(self) -> _Node | None:
        """Return the file's one document, None when there is none."""
        root: _Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _RefusedError(self._at(event), "a second document starts here ('---'); a file holds one only")
                root = self._node(next(self._events), depth=1)
        return root

    def _at(self, event: yaml.Event) -> Position:
        mark = event.start_mark
        return Position(self._file, mark.line + 1, mark.column + 1) if mark else Position(self._file)

    def _node(self, event: yaml.Event, depth: int) -> _Node:
        position = self._at(event)
        if depth > MAX_DEPTH:
            raise _RefusedError(position, f"nested more than {MAX_DEPTH} levels deep; is a bracket left open?")
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event.anchor or "", position)
        if getattr(event, "tag", None) is not None:
            raise _RefusedError(
                position, "a tag ('!…') is not supported; to write a text that starts with '!', quote it"
            )
        if isinstance(event, yaml.ScalarEvent):
            empty = event.implicit[0] and event.style in (None, "") and event.value in _NULLS
            node = _Node(position, scalar=None if empty else event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = _Node(position, items=list(self._items(depth)))
        else:
            node = _Node(position, pairs=list(self._pairs(depth)))
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = node
        return node

    def _aliased(self, name: str, position: Position) -> _Node:
        anchored = self._anchors.get(name)
        if anchored is None:
            alias, anchor = quoted(f"*{name}"), quoted(f"&{name}")
            raise _RefusedError(position, f"alias {alias} has no finished anchor {anchor} before it")
        return _Node(position, anchored.scalar, anchored.items, anchored.pairs)

    def _items(self, depth: int) -> Iterator[_Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _pairs(self, depth: int) -> Iterator[tuple[str, Position, _Node]]:
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if key.scalar is None:
                raise _RefusedError(key.position, "a key must be a text; put it in quotes if it is one")
            if key.scalar == "<<":
                raise _RefusedError(
                    key.position, "merge keys ('<<') are not supported; repeat the keys, or use 'defaults' for queues"
                )
            value = self._node(next(self._events), depth + 1)
            yield key.scalar, key.position, value


class _Expansion:
    """Turns nodes into plain values, expanding aliases within bounds and refusing duplicate keys."""

    def __init__(self, file: str, findings: Findings) -> None:
        self._file = file
        self._findings = findings
        self._source = SourceMap(file)
        self._dropped: set[KeyPath] = set()
        self._nodes = 0

    def expand(self, node: _Node) -> Document:
        """Return the document below ``node``."""
        try:
            root = self._value(node, ())
        except _RefusedError as refused:
            self._findings.error(refused.position, refused.message)
            root = None
        return Document(root, self._source, frozenset(self._dropped))

    def _value(self, node: _Node, path: KeyPath) -> Raw | None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _RefusedError(node.position, f"more than {MAX_NODES} values once aliases ('*name') are expanded")
        if len(path) > MAX_DEPTH:
            raise _RefusedError(node.position, f"nested more than {MAX_DEPTH} levels deep once aliases are expanded")
        self._source.values[path] = node.position
        if node.items is not None:
            return self._list(node.items, path)
        if node.pairs is not None:
            return self._mapping(node.pairs, path)
        return node.scalar

    def _list(self, items: list[_Node], path: KeyPath) -> Raw:
        result: list[Raw] = []
        for item in items:
            place = (*path, len(result))
            value = self._value(item, place)
            self._source.keys[place] = item.position
            if value is None:
                self._findings.error(item.position, "this list item is empty; write a value or remove it")
            else:
                result.append(value)
        return result

    def _mapping(self, pairs: list[tuple[str, Position, _Node]], path: KeyPath) -> Raw:
        result: dict[str, Raw] = {}
        for key, position, below in pairs:
            place = (*path, key)
            if place in self._source.keys:
                first = self._source.keys[place]
                self._findings.error(
                    position, f"key {shown_key(key)} is given twice (first in line {first.line}); keep one of the two"
                )
                continue
            self._source.keys[place] = position
            value = self._value(below, place)
            if value is None:
                self._dropped.add(place)
                self._findings.error(position, f"{shown_key(key)} has no value; {_value_wanted(key)}")
            else:
                result[key] = value
        return result


def _value_wanted(key: str) -> str:
    name, colon, _ = key.partition(":")
    if colon and name.isprintable():
        return f"write '{name}: …' with a space after the colon"
    return "write one or remove the key"

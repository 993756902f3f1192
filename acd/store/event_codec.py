"""Engine inputs and outputs as JSON, by their own field names and types, without a line per type."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import orjson

from acd.core import commands, events, specs
from acd.core.commands import Command
from acd.core.events import Event
from acd.core.specs import RoutingSpec

__all__ = ["CodecError", "decode_event", "decode_routing", "encode", "encode_commands", "event_name"]

_EVENTS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(events.Event)}


class CodecError(ValueError):
    """JSON that is no engine input; the message says what is wrong with it."""


def event_name(event: Event) -> str:
    """Return the name under which ``decode_event`` knows the event."""
    return type(event).__name__


def encode(value: Any) -> bytes:
    """Encode an event, a command or a configuration: objects by field name, sets as sorted lists."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_NON_STR_KEYS)


def encode_commands(made: list[Command]) -> bytes:
    """Encode what one input led to; the same commands give the same bytes."""
    return b"\n".join([type(command).__name__.encode() + b" " + encode(command) for command in made])


def decode_event(name: str, data: Any) -> Event:
    """Build the event ``name`` from decoded JSON. Raises CodecError."""
    kind = _EVENTS.get(name)
    if kind is None:
        raise CodecError(f"no engine input is called {name!r}")
    return cast("Event", _build(kind, data, name))


def decode_routing(data: Any) -> RoutingSpec:
    """Build a configuration from decoded JSON. Raises CodecError."""
    return cast("RoutingSpec", _build(RoutingSpec, data, "routing"))


def _default(value: Any) -> Any:
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be journalled")


@cache
def _hints(kind: type) -> dict[str, Any]:
    spaces = {**vars(specs), **vars(events), **vars(commands)}
    return get_type_hints(kind, globalns={**spaces, **vars(__import__(kind.__module__, fromlist=["_"]))})


def _build(kind: Any, data: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _build_union(get_args(kind), data, where)
    if origin is tuple:
        return _build_tuple(get_args(kind), data, where)
    if origin in (frozenset, set):
        return frozenset(_build(get_args(kind)[0], item, where) for item in _checked(data, list, where))
    if origin is not None and issubclass(origin, Mapping):
        inner = get_args(kind)[1]
        return {key: _build(inner, item, f"{where}.{key}") for key, item in _checked(data, dict, where).items()}
    if is_dataclass(kind):
        return _build_dataclass(cast("type", kind), data, where)
    return _build_plain(kind, data, where)


def _build_union(kinds: tuple[Any, ...], data: Any, where: str) -> Any:
    if data is None and type(None) in kinds:
        return None
    rest = [kind for kind in kinds if kind is not type(None)]
    if len(rest) == 1:
        return _build(rest[0], data, where)
    if isinstance(data, str | int | float | bool):
        return data
    raise CodecError(f"{where}: {data!r} is none of {', '.join(map(str, rest))}")


def _build_tuple(kinds: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    items = _checked(data, list, where)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_build(kinds[0], item, f"{where}[{place}]") for place, item in enumerate(items))
    if len(items) != len(kinds):
        raise CodecError(f"{where}: {len(kinds)} items expected, found {len(items)}")
    return tuple(_build(kind, item, where) for kind, item in zip(kinds, items, strict=True))


def _build_dataclass(kind: type, data: Any, where: str) -> Any:
    given = _checked(data, dict, where)
    hints = _hints(kind)
    values = {}
    for field in fields(kind):
        if field.name in given:
            values[field.name] = _build(hints[field.name], given[field.name], f"{where}.{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise CodecError(f"{where}: {field.name} is missing")
    unknown = set(given) - set(values)
    if unknown:
        raise CodecError(f"{where}: unknown {', '.join(sorted(unknown))}")
    return kind(**values)


def _build_plain(kind: Any, data: Any, where: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(data)
        except ValueError:
            raise CodecError(f"{where}: {data!r} is no {kind.__name__}") from None
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return data
    if kind in (str, int, bool) and type(data) is kind:
        return data
    raise CodecError(f"{where}: {data!r} is not of the kind {getattr(kind, '__name__', kind)}")


def _checked(data: Any, kind: Callable[..., Any], where: str) -> Any:
    if not isinstance(data, cast("type", kind)):
        raise CodecError(f"{where}: a {getattr(kind, '__name__', kind)} expected, found {type(data).__name__}")
    return data

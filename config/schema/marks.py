"""What a value in a model stands for: the marks that annotations carry, and finding the marked values of a model.

A model says by its annotations which of its values name a queue, lead to a menu node or have fields to be filled in.
So the checks across files hold for every model that uses these types, whoever adds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel

from config.document import KeyPath

__all__ = ["FIELD", "NODE", "PROMPT", "ZONE", "Mark", "Marker", "Refers", "SetsDatum", "Templated", "Way", "marks"]

NODE = "node"
"""The kind of a reference to a menu node."""

PROMPT = "prompt"
"""The kind of a prompt's name."""

FIELD = "field"
"""The kind of a field's name, as ``call.caller``."""

ZONE = "zone"
"""The kind of a time zone's name."""


class Way(Enum):
    """What makes a caller go where a reference leads. Stands beside a ``Reference`` in an annotation."""

    BY_ITSELF = "by itself"
    CHOICE = "the caller chose"
    FAILURE = "the caller chose nothing valid"
    AFTER_CALL = "the agent has hung up"
    TURNED_AWAY = "a queue's join rules have led the caller on"
    OVERFLOW = "a queue's overflow rules have led the caller on"
    RETURNED = "a subtree has returned"


@dataclass(frozen=True, slots=True)
class Refers:
    """The value names something of this kind: ``queue``, ``skill``, ``prompt``, ``node`` …"""

    kind: str


@dataclass(frozen=True, slots=True)
class Templated:
    """The value is a text with fields such as ``{call.caller}``."""

    secrets: bool = False
    """Fields such as ``{secret.pin}`` may stand in it: it goes to another system, and nowhere else."""


@dataclass(frozen=True, slots=True)
class SetsDatum:
    """The value names a call datum that is set here, read elsewhere as ``{data.NAME}``."""

    suffixes: tuple[str, ...] = ("",)
    """With each of these behind the name there is one."""


Marker: TypeAlias = Refers | Templated | SetsDatum


@dataclass(frozen=True, slots=True)
class Mark:
    """One marked value: the way to it from the model, what it stands for, and what it is."""

    path: KeyPath
    marker: Marker
    value: str
    way: Way = Way.BY_ITSELF
    """For references to nodes."""
    is_key: bool = False
    """The value is the key at ``path``, not what stands under it."""


def marks(model: BaseModel) -> Iterator[Mark]:
    """Yield every marked value of a model, going down into models, mappings and lists in it."""
    for name, field in type(model).model_fields.items():
        yield from _marks(field.annotation, tuple(field.metadata), getattr(model, name), (field.alias or name,))


def _marks(shape: Any, metadata: tuple[Any, ...], value: Any, path: KeyPath, *, is_key: bool = False) -> Iterator[Mark]:
    origin: Any = get_origin(shape)
    if origin is Annotated:
        plain, *more = get_args(shape)
        yield from _marks(plain, (*metadata, *more), value, path, is_key=is_key)
    elif isinstance(value, str):
        yield from _of_text(shape, metadata, value, path, is_key=is_key)
    elif isinstance(value, BaseModel):
        for mark in marks(value):
            yield Mark((*path, *mark.path), mark.marker, mark.value, mark.way, mark.is_key)
    elif origin in (Union, UnionType):
        for part in get_args(shape):
            if part is not NoneType and not isinstance(part, type):
                yield from _marks(part, metadata, value, path, is_key=is_key)
    elif isinstance(value, Mapping):
        of_key, of_value = get_args(shape) or (Any, Any)
        for key, below in value.items():
            yield from _marks(of_key, (), key, (*path, key), is_key=True)
            yield from _marks(of_value, (), below, (*path, key))
    elif isinstance(value, tuple):
        of_item = (get_args(shape) or (Any,))[0]
        for place, item in enumerate(value):
            yield from _marks(of_item, (), item, (*path, place))


def _of_text(shape: Any, metadata: tuple[Any, ...], value: str, path: KeyPath, *, is_key: bool) -> Iterator[Mark]:
    if get_origin(shape) in (Union, UnionType):
        for part in get_args(shape):
            if get_origin(part) is Annotated:  # the alternatives that take a text; the first that is marked tells
                found = tuple(_marks(part, metadata, value, path, is_key=is_key))
                if found:
                    yield from found
                    return
    marker = next((mark for mark in metadata if isinstance(mark, Marker)), None)
    if marker is not None:
        way = next((mark for mark in metadata if isinstance(mark, Way)), Way.BY_ITSELF)
        yield Mark(path, marker, value, way, is_key)

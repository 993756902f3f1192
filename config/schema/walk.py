"""Finding one's way in the models: from a key path in a file to the field, and what kind of value it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["Leaf", "Shape", "by_key", "child", "choices", "leaves", "models_of", "plain"]

Shape: TypeAlias = Any
"""A type annotation: what a value may be."""


def plain(shape: Shape) -> Shape:
    """Strip ``Annotated`` and ``| None`` from an annotation."""
    while True:
        origin: Any = get_origin(shape)
        if origin is Annotated:
            shape = get_args(shape)[0]
        elif origin in (Union, UnionType):
            rest = [part for part in get_args(shape) if part is not NoneType]
            if len(rest) != 1:
                return shape
            shape = rest[0]
        else:
            return shape


def models_of(shape: Shape) -> dict[str, type[BaseModel]]:
    """Return the models a union tells apart by ``type``, by that name; empty if the annotation is no such union."""
    core = plain(shape)
    origin: Any = get_origin(core)
    if origin not in (Union, UnionType):
        return {}
    models: dict[str, type[BaseModel]] = {}
    for part in get_args(core):
        for tag in choices(part.model_fields["type"].annotation):
            models[tag] = part
    return models


def choices(shape: Shape) -> tuple[str, ...]:
    """Return the texts a ``Literal`` allows; empty for any other annotation."""
    core = plain(shape)
    origin: Any = get_origin(core)
    return tuple(get_args(core)) if origin is Literal else ()


def is_model(shape: Shape) -> bool:
    """Tell whether the annotation is one model."""
    core = plain(shape)
    return isinstance(core, type) and issubclass(core, BaseModel)


def by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return a model's fields by the keys under which they are written: a keyword of Python needs another name."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def child(shape: Shape, key: str | int) -> tuple[Shape, FieldInfo | None]:
    """Return the annotation (and field, if it is one) of what stands under ``key``; (None, None) if unknown."""
    core = plain(shape)
    if is_model(core):
        field = by_key(core).get(key) if isinstance(key, str) else None
        return (field.annotation, field) if field else (None, None)
    origin: Any = get_origin(core)
    arguments = get_args(core)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return arguments[1], None
    if origin in (tuple, list):
        return arguments[0], None
    return None, None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A single value in a model: the way to it, and its field."""

    path: tuple[str, ...]
    field: FieldInfo


def leaves(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield every single value of a model, going down into the models in it."""
    for name, field in model.model_fields.items():
        below = plain(field.annotation)
        if is_model(below):
            yield from leaves(below, (*path, name))
        else:
            yield Leaf((*path, name), field)

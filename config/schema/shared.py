"""What the files' models share: the base model, and value types with bounds and messages of their own."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from config.readonly import ReadOnlyMap
from config.schema.marks import Refers
from config.wording import quoted

__all__ = [
    "FLAG_JSON_SCHEMA",
    "LANGUAGES",
    "NAME_JSON_SCHEMA",
    "ONLY_YES",
    "Flag",
    "FrozenMap",
    "Language",
    "Level",
    "Model",
    "Name",
    "Number",
    "OnlyYes",
    "PathText",
    "Requires",
    "ShortForm",
    "Text",
    "Title",
    "WholeNumber",
    "in_any_language",
    "is_name",
    "listed",
    "one_or_several",
    "refused",
    "wrong",
]


class Model(BaseModel):
    """Base of all configuration models: frozen, unknown keys refused, input never shown in errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """For a whole file's model: what to go on with when a needed key is missing, so that the rest is checked, too."""

    indivisible: ClassVar[bool] = False
    """For a model that is checked as a whole: with a fault in it all of it is left out, not the fault alone."""

    hints: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Keys that this model does not take although another one does, with what to do instead."""


K = TypeVar("K")
V = TypeVar("V")


class _ReadOnly:
    """Makes the validated mapping read-only, so that a frozen model is frozen all the way down."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler(source)
        return core_schema.no_info_after_validator_function(
            ReadOnlyMap,
            inner,
            serialization=core_schema.wrap_serializer_function_ser_schema(
                lambda value, serialize: serialize(dict(value)), schema=inner
            ),
        )


FrozenMap: TypeAlias = Annotated[Mapping[K, V], _ReadOnly()]
"""A mapping in the order of the file that cannot be changed."""


def wrong(message: str, value: object, **parts: Any) -> PydanticCustomError:
    """Build an error whose words go to the reader as they are; ``{value}`` in them is the quoted value."""
    return PydanticCustomError("acd", "{text}", {"text": message.format(value=quoted(value), **parts)})


def refused(text: str) -> PydanticCustomError:
    """Build an error about a mapping as a whole, in words that go to the reader as they are."""
    return PydanticCustomError("acd", "{text}", {"text": text})


_LONGEST_NUMBER: Final = 15
"""Characters: longer ones are in no range, and Python refuses to read thousands of digits."""


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number from ``least`` to ``most``, written in decimal digits."""

    least: int
    most: int

    def parse(self, value: object) -> object:
        """Turn a text into the number; what is no text is left to pydantic."""
        if isinstance(value, str):
            if not re.fullmatch(r"[+-]?[0-9]+", value):
                raise wrong("{value} is not a whole number; {right}", value, right=self.right())
            if len(value) > _LONGEST_NUMBER:
                raise wrong("{value} is out of range; {right}", value, right=self.right())
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and not self.least <= value <= self.most:
            raise wrong("{value} is out of range; {right}", value, right=self.right())
        return value

    def right(self) -> str:
        """Say what would be right."""
        return f"give a whole number from {self.least} to {self.most}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = core_schema.int_schema(strict=True, ge=self.least, le=self.most)
        return core_schema.no_info_before_validator_function(self.parse, inner)


@dataclass(frozen=True, slots=True)
class Number:
    """A number from ``least`` to ``most``, with or without a decimal point; ``unit`` goes to messages."""

    least: float
    most: float
    unit: str = ""

    def parse(self, value: object) -> object:
        """Turn a text into the number; what is no text is left to pydantic."""
        if isinstance(value, str):
            if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", value):
                raise wrong("{value} is not a number; {right}", value, right=self.right())
            if len(value) > 2 * _LONGEST_NUMBER:
                raise wrong("{value} is out of range; {right}", value, right=self.right())
            value = float(value)
        if isinstance(value, int | float) and not (math.isfinite(value) and self.least <= value <= self.most):
            raise wrong("{value} is out of range; {right}", value, right=self.right())
        return value

    def right(self) -> str:
        """Say what would be right."""
        return f"give a number from {self.least:.10g} to {self.most:.10g}" + (f" ({self.unit})" if self.unit else "")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = core_schema.float_schema(ge=self.least, le=self.most, allow_inf_nan=False)
        return core_schema.no_info_before_validator_function(self.parse, inner)


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the form ``pattern`` (matched in full); ``right`` says in words what would be right."""

    pattern: str
    right: str

    def check(self, value: str) -> str:
        """Return the text if it has the form."""
        if not re.fullmatch(self.pattern, value):
            raise wrong("{value} cannot be used here; {right}", value, right=self.right)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}


class PathText:
    """The path of a folder or file, as a text of at most 1000 characters."""

    @staticmethod
    def parse(value: object) -> object:
        """Turn a text into the path; what is no text is left to pydantic."""
        if not isinstance(value, str):
            return value
        if not re.fullmatch(r"[^\x00-\x1f\x7f]{1,1000}", value):
            raise wrong("{value} cannot be used here; give the path of a folder or file", value)
        return Path(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.parse, core_schema.is_instance_schema(Path))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "minLength": 1, "maxLength": 1000}


_FLAGS: Final[Mapping[str, bool]] = MappingProxyType(
    {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
)


FLAG_JSON_SCHEMA: Final[JsonSchemaValue] = {"anyOf": [{"type": "boolean"}, {"enum": ["yes", "no", "on", "off"]}]}
"""A boolean. For an editor that reads YAML 1.2, yes and no are texts."""


class _Flag:
    """yes, true, on or no, false, off, in any case."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.parse, core_schema.bool_schema(strict=True))

    @staticmethod
    def parse(value: object) -> object:
        """Turn a word into the boolean; what is no text is left to pydantic."""
        if not isinstance(value, str):
            return value
        if value.lower() not in _FLAGS:
            raise wrong("{value} is neither yes nor no; write yes or no", value)
        return _FLAGS[value.lower()]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        handler(schema)
        return FLAG_JSON_SCHEMA


Flag: TypeAlias = Annotated[bool, _Flag()]
"""A boolean: yes/no, true/false or on/off."""


ONLY_YES: Final[JsonSchemaValue] = {"enum": ["yes", "on"]}
"""The words for a condition that cannot be turned round, in the JSON Schema."""


@dataclass(frozen=True, slots=True, eq=False)  # an annotation must be hashable
class ShortForm:
    """A short way to write a mapping: ``convert`` turns it into the long one; ``schema`` is what it may be."""

    convert: Callable[[Any], Any]
    schema: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.convert, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [*self.schema["anyOf"], handler(schema)]}


class _OnlyYes(_Flag):
    """yes alone: for a condition, where no would read as its opposite."""

    @staticmethod
    def parse(value: object) -> object:
        """Turn the word into True; what is no text is left to pydantic."""
        if isinstance(value, str) and not _FLAGS.get(value.lower()):
            raise wrong("{value} is not yes; write yes, or leave this condition out", value)
        return _Flag.parse(value)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"const": True}, ONLY_YES]}


OnlyYes: TypeAlias = Annotated[bool, _OnlyYes()]
"""A condition that is asked for by yes; its default is False."""

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"

NAME_JSON_SCHEMA: Final[JsonSchemaValue] = {"type": "string", "pattern": f"^(?:{_NAME})$"}
"""A name, for the models that describe a short form by hand."""


def listed(value: object) -> object:
    """Read one text as a list of one."""
    return [value] if isinstance(value, str) else value


def in_any_language(value: Any) -> Any:
    """Read one text as the text for all languages, which stands under the empty language."""
    return {"": value} if isinstance(value, str) else value


def one_or_several(of: JsonSchemaValue) -> WithJsonSchema:
    """Return the JSON Schema of what ``listed`` reads. ``of``: that of a single one."""
    return WithJsonSchema({"anyOf": [of, {"type": "array", "items": of}]})


def is_name(text: str) -> bool:
    """Tell whether a text can be a name."""
    return re.fullmatch(_NAME, text) is not None


Name: TypeAlias = Annotated[
    str,
    Text(
        _NAME,
        "a name has letters a-z, digits, '-' and '_', starts with a letter or digit, and has at most 40 characters",
    ),
]
"""The name of a queue, agent, skill, group, prompt, node or tree."""

Title: TypeAlias = Annotated[str, Text(r"[^\x00-\x1f\x7f]{0,80}", "a title is one line of at most 80 characters")]
"""What people are shown instead of a name."""

Level: TypeAlias = Annotated[int, WholeNumber(1, 10)]
"""A skill level: 1 is the weakest, 10 the strongest."""

Requires: TypeAlias = FrozenMap[Annotated[Name, Refers("skill")], Level]
"""What a call asks of an agent: skill and least level."""

LANGUAGES: Final = ("en", "zh")
"""Languages that prompts, numbers and digits can be spoken in."""

Language: TypeAlias = Literal["en", "zh"]
"""One of LANGUAGES."""

"""Keys with the same meaning in all menus, as the site, a tree or a node has them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self, TypeAlias

from pydantic import AfterValidator, WithJsonSchema, model_validator

from config.schema.marks import Way
from config.schema.references import Reference
from config.schema.shared import Model, ShortForm, Text, refused

__all__ = ["MenuKeys", "NodeKeys"]

_OFF: Final = ("off", "no", "false")


def _or_off(value: str) -> str:
    """Read off as no key."""
    return "" if value.lower() in _OFF else value


KeyOrOff: TypeAlias = Annotated[
    str,
    Text(r"[0-9*#A-D]|[Oo][Ff][Ff]|[Nn][Oo]|[Ff]alse", "give one key of the telephone: 0 to 9, * or #, or off"),
    AfterValidator(_or_off),
    WithJsonSchema({"type": ["string", "boolean"], "pattern": "^(?:[0-9*#A-D]|off|no)$"}),
]
"""A key; empty if it is switched off."""


class MenuKeys(Model):
    """Keys with the same meaning wherever a caller may press one; what is left out is as it is further out."""

    repeat: KeyOrOff | None = None
    """Hear the node again."""

    back: KeyOrOff | None = None
    """The menu before this one."""

    top: KeyOrOff | None = None
    """The node of top_to; the first menu that the caller heard, if there is none."""

    top_to: Annotated[Reference, Way.CHOICE] | None = None
    """Where the top key leads, such as the main menu behind a choice of language."""

    operator: KeyOrOff | None = None
    """The node of operator_to."""

    operator_to: Annotated[Reference, Way.CHOICE] | None = None
    """Where the operator's key leads; without one, here or further out, there is no such key."""

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        meanings: dict[str, str] = {}
        for meaning in ("repeat", "back", "top", "operator"):
            key = getattr(self, meaning)
            if key and meanings.setdefault(key, meaning) != meaning:
                raise refused(f"key '{key}' is both '{meanings[key]}' and '{meaning}'; give each a key of its own")
        return self


def _all_off(value: Any) -> Any:
    """Read off as: every one of them is off."""
    off = isinstance(value, str) and value.lower() in _OFF
    return dict.fromkeys(("repeat", "back", "top", "operator"), "off") if off else value


NodeKeys: TypeAlias = Annotated[MenuKeys, ShortForm(_all_off, {"anyOf": [{"const": False}, {"enum": ["off", "no"]}]})]
"""The keys of a node, a tree or the site; off for none."""

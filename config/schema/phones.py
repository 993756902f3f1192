"""Devices as ``Dial()`` takes them: an agent's phone, and the trunk by which numbers are dialled."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, WithJsonSchema

from config.schema.shared import wrong

__all__ = ["NUMBER_PLACE", "Phone", "Trunk"]

NUMBER_PLACE: Final = "{number}"
"""Where the dialled number goes in a trunk."""

_TECHNOLOGIES = ("PJSIP", "SIP", "Local", "IAX2", "DAHDI")
_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+@:#*~/-")
_LONGEST = 120


def _phone(value: str) -> str:
    """Check a phone: it becomes part of a Dial() string, where ``,`` adds options and ``&`` another phone."""
    return _checked(value, value, "phone", "anna")


def _trunk(value: str) -> str:
    """Check a trunk: a phone in which ``{number}`` stands once for the number."""
    if value.count(NUMBER_PLACE) != 1:
        raise wrong(
            "{value} is no trunk; write {place} where the number goes, such as PJSIP/{place}@trunk",
            value,
            place=NUMBER_PLACE,
        )
    return _checked(value, value.replace(NUMBER_PLACE, "0"), "trunk", f"{NUMBER_PLACE}@trunk")


def _checked(value: str, device: str, kind: str, example: str) -> str:
    technology, slash, address = device.partition("/")
    if not slash or not address or technology not in _TECHNOLOGIES:
        known = {name.casefold(): name for name in _TECHNOLOGIES}
        right = known.get(technology.casefold(), "PJSIP")
        shown = "".join(c for c in address or technology if c in _CHARACTERS)[:40] if kind == "phone" else ""
        raise wrong(
            "{value} is no {kind}; write technology/address, such as {right}/{shown}",
            value,
            kind=kind,
            right=right,
            shown=shown or example,
        )
    if bad := next((c for c in address if c not in _CHARACTERS), None):
        raise wrong(
            "{value} is no {kind}: it may not contain {bad}; use letters, digits and . _ + @ : # * ~ / -",
            value,
            kind=kind,
            bad=repr(bad),
        )
    if len(value) > _LONGEST:
        raise wrong("{value} is too long for a {kind}; use at most {most} characters", value, kind=kind, most=_LONGEST)
    return value


_ADDRESS = r"[A-Za-z0-9_.+@:#*~/-]"
_START = "^(" + "|".join(_TECHNOLOGIES) + ")/"

Phone: TypeAlias = Annotated[
    str,
    AfterValidator(_phone),
    WithJsonSchema({"type": "string", "pattern": f"{_START}{_ADDRESS}+$", "maxLength": _LONGEST}),
]
"""A device as Dial() takes it: PJSIP/anna, SIP/anna, Local/100@agents, IAX2/anna, DAHDI/1."""

Trunk: TypeAlias = Annotated[
    str,
    AfterValidator(_trunk),
    WithJsonSchema(
        {"type": "string", "pattern": rf"{_START}{_ADDRESS}*\{{number\}}{_ADDRESS}*$", "maxLength": _LONGEST}
    ),
]
"""A device with a place for the number: PJSIP/{number}@trunk."""

"""Telephone numbers: those callers dial and call from, and those the engine may dial itself."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from config.schema.shared import Text

__all__ = ["CallerNumber", "DialledNumber", "Extension", "OutsideNumber", "Prefix"]

_AS_IT_ARRIVES = r"[0-9A-Za-z+*#._-]{1,64}"
_CHARACTERS = "digits, letters, '+', '*', '#', '.', '_' or '-'"

DialledNumber: TypeAlias = Annotated[
    str, Text(_AS_IT_ARRIVES, f"give the number as the dialplan passes it: {_CHARACTERS}, or default")
]
"""What a caller dialled, as the dialplan passes it."""

CallerNumber: TypeAlias = Annotated[
    str, Text(r"[0-9A-Za-z+*#._()/-][0-9A-Za-z+*#._()/ -]{0,63}", "give a caller's number, such as +49 30 123456")
]
"""Where a call comes from, in any way of writing."""

OutsideNumber: TypeAlias = Annotated[
    str, Text(r"\+?[0-9]{2,24}", "give a number of 2 to 24 digits, with or without '+' before them")
]
"""A number that the engine dials."""

Extension: TypeAlias = Annotated[str, Text(r"[0-9]{2,10}", "give 2 to 10 digits")]
"""What a caller dials in a menu for an agent or a node."""

Prefix: TypeAlias = Annotated[
    str, Text(r"\+?[0-9]{1,24}|\+", "give the first digits of the numbers allowed, with or without '+' before them")
]
"""How the numbers begin that the engine may dial."""

"""Keys that mean the same everywhere, as they are at one place: what site, tree and node say of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from config.schema.keys import MenuKeys
from ivr.keys import Keys
from ivr.outcome import NodeId

__all__ = ["SHIPPED", "Level", "effective"]

SHIPPED = MenuKeys(repeat="*", back="#", operator="0")
"""What holds where a site says nothing. The operator's key waits for an operator's node."""

Level = tuple[MenuKeys | None, Callable[[str], NodeId]]
"""Keys as written at one place, and how a reference written there is found."""

_MEANINGS = ("repeat", "back", "top", "operator")


def effective(levels: Sequence[Level]) -> Keys:
    """Return what holds at the innermost of the levels, the outermost given first.

    Each level says something about some meanings. A key that an inner level gives a meaning loses the one it had
    further out.
    """
    keys = {meaning: getattr(SHIPPED, meaning) or "" for meaning in _MEANINGS}
    operator: NodeId | None = None
    top: NodeId | None = None
    for written, find in levels:
        if written is None:
            continue
        given = {meaning: key for meaning in _MEANINGS if (key := getattr(written, meaning)) is not None}
        taken = {key for key in given.values() if key}
        keys = {meaning: "" if key in taken else key for meaning, key in keys.items()} | given
        if written.operator_to is not None:
            operator = find(written.operator_to)
        if written.top_to is not None:
            top = find(written.top_to)
    return Keys(
        repeat=keys["repeat"],
        back=keys["back"],
        top=keys["top"],
        top_node=top,
        operator=keys["operator"] if operator is not None else "",
        operator_node=operator,
    )

"""routing.yaml, menus: bounds and keys that hold for every call in the menus."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.schema.keys import MenuKeys, NodeKeys
from config.schema.references import Reference
from config.schema.shared import Model, WholeNumber

__all__ = ["Menus"]


class Menus(Model):
    """What holds in all menus: bounds, so that no mistake in them holds a line for ever, and keys."""

    steps: Annotated[int, WholeNumber(10, 100_000)] = 1000
    """So many steps (visits to nodes, tries at a menu) a call may make."""

    steps_without_key: Annotated[int, WholeNumber(5, 10_000)] = 100
    """So many of them in a row without a key pressed."""

    subtree_depth: Annotated[int, WholeNumber(1, 100)] = 20
    """So many subtrees may be under way in each other."""

    on_limit: Reference | None = None
    """Where a call goes that reaches one of these, once; it ends with a goodbye if left out, and the second time."""

    keys: NodeKeys = Field(default_factory=MenuKeys)
    """Keys with the same meaning in all menus: repeat (at first *), back (#), top, operator (0, with operator_to)."""

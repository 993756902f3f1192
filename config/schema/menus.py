"""routing.yaml, menus: bounds that hold for every call in the menus."""

from __future__ import annotations

from typing import Annotated

from config.schema.references import Reference
from config.schema.shared import Model, WholeNumber

__all__ = ["Menus"]


class Menus(Model):
    """Bounds on what a single call may do in the menus, so that no mistake in them holds a line for ever."""

    steps: Annotated[int, WholeNumber(10, 100_000)] = 1000
    """So many steps (visits to nodes, tries at a menu) a call may make."""

    steps_without_key: Annotated[int, WholeNumber(5, 10_000)] = 100
    """So many of them in a row without a key pressed."""

    subtree_depth: Annotated[int, WholeNumber(1, 100)] = 20
    """So many subtrees may be under way in each other."""

    on_limit: Reference | None = None
    """Where a call goes that reaches one of these, once; it ends with a goodbye if left out, and the second time."""

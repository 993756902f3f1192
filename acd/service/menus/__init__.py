"""From the nodes of ivr/*.yaml to those that the interpreter walks: one module for each family of node types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from acd.service.menus import asking, deciding, leaving, lookups, survey, talking, voicemail
from acd.service.menus.context import Builder, NodeContext
from config.schema.ivr import Node as WrittenNode
from config.schema.keys import MenuKeys
from ivr.tree import Node

__all__ = ["BUILDERS", "NodeContext", "build"]

BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType(
    {
        **talking.BUILDERS,
        **asking.BUILDERS,
        **deciding.BUILDERS,
        **leaving.BUILDERS,
        **lookups.BUILDERS,
        **survey.BUILDERS,
        **voicemail.BUILDERS,
    }
)
"""What builds each type of node, by the model it is written as."""


def build(here: NodeContext, node: WrittenNode) -> Node:
    """Build a node. It has been checked, so nothing can fail here but the program."""
    built = BUILDERS[type(node)](here, node)
    own_keys: MenuKeys | None = getattr(node, "keys", None)
    return built if own_keys is None else replace(built, keys=here.keys(own_keys))

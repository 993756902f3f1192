"""From the nodes of ivr/*.yaml to those that the interpreter walks: one module for each family of node types."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from acd.service.menus import asking, deciding, leaving, survey, talking
from acd.service.menus.context import Builder, NodeContext
from config.schema.ivr import Node as WrittenNode
from ivr.tree import Node

__all__ = ["BUILDERS", "NodeContext", "build"]

BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType(
    {**talking.BUILDERS, **asking.BUILDERS, **deciding.BUILDERS, **leaving.BUILDERS, **survey.BUILDERS}
)
"""What builds each type of node, by the model it is written as."""


def build(here: NodeContext, node: WrittenNode) -> Node:
    """Build a node. It has been checked, so nothing can fail here but the program."""
    return BUILDERS[type(node)](here, node)

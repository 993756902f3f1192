"""Builds the nodes that lead the caller out of the menus."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from acd.service.menus.context import Builder, NodeContext, speech
from config.schema.ivr import Enqueue
from ivr import nodes

__all__ = ["BUILDERS"]


def _enqueue(here: NodeContext, node: Enqueue) -> nodes.EnqueueNode:
    return nodes.EnqueueNode(
        id=here.id,
        queue=node.queue,
        priority=node.priority,
        requires=dict(node.requires),
        data=dict(node.data),
        prompts=speech(node.prompt),
        next=here.maybe(node.next),
    )


BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType({Enqueue: _enqueue})

"""Builds the nodes that ask the caller for keys."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from acd.service.menus.context import Builder, NodeContext, retries, speech
from config.schema.ivr import Menu
from ivr import nodes

__all__ = ["BUILDERS"]


def _menu(here: NodeContext, node: Menu) -> nodes.Menu:
    return nodes.Menu(
        id=here.id,
        prompts=speech(node.prompt),
        choices={digit: here.at(reference) for digit, reference in node.choices.items()},
        barge_in=node.barge_in,
        timeout_s=node.timeout_s,
        invalid=retries(node.invalid),
        no_input=retries(node.no_input),
        on_failure=here.maybe(node.on_failure),
    )


BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType({Menu: _menu})

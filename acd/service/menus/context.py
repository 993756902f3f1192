"""What building a node needs beside the node as written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from acd.service.menus.keys import Level, effective
from config.schema.ivr.values import PlayedPrompt, Retry
from config.schema.keys import MenuKeys
from ivr.directory import Directory
from ivr.keys import Keys
from ivr.nodes import Retries
from ivr.outcome import NodeId
from ivr.speech import Prompt, Speech
from ivr.tree import Node, node_id, tree_of

__all__ = ["Builder", "NodeContext", "retries", "speech"]


@dataclass(frozen=True, slots=True)
class NodeContext:
    """Where a node stands. ``find(reference, tree)`` turns a reference in a tree into a node's id."""

    tree: str
    name: str
    find: Callable[[str, str], NodeId]
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The parameters of each tree that have a default, with that."""

    directory: Directory | None = None
    """The extensions that may be dialled in menus; None for none."""
    outer_keys: tuple[Level, ...] = ()
    """What the site and the tree say of the keys that mean the same everywhere."""

    @property
    def id(self) -> NodeId:
        """The node's own id."""
        return node_id(self.tree, self.name)

    def at(self, reference: str) -> NodeId:
        """Return the node that a reference leads to."""
        return self.find(reference, self.tree)

    def maybe(self, reference: str | None) -> NodeId | None:
        """Return the node that a reference leads to, None for none."""
        return None if reference is None else self.at(reference)

    def keys(self, own: MenuKeys) -> Keys:
        """Return the keys that mean the same everywhere, as they are at a node that says something about them."""
        return effective((*self.outer_keys, (own, self.at)))

    def defaults(self, start: NodeId) -> Mapping[str, str]:
        """Return the parameters with a default of the tree that begins at a node."""
        return self.parameters.get(tree_of(start), {})


M = TypeVar("M")

Builder: TypeAlias = Callable[[NodeContext, M], Node]


def speech(prompts: tuple[PlayedPrompt, ...]) -> tuple[Speech, ...]:
    """Return the prompts as they are played one after the other."""
    return tuple(Prompt(played.prompt, played.barge_in) for played in prompts)


def retries(retry: Retry) -> Retries:
    """Return what follows a wrong key, or none."""
    return Retries(prompts=speech(retry.prompt), retries=retry.retries)

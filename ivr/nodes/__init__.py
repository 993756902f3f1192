"""The node types, one file each, and their registry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ivr.keys import Keys
from ivr.nodes.agent import AgentNode
from ivr.nodes.callback import CallbackNode
from ivr.nodes.enqueue import EnqueueNode
from ivr.nodes.hangup import HangUpNode
from ivr.nodes.language import LanguageNode
from ivr.nodes.menu import Menu, Retries
from ivr.nodes.play import Play
from ivr.nodes.say import Say
from ivr.nodes.transfer import TransferNode
from ivr.tree import Node
from ivr.values import SayKind

NODE_TYPES: Mapping[str, type[Node]] = MappingProxyType(
    {
        node.type: node
        for node in (AgentNode, CallbackNode, TransferNode, EnqueueNode, HangUpNode, LanguageNode, Menu, Play, Say)
    }
)
"""Every node type by its name in the configuration."""

__all__ = [
    "NODE_TYPES",
    "AgentNode",
    "CallbackNode",
    "EnqueueNode",
    "HangUpNode",
    "Keys",
    "LanguageNode",
    "Menu",
    "Play",
    "Retries",
    "Say",
    "SayKind",
    "TransferNode",
]

"""The node types, one file each, and their registry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ivr.keys import Keys
from ivr.nodes.agent import AgentNode
from ivr.nodes.branch import Branch, Case
from ivr.nodes.callback import CallbackNode
from ivr.nodes.collect import Collect, Confirmation
from ivr.nodes.enqueue import EnqueueNode
from ivr.nodes.hangup import HangUpNode
from ivr.nodes.hours import Hours
from ivr.nodes.http import HttpCase, HttpNode
from ivr.nodes.language import LanguageNode
from ivr.nodes.menu import Menu, Retries
from ivr.nodes.pin import Pin
from ivr.nodes.play import Play
from ivr.nodes.record import Record
from ivr.nodes.return_ import ReturnNode
from ivr.nodes.say import Say
from ivr.nodes.set import SetNode
from ivr.nodes.subtree import Subtree
from ivr.nodes.survey import Survey
from ivr.nodes.transfer import TransferNode
from ivr.nodes.voicemail import Voicemail
from ivr.nodes.voicemail_access import VoicemailAccess
from ivr.nodes.webhook import WebhookNode
from ivr.tree import Node
from ivr.values import SayKind

NODE_TYPES: Mapping[str, type[Node]] = MappingProxyType(
    {
        node.type: node
        for node in (
            AgentNode,
            Branch,
            Hours,
            HttpNode,
            WebhookNode,
            ReturnNode,
            SetNode,
            Subtree,
            Survey,
            CallbackNode,
            TransferNode,
            EnqueueNode,
            HangUpNode,
            LanguageNode,
            Menu,
            Collect,
            Pin,
            Play,
            Say,
            Record,
            Voicemail,
            VoicemailAccess,
        )
    }
)
"""Every node type by its name in the configuration."""

__all__ = [
    "NODE_TYPES",
    "AgentNode",
    "Branch",
    "CallbackNode",
    "Case",
    "Collect",
    "Confirmation",
    "EnqueueNode",
    "HangUpNode",
    "Hours",
    "HttpCase",
    "HttpNode",
    "Keys",
    "LanguageNode",
    "Menu",
    "Pin",
    "Play",
    "Record",
    "Retries",
    "ReturnNode",
    "Say",
    "SayKind",
    "SetNode",
    "Subtree",
    "Survey",
    "TransferNode",
    "Voicemail",
    "VoicemailAccess",
    "WebhookNode",
]

"""ivr/*.yaml: one menu tree per file, with its prompts and nodes. Node types by family, one module each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import Field

from config.schema.ivr.asking import Collect, Menu, Pin
from config.schema.ivr.deciding import Branch, BranchCase, Hours, Parameter, Return, SetData, Subtree
from config.schema.ivr.leaving import Agent, Callback, Enqueue, Transfer
from config.schema.ivr.lookups import Http, HttpCase, Webhook
from config.schema.ivr.survey import Survey
from config.schema.ivr.talking import Hangup, Play, Say, SetLanguage
from config.schema.ivr.values import BUILT_IN_PROMPTS, RECORDING_ENDINGS, Prompt, Retry
from config.schema.ivr.voicemail import Record, Voicemail, VoicemailAccess
from config.schema.keys import NodeKeys
from config.schema.shared import FrozenMap, Language, Model, Name

__all__ = [
    "BUILT_IN_PROMPTS",
    "RECORDING_ENDINGS",
    "Agent",
    "Branch",
    "BranchCase",
    "Callback",
    "Collect",
    "Enqueue",
    "Hangup",
    "Hours",
    "Http",
    "HttpCase",
    "Menu",
    "Node",
    "Parameter",
    "Pin",
    "Play",
    "Prompt",
    "Record",
    "Retry",
    "Return",
    "Say",
    "SetData",
    "SetLanguage",
    "Subtree",
    "Survey",
    "Transfer",
    "Tree",
    "Voicemail",
    "VoicemailAccess",
    "Webhook",
]

Node: TypeAlias = Annotated[
    Play
    | Menu
    | Collect
    | Pin
    | Say
    | Enqueue
    | Agent
    | Transfer
    | Callback
    | Hangup
    | SetLanguage
    | Branch
    | Hours
    | SetData
    | Subtree
    | Return
    | Http
    | Webhook
    | Survey
    | Record
    | Voicemail
    | VoicemailAccess,
    Field(discriminator="type"),
]
"""A node of a tree, told apart by its type."""


class Tree(Model):
    """A file in ivr/: one menu tree, named by the file's name without .yaml."""

    stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({"start": "start", "nodes": {}})

    start: Name = Field(examples=["welcome"])
    """The node where a caller enters the tree."""

    language: Language = "en"
    """Language of callers who enter here without having chosen one."""

    parameters: FrozenMap[Name, Parameter] = Field(default_factory=dict)
    """What the tree is given by a node of type subtree, as {param.NAME}."""

    prompts: FrozenMap[Name, FrozenMap[Language, Prompt]] = Field(default_factory=dict)
    """Prompts by language. Their names hold in all files of ivr/. goodbye, no-input and not-valid are there already."""

    keys: NodeKeys | None = None
    """Other keys for repeat, back, top and operator in this tree, or off."""

    nodes: FrozenMap[Name, Node] = Field(examples=[{"bye": {"type": "hangup"}}], json_schema_extra={"minProperties": 1})
    """What happens, step by step; each node is named by its key."""

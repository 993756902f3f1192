"""Builds the nodes that tell the caller something."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from acd.service.menus.context import Builder, NodeContext, speech
from config.schema.ivr import Hangup, Play, Say, SetLanguage
from ivr import nodes
from ivr.outcome import HangUpCause
from ivr.values import Wording

__all__ = ["BUILDERS"]


def _play(here: NodeContext, node: Play) -> nodes.Play:
    return nodes.Play(id=here.id, prompts=speech(node.prompt), next=here.at(node.next), barge_in=node.barge_in)


def _say(here: NodeContext, node: Say) -> nodes.Say:
    return nodes.Say(
        id=here.id,
        kind=nodes.SayKind(node.kind),
        value=node.value[""] if "" in node.value else dict(node.value.items()),
        wording=Wording(currency=node.currency or "", weekday=node.weekday, year=node.year, clock_h=int(node.clock)),
        next=here.at(node.next),
        barge_in=node.barge_in,
    )


def _hangup(here: NodeContext, node: Hangup) -> nodes.HangUpNode:
    return nodes.HangUpNode(id=here.id, prompts=speech(node.prompt), cause=HangUpCause(node.cause))


def _language(here: NodeContext, node: SetLanguage) -> nodes.LanguageNode:
    return nodes.LanguageNode(id=here.id, language=node.language, next=here.at(node.next))


BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType(
    {Play: _play, Say: _say, Hangup: _hangup, SetLanguage: _language}
)

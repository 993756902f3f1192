"""Builds the nodes that record and that take and play messages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from acd.service.menus.context import Builder, NodeContext, speech
from config.schema.ivr import Record, Voicemail, VoicemailAccess
from ivr import nodes
from ivr.line import RecordLimits
from ivr.recordings import Manner

__all__ = ["BUILDERS"]


def _record(here: NodeContext, node: Record) -> nodes.Record:
    limits = RecordLimits(
        longest_s=node.longest_s, silence_s=node.silence_s, finish_keys=node.finish_keys, beep=node.beep
    )
    return nodes.Record(
        id=here.id,
        prompts=speech(node.prompt),
        into=node.into,
        manner=Manner(limits=limits, shortest_s=node.shortest_s, review=node.review),
        next=here.at(node.next),
        too_short=here.maybe(node.too_short),
        on_cancel=here.maybe(node.on_cancel),
        on_failure=here.maybe(node.on_failure),
    )


def _voicemail(here: NodeContext, node: Voicemail) -> nodes.Voicemail:
    return nodes.Voicemail(
        id=here.id,
        box=node.box,
        greeting=speech(node.greeting),
        next=here.maybe(node.next),
        no_message=here.maybe(node.no_message),
        on_failure=here.maybe(node.on_failure),
    )


def _access(here: NodeContext, node: VoicemailAccess) -> nodes.VoicemailAccess:
    return nodes.VoicemailAccess(
        id=here.id, envelope=node.envelope, next=here.maybe(node.next), on_failure=here.maybe(node.on_failure)
    )


BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType(
    {Record: _record, Voicemail: _voicemail, VoicemailAccess: _access}
)

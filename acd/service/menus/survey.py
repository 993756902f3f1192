"""Builds the nodes that ask the caller for an opinion."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from acd.service.menus.context import Builder, NodeContext, retries, speech
from config.schema.ivr.survey import Survey
from ivr.line import RecordLimits
from ivr.nodes import survey as nodes

__all__ = ["BUILDERS"]


def _survey(here: NodeContext, node: Survey) -> nodes.Survey:
    comment = node.comment
    return nodes.Survey(
        id=here.id,
        questions={
            name: nodes.Question(prompts=speech(question.prompt), least=question.least, most=question.most)
            for name, question in node.questions.items()
        },
        share_percent=node.share_percent,
        opt_in=nodes.OptIn(node.opt_in),
        opt_in_data=node.opt_in_data,
        invitation=speech(node.invitation),
        comment=None
        if comment is None
        else nodes.Comment(
            prompts=speech(comment.prompt),
            limits=RecordLimits(longest_s=comment.longest_s, silence_s=comment.silence_s),
        ),
        thanks=speech(node.thanks),
        timeout_s=node.timeout_s,
        invalid=retries(node.invalid),
        no_input=retries(node.no_input),
        next=here.maybe(node.next),
    )


BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType({Survey: _survey})
"""What builds each of them."""

"""Builds the nodes that reach other systems."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from acd.service.lookups.compiling import status_ranges
from acd.service.menus.context import Builder, NodeContext, speech
from acd.service.menus.deciding import condition
from config.schema.ivr import Http, Webhook
from ivr import nodes
from ivr.lookups import LookUpOutcome

__all__ = ["BUILDERS"]


def _http(here: NodeContext, node: Http) -> nodes.HttpNode:
    branches = {
        LookUpOutcome.NOT_FOUND: node.not_found,
        LookUpOutcome.ERROR: node.error,
        LookUpOutcome.TIMEOUT: node.timeout,
        LookUpOutcome.BAD_ANSWER: node.bad_answer,
    }
    return nodes.HttpNode(
        id=here.id,
        # A look-up of the node alone has the node's own name, which no look-up of routing.yaml can have.
        lookup=node.lookup if node.lookup is not None else here.id,
        prompts=speech(node.prompt),
        music=node.music,
        cases=tuple(
            nodes.HttpCase(
                next=here.at(case.next),
                status=status_ranges(case.status) if case.status is not None else (),
                when=condition(case.when) if case.when is not None else None,
            )
            for case in node.cases
        ),
        next=here.at(node.next),
        branches={outcome: here.at(reference) for outcome, reference in branches.items() if reference is not None},
        on_failure=here.maybe(node.on_failure),
    )


def _webhook(here: NodeContext, node: Webhook) -> nodes.WebhookNode:
    return nodes.WebhookNode(
        id=here.id, target=node.target, event=node.event, data=dict(node.data), next=here.at(node.next)
    )


BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType({Http: _http, Webhook: _webhook})

"""Builds the nodes that lead the caller out of the menus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from acd.service.menus.context import Builder, NodeContext, speech
from config.schema.ivr.leaving import Agent, Callback, Enqueue, Transfer
from ivr import nodes
from ivr.outcome import AgentMiss, NodeId
from ivr.tree import Tree, node_id

__all__ = ["BUILDERS", "callback_node", "callback_tree"]

_CALLBACK_TREE = "@callback"
"""The tree of the nodes to which callers come out of a queue; no file can have this name."""


def callback_node(queue: str) -> NodeId:
    """The node where a waiting caller is offered to be called back by this queue."""
    return node_id(_CALLBACK_TREE, queue)


def callback_tree(queues: Iterable[str]) -> Tree | None:
    """The tree of these nodes; None for a site without queues."""
    offers = tuple(nodes.CallbackNode(id=callback_node(queue), queue=queue, waiting=True) for queue in queues)
    return Tree(name=_CALLBACK_TREE, start=offers[0].id, nodes=offers) if offers else None


def _enqueue(here: NodeContext, node: Enqueue) -> nodes.EnqueueNode:
    return nodes.EnqueueNode(
        id=here.id,
        queue=node.queue,
        priority=node.priority,
        requires=dict(node.requires),
        agent=node.agent,
        keep_wait=node.keep_wait,
        data=dict(node.data),
        prompts=speech(node.prompt),
        next=here.maybe(node.next),
    )


def _agent(here: NodeContext, node: Agent) -> nodes.AgentNode:
    leads = {
        AgentMiss.BUSY: node.on_busy,
        AgentMiss.NOT_READY: node.on_not_ready,
        AgentMiss.NO_ANSWER: node.on_no_answer,
        AgentMiss.UNKNOWN: node.on_unknown,
    }
    return nodes.AgentNode(
        id=here.id,
        agent=node.agent,
        queue=node.queue or "",
        wait_s=node.wait_s,
        data=dict(node.data),
        prompts=speech(node.prompt),
        next=here.maybe(node.next),
        on={why: here.at(reference) for why, reference in leads.items() if reference is not None},
        on_failure=here.maybe(node.on_failure),
    )


def _transfer(here: NodeContext, node: Transfer) -> nodes.TransferNode:
    return nodes.TransferNode(
        id=here.id,
        number=node.number or "",
        extension=node.extension or "",
        phone=node.phone or "",
        directory=here.directory,
        ring_s=node.ring_s,
        longest_s=node.longest_s,
        caller_id=node.caller_id,
        music=node.music or "",
        prompts=speech(node.prompt),
        next=here.maybe(node.next),
        on_busy=here.maybe(node.on_busy),
        on_no_answer=here.maybe(node.on_no_answer),
        on_refused=here.maybe(node.on_refused),
        on_failure=here.maybe(node.on_failure),
    )


def _callback(here: NodeContext, node: Callback) -> nodes.CallbackNode:
    return nodes.CallbackNode(
        id=here.id,
        queue=node.queue,
        number=node.number,
        priority=node.priority,
        requires=dict(node.requires),
        prompts=speech(node.prompt),
        timeout_s=node.timeout_s,
        next=here.maybe(node.next),
        on_refused=here.maybe(node.on_refused),
        on_failure=here.maybe(node.on_failure),
    )


BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType(
    {Enqueue: _enqueue, Agent: _agent, Transfer: _transfer, Callback: _callback}
)

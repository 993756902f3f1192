"""Nodes that name an agent or lead to a number: those that are named outright exist, and may be dialled."""

from __future__ import annotations

from config.checks.draft import Draft, effective, refer
from config.document import SourceMap
from config.problems import Findings, Position
from config.schema.ivr.leaving import Agent, Enqueue, Transfer

__all__ = ["check_leaving"]


def check_leaving(draft: Draft, findings: Findings) -> None:
    """Check each such node of each tree. What a template stands for is known during the call only."""
    for part in draft.trees.values():
        for name, node in part.model.nodes.items() if part.model else ():
            if isinstance(node, Agent | Enqueue) and node.agent:
                _check_agent(draft, findings, part.source, name, node)
            elif isinstance(node, Transfer) and node.number is not None:
                _check_number(draft, findings, part.source.value(("nodes", name, "number")), node.number)
            elif isinstance(node, Transfer) and node.extension is not None and "{" not in node.extension:
                _check_extension(draft, findings, part.source.value(("nodes", name, "extension")), node.extension)


def _check_agent(draft: Draft, findings: Findings, source: SourceMap, name: str, node: Agent | Enqueue) -> None:
    """Check that a named agent exists, and warn where the queue that stands beside makes no use of the name."""
    at, beside = source.value(("nodes", name, "agent")), source.value(("nodes", name, "queue"))
    routing, named = draft.routing.model, "{" not in node.agent
    if named:
        refer(findings, at, "agent", node.agent, draft.agent_names)
    agent = draft.agents.model.agents.get(node.agent) if draft.agents.model is not None else None
    if routing is None or node.queue not in routing.queues or (named and agent is None):
        return
    if isinstance(node, Enqueue) and not effective(routing, node.queue, "sticky")[0]:
        findings.warning(at, f"queue '{node.queue}' offers calls to nobody first; give it 'sticky' in routing.yaml")
    if agent is None or not agent.queues or ("agents", node.agent, "queues") in draft.agents.refused:
        return
    if node.queue not in agent.queues:
        effect = "is never offered these calls" if isinstance(node, Enqueue) else f"gets a call of '{agent.queues[0]}'"
        findings.warning(
            beside,
            f"agent '{node.agent}' does not serve queue '{node.queue}' and {effect}; list '{node.queue}' under the "
            f"agent's 'queues', or name a queue of these here: {', '.join(agent.queues)}",
        )


def _check_number(draft: Draft, findings: Findings, position: Position, number: str) -> None:
    """Refuse what could not be dialled: no trunk, or a number that the site has not allowed (toll fraud)."""
    routing = draft.routing.model
    if routing is None or ("outbound",) in draft.routing.refused:
        return
    outbound = routing.outbound
    if not outbound.allowed or outbound.trunk is None:
        findings.error(
            position,
            "no number may be dialled: 'outbound' in routing.yaml allows nothing; give allowed: [\"+4930\"] and"
            " trunk: PJSIP/{number}@trunk",
        )
    elif "{" not in number and not number.startswith(outbound.allowed):
        findings.error(
            position,
            f"number {number} may not be dialled; allow how it begins under 'outbound' in routing.yaml "
            f"(now {', '.join(outbound.allowed)})",
        )


def _check_extension(draft: Draft, findings: Findings, position: Position, extension: str) -> None:
    routing, agents = draft.routing.model, draft.agents.model
    if routing is None or agents is None:
        return
    known = {*routing.extensions, *(agent.extension for agent in agents.agents.values() if agent.extension)}
    refer(findings, position, "extension", extension, known)

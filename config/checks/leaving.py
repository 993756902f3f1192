"""Nodes that name an agent or lead to a number: those that are named outright exist, and may be dialled."""

from __future__ import annotations

from config.checks.draft import Draft, refer
from config.problems import Findings, Position
from config.schema.ivr.leaving import Agent, Enqueue, Transfer

__all__ = ["check_leaving"]


def check_leaving(draft: Draft, findings: Findings) -> None:
    """Check each such node of each tree. What a template stands for is known during the call only."""
    for part in draft.trees.values():
        for name, node in part.model.nodes.items() if part.model else ():
            if isinstance(node, Agent | Enqueue) and node.agent and "{" not in node.agent:
                refer(findings, part.source.value(("nodes", name, "agent")), "agent", node.agent, draft.agent_names)
            elif isinstance(node, Transfer) and node.number is not None:
                _check_number(draft, findings, part.source.value(("nodes", name, "number")), node.number)
            elif isinstance(node, Transfer) and node.extension is not None and "{" not in node.extension:
                _check_extension(draft, findings, part.source.value(("nodes", name, "extension")), node.extension)


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

"""agents.yaml: queues and skills that exist; one phone, and one place in a queue, for one agent."""

from __future__ import annotations

import re

from config.checks.draft import Draft, refer
from config.document import KeyPath
from config.problems import Findings
from config.schema.agents import Agent

__all__ = ["check_agents"]

_OUTSIDE = re.compile(r"(?:PJSIP|SIP|IAX2)/\+?[0-9]{5,}@.+|DAHDI/.+/\+?[0-9]{5,}")
"""A number by a trunk, not a phone here."""


def check_agents(draft: Draft, findings: Findings) -> None:
    """Check the names agents use, and that no two have one phone."""
    agents, source = draft.agents.model, draft.agents.source
    if agents is None:
        return
    if ("agents",) in source.values and draft.agents.names("agents") == frozenset():
        findings.error(source.value(("agents",)), "'agents' is empty; give at least one")
    phones: dict[str, str] = {}
    places: dict[tuple[str, int], str] = {}
    for name, agent in agents.agents.items():
        path = ("agents", name)
        _check_lists(draft, findings, path, agent)
        _check_places(draft, findings, path, agent, places)
        for skill in agent.skills:
            refer(findings, source.key((*path, "skills", skill)), "skill", skill, draft.skills)
        # The engine finds the agent by the phone that calls, so one phone is one agent.
        other = phones.setdefault(agent.phone.casefold(), name)
        if other != name:
            findings.error(
                source.value((*path, "phone")),
                f"phone {agent.phone} is agent {other}'s already; give each agent a phone",
            )
        if _OUTSIDE.fullmatch(agent.phone) and not agent.confirm and (*path, "confirm") not in source.values:
            findings.warning(
                source.value((*path, "phone")),
                f"phone {agent.phone} looks like a number outside, whose mailbox may answer for agent '{name}'; "
                "add confirm: yes, or confirm: no if it has none",
            )


def _check_lists(draft: Draft, findings: Findings, path: KeyPath, agent: Agent) -> None:
    source = draft.agents.source
    for key, names in (("queues", agent.queues), ("groups", agent.groups)):
        for place, name in enumerate(names):
            if name in names[:place]:
                findings.error(source.value((*path, key, place)), f"'{name}' is listed twice; remove one of the two")
    for place, name in enumerate(agent.queues):
        refer(findings, source.value((*path, "queues", place)), "queue", name, draft.queues)
    if not agent.queues and (*path, "queues") not in draft.agents.refused:
        findings.warning(source.key(path), f"agent '{path[-1]}' serves no queue; list some under 'queues'")


def _check_places(
    draft: Draft, findings: Findings, path: KeyPath, agent: Agent, places: dict[tuple[str, int], str]
) -> None:
    """Refuse a place in a queue that the agent does not serve, or that another agent has; ``places`` fills up."""
    source, name = draft.agents.source, str(path[-1])
    for queue, place in agent.place.items():
        here = (*path, "place", queue)
        if queue not in agent.queues:
            if (*path, "queues") in draft.agents.refused:
                continue
            if queue in (draft.queues or ()):
                right = f"list '{queue}' under 'queues'"
                findings.error(source.key(here), f"agent '{name}' does not serve this queue; {right}")
            else:
                refer(findings, source.key(here), "queue", queue, draft.queues)
            continue
        other = places.setdefault((queue, place), name)
        if other != name:
            findings.error(
                source.value(here), f"place {place} of queue '{queue}' is agent {other}'s already; give each its own"
            )

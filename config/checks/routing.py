"""routing.yaml: skills, strategies, and whether somebody can serve each queue."""

from __future__ import annotations

from collections.abc import Mapping

from config.checks.draft import Draft, refer
from config.document import KeyPath
from config.problems import Findings
from config.schema.agents import Agent
from config.schema.routing import DEFAULT_NUMBER, QueueSettings
from config.suggest import suggestion

__all__ = ["check_routing"]


def check_routing(draft: Draft, findings: Findings) -> None:
    """Check the names a queue uses, and that every queue has agents who may take its calls."""
    routing, source = draft.routing.model, draft.routing.source
    if routing is None:
        return
    for key in ("numbers", "queues"):
        if (key,) in source.values and draft.routing.names(key) == frozenset():
            findings.error(source.value((key,)), f"'{key}' is empty; give at least one")
    if routing.numbers and DEFAULT_NUMBER not in (draft.routing.names("numbers") or ()):
        findings.warning(
            source.key(("numbers",)), f"no '{DEFAULT_NUMBER}' here: calls to other numbers have nowhere to go; add it"
        )
    _check_settings(draft, findings, ("defaults",), routing.defaults)
    for name, queue in routing.queues.items():
        _check_settings(draft, findings, ("queues", name), queue)
    _check_served(draft, findings)


def _check_settings(draft: Draft, findings: Findings, path: KeyPath, settings: QueueSettings) -> None:
    source = draft.routing.source
    for skill in settings.requires:
        refer(findings, source.key((*path, "requires", skill)), "skill", skill, draft.skills)
    strategy = settings.strategy.name
    if strategy not in draft.strategies:
        at = (*path, "strategy", "name") if (*path, "strategy", "name") in source.values else (*path, "strategy")
        findings.error(source.value(at), f"unknown strategy '{strategy}'; {suggestion(strategy, draft.strategies)}")


def _check_served(draft: Draft, findings: Findings) -> None:
    """Warn of queues whose calls would wait for ever."""
    routing, source = draft.routing.model, draft.routing.source
    if routing is None or draft.agents.model is None or findings.errors:
        return  # With a mistake anywhere, an agent or skill that seems to lack may only be the mistake's.
    agents = draft.agents.model.agents
    for name, queue in routing.queues.items():
        serving = [agent for agent in agents.values() if name in agent.queues]
        requires = queue.requires if "requires" in queue.model_fields_set else routing.defaults.requires
        if not serving:
            findings.warning(
                source.key(("queues", name)), f"no agent serves queue '{name}'; give it to an agent's 'queues'"
            )
        elif not any(_may_serve(agent, requires) for agent in serving):
            wanted = ", ".join(f"{skill} {level} or more" for skill, level in requires.items())
            findings.warning(
                source.key(("queues", name)),
                f"no agent of queue '{name}' has what it requires ({wanted}); raise a level",
            )


def _may_serve(agent: Agent, requires: Mapping[str, int]) -> bool:
    return all(agent.skills.get(skill, 0) >= level for skill, level in requires.items())

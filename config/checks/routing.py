"""routing.yaml: skills, strategies, and whether somebody can serve each queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.checks.draft import Draft, refer
from config.document import KeyPath
from config.problems import Findings, Position
from config.schema.agents import Agent
from config.schema.ivr import Enqueue
from config.schema.queues import QueueSettings, Strategy
from config.schema.routing import DEFAULT_NUMBER
from config.suggest import known_names

__all__ = ["check_routing", "check_served"]


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
            source.key(("numbers",)),
            f"no '{DEFAULT_NUMBER}' here: calls to other numbers enter as the first does; add it",
        )
    _check_settings(draft, findings, ("defaults",), routing.defaults)
    for name, queue in routing.queues.items():
        _check_settings(draft, findings, ("queues", name), queue)


def _check_settings(draft: Draft, findings: Findings, path: KeyPath, settings: QueueSettings) -> None:
    source = draft.routing.source
    for skill in settings.requires:
        refer(findings, source.key((*path, "requires", skill)), "skill", skill, draft.skills)
    _check_strategy(draft, findings, (*path, "strategy"), settings.strategy)


def _check_strategy(draft: Draft, findings: Findings, path: KeyPath, strategy: Strategy) -> None:
    source = draft.routing.source
    bounds = draft.strategies.get(strategy.name)
    if bounds is None:
        position = source.values.get((*path, "name")) or source.value(path)
        refer(findings, position, "strategy", strategy.name, draft.strategies)
        return
    for option, value in strategy.options.items():
        position = source.key((*path, "options", option))
        if option not in bounds:
            right = f"it has {known_names(bounds)}" if bounds else "it has none"
            findings.error(position, f"strategy '{strategy.name}' has no option '{option}'; {right}")
        elif not bounds[option][0] <= value <= bounds[option][1]:
            least, most = bounds[option]
            findings.error(
                source.value((*path, "options", option)),
                f"'{value:g}' is out of range; give a number from {least:g} to {most:g}",
            )


def check_served(draft: Draft, findings: Findings) -> None:
    """Warn of queues whose calls, or some of them, would wait for ever."""
    routing, agents, source = draft.routing.model, draft.agents.model, draft.routing.source
    if routing is None or agents is None or findings.errors:
        return  # With a mistake anywhere, an agent or skill that seems to lack may only be the mistake's.
    serving: dict[str, list[Agent]] = {name: [] for name in routing.queues}
    for agent in agents.agents.values():
        for name in agent.queues:
            serving[name].append(agent)
    requires = {
        name: queue.requires if "requires" in queue.model_fields_set else routing.defaults.requires
        for name, queue in routing.queues.items()
    }
    served: set[str] = set()
    for name in routing.queues:
        if not serving[name]:
            message = f"no agent serves queue '{name}'; add it to the 'queues' of some"
            findings.warning(source.key(("queues", name)), message)
        elif _any_may_serve(serving[name], requires[name]):
            served.add(name)
        else:
            findings.warning(source.key(("queues", name)), _nobody_has(name, requires[name]))
    for position, node in _entrances(draft):
        if node.queue in served:
            wanted = _both(requires[node.queue], node.requires)
            if not _any_may_serve(serving[node.queue], wanted):
                findings.warning(position, _nobody_has(node.queue, wanted))


def _entrances(draft: Draft) -> Iterator[tuple[Position, Enqueue]]:
    """Yield the nodes that ask for more than their queue does, each with the position where they do."""
    for part in draft.trees.values():
        for name, node in part.model.nodes.items() if part.model else ():
            if isinstance(node, Enqueue) and node.requires:
                yield part.source.key(("nodes", name, "requires")), node


def _both(queue: Mapping[str, int], call: Mapping[str, int]) -> dict[str, int]:
    """Return what queue and call ask for together: of two levels the higher."""
    return {skill: max(queue.get(skill, 0), call.get(skill, 0)) for skill in (*queue, *call)}


def _nobody_has(queue: str, requires: Mapping[str, int]) -> str:
    wanted = " and ".join(f"{skill} {level}" for skill, level in requires.items())
    return f"no agent of queue '{queue}' has {wanted} or more; raise a level or ask for less"


def _any_may_serve(agents: list[Agent], requires: Mapping[str, int]) -> bool:
    return any(all(agent.skills.get(skill, 0) >= level for skill, level in requires.items()) for agent in agents)

"""Is there somebody for every call: agents who serve the queue, and meet what it asks for sooner or later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from config.checks.draft import Draft, effective
from config.document import KeyPath
from config.problems import Findings, Position
from config.schema import Agents, Routing
from config.schema.agents import Agent
from config.schema.ivr import Enqueue
from config.schema.queues import QueueSettings, Relaxation
from config.suggest import nearest

__all__ = ["check_served"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of an agent at some time of a call's wait."""

    requires: Mapping[str, int]
    group: str | None
    is_step: bool = False
    keeps_call_skills: bool = True

    def met_by(self, agents: Sequence[Agent], call: Mapping[str, int]) -> bool:
        """Tell whether one of the agents may take a call that asks for some skills itself."""
        wanted = self.together_with(call)
        return any(
            (self.group is None or self.group in agent.groups)
            and all(agent.skills.get(skill, 0) >= level for skill, level in wanted.items())
            for agent in agents
        )

    def together_with(self, call: Mapping[str, int]) -> Mapping[str, int]:
        """Return the levels asked for by queue and call: of two the higher, at a relaxation step the step's own."""
        if self.is_step:
            return {**call, **self.requires} if self.keeps_call_skills else self.requires
        return {skill: max(self.requires.get(skill, 0), call.get(skill, 0)) for skill in (*self.requires, *call)}

    def words(self, call: Mapping[str, int]) -> str:
        """Say what is asked for, as what nobody has."""
        wanted = " and ".join(f"{skill} {level}" for skill, level in self.together_with(call).items())
        skills = f"has {wanted} or more; raise a level or ask for less" if wanted else ""
        if self.group is None:
            return skills
        return f"in group '{self.group}' {skills}" if skills else f"is in group '{self.group}'; put one into it"


def check_served(draft: Draft, findings: Findings) -> None:
    """Warn of queues whose calls, or some of them, would wait for ever, and of groups that nobody belongs to."""
    routing, agents, source = draft.routing.model, draft.agents.model, draft.routing.source
    if routing is None or agents is None or findings.errors:
        return  # With a mistake anywhere, an agent or skill that seems to lack may only be the mistake's.
    empty_groups = _check_groups(draft, findings, routing, agents)
    serving: dict[str, list[Agent]] = {name: [] for name in routing.queues}
    for agent in agents.agents.values():
        for name in agent.queues:
            serving[name].append(agent)
    asked = {name: _asked(routing, name) for name in routing.queues}
    served: set[str] = set()
    for name in routing.queues:
        if not serving[name]:
            message = f"no agent serves queue '{name}'; add it to the 'queues' of some"
            findings.warning(source.key(("queues", name)), message)
        elif any(asked_now.met_by(serving[name], {}) for asked_now in asked[name]):
            served.add(name)
        elif asked[name][0].group not in empty_groups:
            findings.warning(source.key(("queues", name)), f"no agent of queue '{name}' {asked[name][0].words({})}")
    for position, node in _entrances(draft):
        name = node.queue
        if name in served and not any(asked_now.met_by(serving[name], node.requires) for asked_now in asked[name]):
            findings.warning(position, f"no agent of queue '{name}' {asked[name][0].words(node.requires)}")


def _asked(routing: Routing, queue: str) -> list[_Asked]:
    """Return what a queue asks for, first at once, then step by step."""
    steps: tuple[Relaxation, ...] = effective(routing, queue, "relax")[0]
    return [
        _Asked(effective(routing, queue, "requires")[0], effective(routing, queue, "group")[0]),
        *(_Asked(step.requires, step.group, True, step.call_skills == "keep") for step in steps),
    ]


def _check_groups(draft: Draft, findings: Findings, routing: Routing, agents: Agents) -> set[str]:
    """Warn of groups that nobody belongs to, and return them."""
    empty: set[str] = set()
    known = {group for agent in agents.agents.values() for group in agent.groups}
    for path, group in _groups(routing):
        if group not in known:
            near = nearest(group, known)
            right = f"did you mean '{near}'?" if near else "put some into it"
            findings.warning(draft.routing.source.value(path), f"no agent is in group '{group}'; {right}")
            empty.add(group)
    return empty


def _groups(routing: Routing) -> Iterator[tuple[KeyPath, str]]:
    """Yield every group that is asked for, with where that is written."""
    written: dict[KeyPath, QueueSettings] = {("defaults",): routing.defaults}
    written |= {("queues", name): queue for name, queue in routing.queues.items()}
    for path, settings in written.items():
        if settings.group is not None:
            yield (*path, "group"), settings.group
        for place, step in enumerate(settings.relax):
            if step.group is not None:
                yield (*path, "relax", place, "group"), step.group


def _entrances(draft: Draft) -> Iterator[tuple[Position, Enqueue]]:
    """Yield the nodes that ask for more than their queue does, each with the position where they do."""
    for part in draft.trees.values():
        for name, node in part.model.nodes.items() if part.model else ():
            if isinstance(node, Enqueue) and node.requires:
                yield part.source.key(("nodes", name, "requires")), node

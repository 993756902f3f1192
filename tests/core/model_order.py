"""Who may take what, and in which order: the brute-force model's reading of what ``routing`` documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

from acd.core.specs import CountScope, RoutingSpec
from tests.core.model_entities import MAgent, MCall


def requirement(call: MCall) -> tuple[dict[str, int], str]:
    queue = call.queue
    asked, group = dict(queue.requirement.skills), queue.requirement.group
    own = dict(call.requires)
    if call.relaxed:
        step = queue.relaxation[call.relaxed - 1]
        asked, group = dict(step.requirement.skills), step.requirement.group
        own = {skill: level for skill, level in own.items() if step.keep_call_skills and skill not in asked}
    for skill, level in own.items():
        asked[skill] = max(level, asked.get(skill, 0))
    return asked, group


def fits(agent: MAgent, call: MCall) -> bool:
    asked, group = requirement(call)
    return (
        call.queue.id in agent.spec.queues
        and all(agent.spec.skills.get(skill, 0) >= level for skill, level in asked.items())
        and (not group or group in agent.spec.groups)
    )


def key(call: MCall, now: float) -> tuple[bool, float, float, int]:
    """Overdue calls first, by time of entry; then by points; then by time of entry; then whoever was seen first."""
    rule, waited_s = call.queue.priority, now - call.entered_at
    if waited_s >= rule.starvation_limit_s:
        return False, 0.0, call.entered_at, call.number
    points = rule.base + call.extra + min(rule.points_per_minute / 60.0 * waited_s, rule.ageing_cap)
    return True, -points, call.entered_at, call.number


def is_idle(agent: MAgent) -> bool:
    return agent.state == "ready" and agent.phone_free


def candidates(
    routing: RoutingSpec, all_agents: Iterable[MAgent], cursor: tuple[int, int], call: MCall
) -> list[MAgent]:
    """Idle agents who may take the call, in the strategy's order (of a drawn one: any)."""
    queue = call.queue
    asked = requirement(call)[0]
    agents = [agent for agent in all_agents if is_idle(agent) and fits(agent, call)]

    def idle(agent: MAgent) -> float:
        if routing.idle_scope is CountScope.GLOBAL:
            return agent.idle_since
        return agent.idle_in.get(queue.id, -inf)

    def counted(counts: dict[str, int] | dict[str, float]) -> float:
        if routing.count_scope is CountScope.GLOBAL:
            return sum(counts.values())
        return counts.get(queue.id, 0)

    def levels(agent: MAgent) -> int:
        return sum(agent.spec.skills.get(skill, 0) for skill in asked)

    def place(agent: MAgent) -> tuple[int, int]:
        return agent.spec.queues[queue.id], agent.index

    orders: dict[str, Callable[[MAgent], object]] = {
        "hunt": place,
        "circular-hunt": lambda agent: (place(agent) <= cursor, place(agent)),
        "fewest-calls": lambda agent: (counted(agent.calls), idle(agent), agent.index),
        "least-talk-time": lambda agent: (counted(agent.talk_s), idle(agent), agent.index),
        "most-proficient": lambda agent: (-levels(agent), idle(agent), agent.index),
        "least-proficient": lambda agent: (
            levels(agent),
            sum(agent.spec.skills.values()),
            idle(agent),
            agent.index,
        ),
    }
    order = orders.get(queue.strategy, lambda agent: (idle(agent), agent.index))
    return sorted(agents, key=order)

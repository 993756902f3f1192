"""Random sites with everything that a site may have: for the long random simulations."""

from __future__ import annotations

from random import Random

from acd.core.specs import (
    AgentSpec,
    BackOffSpec,
    CountScope,
    OverflowAction,
    OverflowActionKind,
    OverflowCondition,
    OverflowRule,
    QueueSpec,
    RelaxationStep,
    RoutingSpec,
    StickySpec,
    WaitingMessage,
    WaitingMessageKind,
    WrapUpMode,
    WrapUpSpec,
)
from routing.priority import PriorityRule
from routing.skills import Requirement
from routing.strategies import STRATEGIES

SKILLS = ("cards", "english", "loans")


def random_site(chance: Random) -> RoutingSpec:
    """One to five queues, two to sixteen agents."""
    queue_ids = [f"q{number}" for number in range(chance.randint(1, 5))]
    agents = (random_agent(chance, f"a{number}", queue_ids) for number in range(chance.randint(2, 16)))
    return RoutingSpec(
        queues={queue_id: _queue(chance, queue_id, queue_ids) for queue_id in queue_ids},
        agents={agent.id: agent for agent in agents},
        back_off=BackOffSpec(
            missed_s=chance.choice([0.0, 5.0]),
            rejected_s=chance.choice([0.0, 3.0]),
            unreachable_s=chance.choice([0.0, 8.0]),
            missed_in_row_limit=chance.choice([0, 3]),
        ),
        idle_scope=chance.choice(list(CountScope)),
        missed_resets_idle=chance.random() < 0.5,
        short_call_s=chance.choice([0.0, 2.0]),
        count_scope=chance.choice(list(CountScope)),
        max_legs=chance.choice([1, 3, 30]),
    )


def random_requirement(chance: Random) -> Requirement:
    """Up to two skills of low level, at times a group."""
    skills = {skill: chance.randint(1, 4) for skill in chance.sample(SKILLS, chance.choice([0, 0, 1, 2]))}
    return Requirement.of(skills, chance.choice(["", "", "", "seniors"]))


def random_agent(chance: Random, agent_id: str, queue_ids: list[str]) -> AgentSpec:
    """An agent of most of the queues, with most of the skills."""
    return AgentSpec(
        agent_id,
        queues={queue_id: chance.randint(0, 4) for queue_id in queue_ids if chance.random() < 0.8},
        skills={skill: chance.randint(1, 8) for skill in SKILLS if chance.random() < 0.8},
        groups=frozenset(["seniors"]) if chance.random() < 0.5 else frozenset(),
        weight=chance.choice([0.1, 1.0, 7.0]),
        max_login_s=chance.choice([0.0, 0.0, 0.0, 300.0]),
        start=chance.choice(["ready", "ready", "not-ready", "logged-out"]),
    )


def _queue(chance: Random, queue_id: str, queue_ids: list[str]) -> QueueSpec:
    moments = sorted(chance.sample(range(1, 60), chance.choice([0, 0, 1, 3])))
    return QueueSpec(
        queue_id,
        strategy=chance.choice([*sorted(STRATEGIES), "ring-all", "progressive-ring"]),
        strategy_options={"step_s": chance.choice([1.0, 4.0])},
        requirement=random_requirement(chance) if chance.random() < 0.4 else Requirement(),
        relaxation=tuple(RelaxationStep(at, random_requirement(chance), chance.random() < 0.7) for at in moments),
        priority=PriorityRule(
            base=chance.randint(0, 50),
            points_per_minute=chance.choice([0.0, 1.0, 60.0]),
            ageing_cap=chance.choice([0.0, 10.0]),
            starvation_limit_s=chance.choice([20.0, 1800.0]),
        ),
        ring_timeout_s=chance.choice([5.0, 15.0]),
        wrap_up=WrapUpSpec(chance.choice(list(WrapUpMode)), chance.choice([0.0, 3.0]), chance.choice([0.0, 2.0])),
        sticky=StickySpec(chance.choice([0.0, 10.0]), chance.choice([0.0, 5.0]), chance.random() < 0.5),
        messages=tuple(
            WaitingMessage(
                chance.choice(list(WaitingMessageKind)), chance.choice([0.0, 3.0]), chance.choice([0.0, 25.0])
            )
            for _ in range(chance.choice([0, 0, 1, 2]))
        ),
        join=tuple(_rule(chance, queue_ids) for _ in range(chance.choice([0, 0, 0, 1]))),
        overflow=tuple(_rule(chance, queue_ids) for _ in range(chance.choice([0, 0, 1, 2]))),
    )


def _rule(chance: Random, queue_ids: list[str]) -> OverflowRule:
    conditions = (
        OverflowCondition(waiting_s=30.0),
        OverflowCondition(waiting_s=10.0, calls_waiting=3),
        OverflowCondition(nobody_ready=True),
        OverflowCondition(nobody_logged_in=True),
        OverflowCondition(calls_waiting=6),
        OverflowCondition(estimated_wait_s=40.0),
        OverflowCondition(calls_per_ready_agent=3.0),
        OverflowCondition(out_of_hours=True),
    )
    if chance.random() < 0.6:
        action = OverflowAction(OverflowActionKind.QUEUE, chance.choice(queue_ids), chance.random() < 0.5)
    else:
        action = OverflowAction(chance.choice([OverflowActionKind.MENU, OverflowActionKind.VOICEMAIL]), "elsewhere")
    return OverflowRule(chance.choice(conditions), action, chance.random() < 0.3)

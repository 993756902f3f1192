"""Generated sites for ``bench.core``: the same queues, agents and calls for the engine and for its peers.

How a site of A agents, Q queues and S skills per agent comes about (seeded, so always the same):

- There are 40 skills for topics and 3 for languages. A *topic* is what a caller wants: one queue, one skill, a least
  level of 1 to 5. There are as many topics as queues, at least 40, dealt out to the queues in turn. A queue with one
  topic asks for its skill itself; where it has several, the call brings the skill (as from a menu).
- If S is 2 or more, every agent has one language, and a quarter of the calls ask for a language on top of their topic.
- An agent has S skills at levels 1 to 10 and is a member of up to 5 queues, 3 of them queues with a topic that he or
  she may serve, the others drawn from all: so some queues list agents who may not take their calls.
- Topics that no agent may serve are left out: no call asks for what nobody has.
- The topics of a fifth of the skills are *calm*, and a fifth of the agents has calm skills only: where calls wait, they
  wait in the busy topics, while calm agents are idle beside them. So some arrivals are matched at once and others wait.
- Every queue ages its calls (1 point a minute, 10 at most) and has a base priority of 0 to 3.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern

from acd.core.specs import (
    AgentSpec,
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
)
from routing.priority import PriorityRule
from routing.skills import Requirement

__all__ = ["HOW_SITES_ARE_MADE", "Shape", "Site", "Topic", "generate"]

HOW_SITES_ARE_MADE = (__doc__ or "").partition("\n\n")[2]
SKILLS = 40
CALM_SKILLS = 8
LANGUAGES = 3
QUEUES_PER_AGENT = 5
SKILLED_QUEUES = 3
LANGUAGE_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a site. ``rich``: queues also relax, announce, overflow and hold calls for the last agent."""

    agents: int
    queues: int
    skills_per_agent: int
    strategy: str = "longest-idle"
    rich: bool = False


@dataclass(frozen=True, slots=True)
class Topic:
    """What a caller wants. ``requires``: what the call brings; ``requirement``: that and what the queue asks for."""

    queue: str
    requires: tuple[tuple[str, int], ...]
    requirement: Requirement
    calm: bool


@dataclass(frozen=True, slots=True)
class Site:
    """A generated site. ``calm_agents`` may take calls of calm topics only."""

    shape: Shape
    routing: RoutingSpec
    topics: tuple[Topic, ...]
    languages: tuple[Topic, ...]
    """The topics once more for each language; empty when agents have one skill only."""
    calm_agents: frozenset[str]

    def all_topics(self) -> tuple[Topic, ...]:
        """Every combination that a call may ask for."""
        return self.topics + self.languages

    def draw(self, rng: random.Random, *, calm: bool | None = None) -> Topic:
        """Draw what the next caller wants; ``calm`` None: from all topics."""
        while True:
            from_languages = self.languages and rng.random() < LANGUAGE_SHARE
            topic = rng.choice(self.languages if from_languages else self.topics)
            if calm is None or topic.calm is calm:
                return topic


def generate(shape: Shape, seed: int = 1) -> Site:
    """Return the site of this shape."""
    rng = random.Random(seed)
    topics = _topics(shape.queues)
    per_queue = len(topics) // shape.queues
    queues = {f"q{number}": _queue(number, shape, per_queue == 1, rng) for number in range(shape.queues)}
    agents: dict[str, AgentSpec] = {}
    calm: set[str] = set()
    for number in range(shape.agents):
        is_calm = number % 5 == 4
        agent = _agent(f"a{number}", shape, topics, rng, is_calm=is_calm)
        agents[agent.id] = agent
        if is_calm:
            calm.add(agent.id)
    languages = _with_languages(topics) if shape.skills_per_agent > 1 else ()
    return Site(
        shape,
        RoutingSpec(queues, agents),
        tuple(topic for topic in topics if _is_served(topic, agents)),
        tuple(topic for topic in languages if _is_served(topic, agents)),
        frozenset(calm),
    )


def _is_served(topic: Topic, agents: Mapping[str, AgentSpec]) -> bool:
    return any(
        topic.queue in agent.queues and topic.requirement.met_by(agent.skills, agent.groups)
        for agent in agents.values()
    )


def _topics(queues: int) -> tuple[Topic, ...]:
    count = max(queues, SKILLS)
    count -= count % queues
    found = []
    for number in range(count):
        skill, level = number % SKILLS, 1 + number % 5
        needs = ((f"s{skill}", level),)
        brought = needs if count > queues else ()
        found.append(Topic(f"q{number % queues}", brought, Requirement.of(needs), skill < CALM_SKILLS))
    return tuple(found)


def _with_languages(topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
    found = []
    for number, topic in enumerate(topics):
        extra = ((f"lang{number % LANGUAGES}", 1 + number % 3),)
        found.append(Topic(topic.queue, topic.requires + extra, topic.requirement.plus(extra), topic.calm))
    return tuple(found)


def _queue(number: int, shape: Shape, one_topic: bool, rng: random.Random) -> QueueSpec:
    skill, level = f"s{number % SKILLS}", 1 + number % 5
    requirement = Requirement.of({skill: level}) if one_topic else Requirement()
    priority = PriorityRule(rng.randint(0, 3), 1.0, 10.0)
    if not shape.rich:
        return QueueSpec(f"q{number}", strategy=shape.strategy, requirement=requirement, priority=priority)
    return QueueSpec(
        f"q{number}",
        strategy=shape.strategy,
        requirement=requirement,
        relaxation=(RelaxationStep(300.0, Requirement.of({skill: 1}) if one_topic else Requirement()),),
        priority=priority,
        sticky=StickySpec(5.0, 5.0),
        messages=(
            WaitingMessage(WaitingMessageKind.POSITION, 20.0, 40.0),
            WaitingMessage(WaitingMessageKind.ESTIMATED_WAIT, 40.0, 80.0),
        ),
        overflow=(
            OverflowRule(OverflowCondition(waiting_s=1200.0), OverflowAction(OverflowActionKind.CALLBACK, "")),
            OverflowRule(OverflowCondition(nobody_logged_in=True), OverflowAction(OverflowActionKind.VOICEMAIL, "box")),
        ),
    )


def _agent(agent_id: str, shape: Shape, topics: tuple[Topic, ...], rng: random.Random, *, is_calm: bool) -> AgentSpec:
    spoken = 1 if shape.skills_per_agent > 1 else 0
    pool = range(CALM_SKILLS) if is_calm else range(CALM_SKILLS, SKILLS)
    skills = {intern(f"s{skill}"): rng.randint(1, 10) for skill in rng.sample(pool, shape.skills_per_agent - spoken)}
    skilled = [topic.queue for topic in topics if _serves(skills, topic)]
    if not skilled:  # levels too low for any topic: raise them, as nobody hires an agent for nothing
        skills = dict.fromkeys(skills, 10)
        skilled = [topic.queue for topic in topics if _serves(skills, topic)]
    skills |= {intern(f"lang{rng.randrange(LANGUAGES)}"): rng.randint(1, 10) for _ in range(spoken)}
    names = list(dict.fromkeys(skilled))
    chosen = dict.fromkeys(rng.sample(names, min(SKILLED_QUEUES, len(names))))
    while len(chosen) < min(QUEUES_PER_AGENT, shape.queues):
        chosen[intern(f"q{rng.randrange(shape.queues)}")] = None
    order: Mapping[str, int] = {queue: rng.randint(0, 9) for queue in chosen}
    return AgentSpec(
        agent_id,
        name=f"Agent {agent_id}",
        phone=f"PJSIP/{agent_id}",
        queues=order,
        skills=skills,
        weight=float(rng.randint(1, 3)),
    )


def _serves(skills: Mapping[str, int], topic: Topic) -> bool:
    return topic.requirement.met_by(skills, frozenset())

from __future__ import annotations

import random

import pytest

from acd.core.engine import Engine
from bench.core_site import Shape, Site, Topic, generate
from routing.strategies import STRATEGIES

SHAPES = [Shape(10, 1, 1), Shape(10, 100, 1), Shape(100, 10, 2), Shape(100, 100, 8), Shape(1000, 100, 4)]


@pytest.fixture(params=SHAPES, ids=str)
def site(request: pytest.FixtureRequest) -> Site:
    shape: Shape = request.param
    return generate(shape)


def may_serve(site: Site, topic: Topic, *, calm_only: bool = False) -> list[str]:
    return [
        agent.id
        for agent in site.routing.agents.values()
        if topic.queue in agent.queues
        and topic.requirement.met_by(agent.skills, agent.groups)
        and (not calm_only or agent.id in site.calm_agents)
    ]


def test_site_has_the_asked_size(site: Site) -> None:
    assert len(site.routing.agents) == site.shape.agents
    assert len(site.routing.queues) == site.shape.queues
    assert {len(agent.skills) for agent in site.routing.agents.values()} == {site.shape.skills_per_agent}


def test_everything_that_is_asked_for_somebody_has(site: Site) -> None:
    assert all(may_serve(site, topic) for topic in site.all_topics())


def test_agents_are_useful(site: Site) -> None:
    useful = {agent for topic in site.all_topics() for agent in may_serve(site, topic)}
    assert useful == set(site.routing.agents)


def test_calm_agents_cannot_serve_busy_topics(site: Site) -> None:
    assert all(topic.calm or not may_serve(site, topic, calm_only=True) for topic in site.all_topics())
    assert {topic.calm for topic in site.topics} == {True, False}


def test_what_a_call_brings_makes_up_its_requirement(site: Site) -> None:
    for topic in site.all_topics():
        assert site.routing.queues[topic.queue].requirement.plus(topic.requires) == topic.requirement


def test_the_same_shape_gives_the_same_site() -> None:
    assert generate(Shape(50, 10, 4)) == generate(Shape(50, 10, 4))


def test_draw_keeps_to_what_is_wanted() -> None:
    site = generate(Shape(100, 100, 4))
    rng = random.Random(3)
    assert not any(site.draw(rng, calm=False).calm for _ in range(200))
    assert {site.draw(rng).calm for _ in range(200)} == {True, False}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_engine_takes_every_strategy_with_all_features(strategy: str) -> None:
    site = generate(Shape(10, 3, 4, strategy, rich=True))
    engine = Engine(site.routing, random.Random(1), 0.0, strict=True)
    assert {queue.spec.strategy for queue in engine.queues.values()} == {strategy}

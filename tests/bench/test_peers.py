"""The peers do the same work: what they match, the engine would, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

import pytest

from bench.core_site import Shape, generate
from bench.peer_app_queue import AppQueue
from bench.peer_callcenter import CallCenter
from bench.peers import Centre, PeerLoad, PeerQueue, measure_peer, peer_queues

Maker = Callable[[Sequence[PeerQueue]], Centre]
PEERS: list[Maker] = [AppQueue, CallCenter]
SITE = generate(Shape(30, 10, 4))
QUEUES = peer_queues(SITE)
NOW = 1000.0


def queue(name: str, *members: str) -> PeerQueue:
    return PeerQueue(name, members, SITE.topics[0])


def deadline() -> float:
    return perf_counter() + 60.0


@pytest.fixture(params=PEERS, ids=lambda maker: maker.name)
def maker(request: pytest.FixtureRequest) -> Maker:
    found: Maker = request.param
    return found


def test_a_queue_for_each_thing_that_can_be_asked_for() -> None:
    assert len(QUEUES) == len(SITE.all_topics())
    for its in QUEUES:
        for agent_id in its.members:
            agent = SITE.routing.agents[agent_id]
            assert its.topic.queue in agent.queues
            assert its.topic.requirement.met_by(agent.skills, agent.groups)


def test_a_freed_agent_gets_the_call_that_waited_longest(maker: Maker) -> None:
    sales, other = queue("sales", "anna", "ben"), queue("other", "cy")
    centre = maker([sales, other])
    centre.occupy("anna", sales, NOW)
    centre.occupy("ben", sales, NOW)
    centre.occupy("cy", other, NOW)
    centre.wait("not-hers", other, NOW - 50)
    centre.wait("first", sales, NOW - 40)
    centre.wait("second", sales, NOW - 30)
    assert centre.free("anna", sales, NOW, deadline()) == ("anna", "first")
    centre.connect(("anna", "first"), NOW)
    assert centre.free("ben", sales, NOW + 1, deadline()) == ("ben", "second")


def test_a_freed_agent_without_calls_stays_idle_and_gets_the_next_one(maker: Maker) -> None:
    sales = queue("sales", "anna", "ben")
    centre = maker([sales])
    centre.occupy("anna", sales, NOW)
    centre.occupy("ben", sales, NOW)
    assert centre.free("ben", sales, NOW, deadline()) is None
    assert centre.arrive("caller", sales, NOW + 5, deadline()) == ("ben", "caller")


def test_a_call_that_arrives_gets_whoever_is_idle_longest(maker: Maker) -> None:
    sales = queue("sales", "anna", "ben", "cy")
    centre = maker([sales])
    for agent in sales.members:
        centre.occupy(agent, sales, NOW)
    for at, agent in enumerate(("ben", "cy", "anna")):
        assert centre.free(agent, sales, NOW + 10 * at, deadline()) is None
    assert centre.arrive("one", sales, NOW + 60, deadline()) == ("ben", "one")
    centre.connect(("ben", "one"), NOW + 60)
    assert centre.arrive("two", sales, NOW + 61, deadline()) == ("cy", "two")


def test_nobody_idle_means_waiting(maker: Maker) -> None:
    sales = queue("sales", "anna")
    centre = maker([sales])
    centre.occupy("anna", sales, NOW)
    assert centre.arrive("caller", sales, NOW, deadline()) is None
    centre.give_up("caller")
    assert centre.free("anna", sales, NOW + 1, deadline()) is None


def test_agents_in_several_queues_have_one_call(maker: Maker) -> None:
    sales, other = queue("sales", "anna"), queue("other", "anna")
    centre = maker([sales, other])
    assert centre.arrive("one", sales, NOW, deadline()) == ("anna", "one")
    centre.connect(("anna", "one"), NOW)
    assert centre.arrive("two", other, NOW, deadline()) is None
    assert centre.free("anna", sales, NOW + 9, deadline()) == ("anna", "two")


def test_app_queue_walks_a_position_after_the_available_members() -> None:
    sales = queue("sales", "anna", "ben")
    centre = AppQueue([sales])
    for call in ("one", "two", "three"):
        centre.wait(call, sales, NOW)
    assert [centre.look(call) for call in ("one", "two", "three")] == [True, True, False]


def test_mod_callcenter_is_cut_off_at_the_deadline() -> None:
    sales = queue("sales", "anna")
    centre = CallCenter([sales])
    centre.occupy("anna", sales, NOW)
    for number in range(3):
        centre.wait(f"call-{number}", sales, NOW)
    with pytest.raises(TimeoutError):
        centre.arrive("late", sales, NOW, perf_counter() - 1)


@pytest.mark.parametrize("waiting", [0, 20])
def test_load_measures_both_kinds_and_matches_only_who_fits(maker: Maker, waiting: int) -> None:
    load = PeerLoad(maker(QUEUES), SITE, QUEUES, waiting)
    results = measure_peer(load, 20, limit_s=60.0)
    assert {kind: len(result.timed.samples) for kind, result in results.items()} == {
        "agent_freed": 20,
        "call_arrives": 20,
    }
    assert not any(result.at_least for result in results.values())
    kind = "agent_freed" if waiting else "call_arrives"
    assert sum(sample.matched for sample in results[kind].timed.samples) >= 5

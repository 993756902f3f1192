"""The indexes of idle agents against plain sorting, with agents coming and going."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from routing.idle_orders import Bag, IdleOrder, KeyedOrder, Ring, RingCursor
from tests.routing.agents import FakeAgent, indexes

_keys = st.lists(st.integers(0, 5), min_size=1, max_size=60)


def _keyed() -> KeyedOrder:
    return KeyedOrder(lambda agent: agent.idle_since_for("q"))


def _filled(order: IdleOrder, keys: list[int]) -> list[FakeAgent]:
    agents = [FakeAgent(index, idle_since=float(key), place=key) for index, key in enumerate(keys)]
    for agent in agents:
        order.add(agent)
    return agents


# Keyed order.


@given(_keys)
def test_keyed_order_is_by_key_then_index(keys: list[int]) -> None:
    order = _keyed()
    agents = _filled(order, keys)
    expected = sorted(range(len(keys)), key=lambda index: (keys[index], index))
    assert indexes(order.ordered()) == expected
    taken = []
    while (first := order.first()) is not None:
        assert order.first() is first, "asking takes nobody out"
        taken.append(first.index)
        agents[first.index].leave()
    assert taken == expected


@given(_keys, st.lists(st.tuples(st.integers(0, 59), st.booleans(), st.integers(0, 5)), max_size=200))
def test_keyed_order_follows_who_comes_and_goes(keys: list[int], changes: list[tuple[int, bool, int]]) -> None:
    order = _keyed()
    agents = _filled(order, keys)
    idle = set(range(len(keys)))
    for which, comes, key in changes:
        agent = agents[which % len(agents)]
        if comes and agent.index not in idle:
            agent.come_back()
            agent.idle_since = float(key)
            order.add(agent)
            idle.add(agent.index)
        elif not comes and agent.index in idle:
            agent.leave()
            idle.discard(agent.index)
        expected = sorted(idle, key=lambda index: (agents[index].idle_since, index))
        front = order.front()
        assert [agent.index for agent, _ in front] == expected[: len(front)], "what is told of the front must be true"
        first = order.first()
        assert (None if first is None else first.index) == (expected[0] if expected else None)
    assert indexes(order.ordered()) == sorted(idle, key=lambda index: (agents[index].idle_since, index))


def test_the_front_tells_three_and_their_keys() -> None:
    order = _keyed()
    _filled(order, [5, 3, 4, 1, 2])
    assert [(agent.index, key) for agent, key in order.front()] == [(3, 1.0), (4, 2.0), (1, 3.0)]


def test_void_entries_are_swept() -> None:
    """An agent who comes and goes all day leaves no growing index behind."""
    order = _keyed()
    agents = _filled(order, list(range(10)))
    for turn in range(10_000):
        agent = agents[turn % 10]
        agent.come_back()
        agent.idle_since = float(turn)
        order.add(agent)
    assert len(order._sorted) <= 64


def test_void_entries_never_come_in_thousands() -> None:
    """Where nobody asks who is first, as others' calls take all agents, void entries stay as few as live ones."""
    chance = Random(1)
    order = _keyed()
    agents = _filled(order, [0] * 500)
    idle = [True] * 500
    for turn in range(20_000):
        which = chance.randrange(500)
        if idle[which]:
            agents[which].leave()
        else:
            agents[which].come_back()
            agents[which].idle_since = float(turn)
            order.add(agents[which])
        idle[which] = not idle[which]
        assert len(order._sorted) < 600
    assert indexes(order.ordered()) == sorted(
        (index for index in range(500) if idle[index]), key=lambda index: (agents[index].idle_since, index)
    )


# Ring.


def _ring() -> tuple[Ring, RingCursor]:
    cursor = RingCursor()
    return Ring(cursor, lambda agent: agent.order_in("q")), cursor


def test_the_ring_goes_round_by_place_then_index() -> None:
    ring, cursor = _ring()
    agents = _filled(ring, [2, 0, 1, 1])
    seen = []
    for _ in range(8):
        first = ring.first()
        assert first is not None
        seen.append(first.index)
        cursor.place = (first.order_in("q"), first.index)
    assert seen == [1, 2, 3, 0, 1, 2, 3, 0]
    assert indexes(ring.ordered()) == [1, 2, 3, 0], "from the cursor on: the last one was agent 0"
    agents[1].leave()
    assert indexes(ring.ordered()) == [2, 3, 0]
    assert [agent.index for agent, _ in ring.front()] == [2, 3, 0]


@given(_keys, st.lists(st.tuples(st.integers(0, 59), st.booleans()), max_size=100))
def test_the_ring_follows_who_comes_and_goes(keys: list[int], changes: list[tuple[int, bool]]) -> None:
    ring, cursor = _ring()
    agents = _filled(ring, keys)
    idle = set(range(len(keys)))
    for which, comes in changes:
        agent = agents[which % len(agents)]
        if comes and agent.index not in idle:
            agent.come_back()
            ring.add(agent)
            idle.add(agent.index)
        elif not comes and agent.index in idle:
            agent.leave()
            idle.discard(agent.index)
        places = sorted((agents[index].place, index) for index in idle)
        expected = [place for place in places if place > cursor.place] + [
            place for place in places if place <= cursor.place
        ]
        first = ring.first()
        assert (None if first is None else first.index) == (expected[0][1] if expected else None)
        if first is not None:
            cursor.place = expected[0]


# Bag: exact chances, tested with chi-square on a fixed seed.


def _draws(bag: Bag, times: int) -> Counter[int]:
    drawn: Counter[int] = Counter()
    for _ in range(times):
        agent = bag.first()
        assert agent is not None
        drawn[agent.index] += 1
    return drawn


def _assert_in_proportion(drawn: Counter[int], weights: dict[int, float]) -> None:
    times, total = sum(drawn.values()), sum(weights.values())
    assert set(drawn) <= set(weights)
    expected = [times * weight / total for weight in weights.values()]
    assert chisquare([drawn[index] for index in weights], expected).pvalue > 0.001


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_bag_draws_everyone_alike(seed: int) -> None:
    bag = Bag(Random(seed))
    agents = [FakeAgent(index) for index in range(20)]
    for agent in agents:
        bag.add(agent)
    _assert_in_proportion(_draws(bag, 20_000), dict.fromkeys(range(20), 1.0))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "weights", [[1.0, 2.0, 3.0, 4.0], [0.1, 0.15, 7.0, 8.0, 8.5, 100.0], [1.0] * 50 + [60.0], [3.0, 3.0]]
)
def test_a_bag_draws_in_proportion_to_weights(weights: list[float], seed: int) -> None:
    bag = Bag(Random(seed), lambda agent: agent.weight)
    for index, weight in enumerate(weights):
        bag.add(FakeAgent(index, weight=weight))
    _assert_in_proportion(_draws(bag, 20_000), dict(enumerate(weights)))


def test_a_bag_is_exact_after_coming_and_going() -> None:
    bag = Bag(Random(5), lambda agent: agent.weight)
    agents = [FakeAgent(index, weight=float(1 + index % 5)) for index in range(30)]
    chance = Random(6)
    for agent in agents:
        bag.add(agent)
    idle = set(agents)
    for _ in range(500):
        agent = chance.choice(agents)
        if agent in idle:
            agent.leave()
            idle.discard(agent)
            if chance.random() < 0.3:
                bag.first()
        else:
            agent.come_back()
            bag.add(agent)
            idle.add(agent)
    assert 5 < len(idle) < 25
    _assert_in_proportion(_draws(bag, 20_000), {agent.index: agent.weight for agent in idle})
    assert sorted(indexes(bag.ordered())) == sorted(agent.index for agent in idle)


def test_draws_stay_short_when_a_heavy_agent_is_away() -> None:
    """Rejections may not depend on the weight of one who is not even there."""

    class Counting(Random):
        draws = 0

        def random(self) -> float:
            self.draws += 1
            return super().random()

    chance = Counting(1)
    bag = Bag(chance, lambda agent: agent.weight)
    heavy = FakeAgent(0, weight=1e9)
    bag.add(heavy)
    for index in range(1, 1000):
        bag.add(FakeAgent(index, weight=1.0))
    assert bag.first() is heavy
    heavy.leave()
    chance.draws = 0
    _draws(bag, 1000)
    assert chance.draws < 10_000


def test_all_of_a_bag_in_a_drawn_order() -> None:
    """First in the order with the same chance as in a single draw."""
    bag = Bag(Random(9), lambda agent: agent.weight)
    weights = {0: 1.0, 1: 2.0, 2: 5.0}
    for index, weight in weights.items():
        bag.add(FakeAgent(index, weight=weight))
    firsts: Counter[int] = Counter()
    for _ in range(8000):
        drawn = indexes(bag.ordered())
        assert sorted(drawn) == [0, 1, 2]
        firsts[drawn[0]] += 1
    _assert_in_proportion(firsts, weights)


def test_nobody_idle() -> None:
    ring, _ = _ring()
    for order in (_keyed(), ring, Bag(Random(1))):
        assert order.first() is None
        assert list(order.ordered()) == []
        assert order.front() == []
        agent = FakeAgent(0)
        order.add(agent)
        agent.leave()
        assert order.first() is None
        assert list(order.ordered()) == []


def test_the_first_few_are_found_without_a_look_at_all() -> None:
    """Ring-all rings thirty of thousands."""

    class Watched(FakeAgent):
        looked_at = 0

        def __getattribute__(self, name: str) -> object:
            if name == "idle_stamp":
                Watched.looked_at += 1
            return super().__getattribute__(name)

    order = _keyed()
    for index in range(5_000):
        order.add(Watched(index, idle_since=float(index)))
    Watched.looked_at = 0
    assert indexes(islice(order.ordered(), 30)) == list(range(30))
    assert Watched.looked_at < 40

"""The estimated wait, part by part: position, staff, sharing, hang-ups, overtaking, and when nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log1p
from random import Random

import pytest

from acd.core.arrivals import Arrivals
from acd.core.calls import Call
from acd.core.engine import Engine
from acd.core.estimates import estimated_wait_s, next_call_wait_s, position
from acd.core.events import (
    AgentLoggedOut,
    AgentNotReady,
    AgentReady,
    CallEnded,
    CallQueued,
    DeviceChanged,
    DeviceState,
    OfferBridged,
    OffersSuspended,
    WrapUpDone,
)
from acd.core.specs import AgentSpec, QueueSpec, RoutingSpec, StickySpec, WrapUpMode, WrapUpSpec
from routing.priority import PriorityRule
from routing.skills import Requirement

_THIRD = 1.0 / 3.0


class Site:
    """An engine in which one call of 60 seconds has been handled in each queue, and the agents are all busy."""

    def __init__(self, queues: Sequence[QueueSpec], agents: Sequence[AgentSpec], handling_s: float = 60.0) -> None:
        routing = RoutingSpec({queue.id: queue for queue in queues}, {agent.id: agent for agent in agents})
        self.engine = Engine(routing, Random(1), 0.0, strict=True)
        self.now = 0.0
        self.calls = 0
        for agent in agents:
            self.engine.handle(AgentReady(agent.id), self.now)
        for queue in queues:
            if any(queue.id in agent.queues and not agent.skills for agent in agents):
                self.handle_one(queue.id, handling_s)
        while idle := [agent for agent in self.engine.agents.values() if agent.is_idle]:
            self.begin_talk(self.call(next(iter(idle[0].spec.queues)), requires=tuple(idle[0].spec.skills.items())))

    def begin_talk(self, call_id: str) -> None:
        (agent_id,) = self.engine.offers[f"{call_id}.1"].legs
        self.engine.handle(OfferBridged(f"{call_id}.1", agent_id), self.now)

    def handle_one(self, queue_id: str, handling_s: float) -> None:
        call_id = self.call(queue_id)
        self.begin_talk(call_id)
        self.now += handling_s
        self.engine.handle(CallEnded(call_id), self.now)

    def call(self, queue_id: str, priority: int = 0, requires: tuple[tuple[str, int], ...] = ()) -> str:
        self.calls += 1
        call_id = f"c{self.calls}"
        self.engine.handle(CallQueued(call_id, queue_id, priority, requires), self.now)
        return call_id

    def waiting(self, queue_id: str, priority: int = 0, requires: tuple[tuple[str, int], ...] = ()) -> Call:
        return self.engine.calls[self.call(queue_id, priority, requires)]

    def estimate(self, call: Call) -> float | None:
        estimate = estimated_wait_s(call, self.now)
        assert estimate == estimated_wait_s(call, self.now, viewed=True), "readers see what is decided by"
        return estimate


def _agents(count: int, *queues: str, first: int = 0) -> list[AgentSpec]:
    return [AgentSpec(f"a{number}", queues=dict.fromkeys(queues, 0)) for number in range(first, first + count)]


def test_position_times_handling_time_over_agents_less_a_third() -> None:
    site = Site([QueueSpec("q")], _agents(4, "q"))
    for place in range(1, 6):
        call = site.waiting("q")
        assert position(call, site.now) == place
        assert site.estimate(call) == pytest.approx((place - _THIRD) * 60.0 / 4)


def test_nothing_is_known_before_the_first_call_and_when_nobody_works() -> None:
    engine = Engine(RoutingSpec({"q": QueueSpec("q")}, {"a": AgentSpec("a", queues={"q": 0})}), Random(1), 0.0)
    engine.handle(CallQueued("c1", "q"), 0.0)
    assert estimated_wait_s(engine.calls["c1"], 0.0) is None
    assert next_call_wait_s(engine.queues["q"], 0.0) is None
    site = Site([QueueSpec("q")], _agents(1, "q"))
    call = site.waiting("q")
    site.engine.handle(AgentLoggedOut("a0"), site.now)
    assert site.estimate(call) is None, "the only agent leaves after the present call"


def test_a_call_outside_of_queues_has_no_estimate() -> None:
    call = Call("c1", 1, "", "", 0.0)
    assert estimated_wait_s(call, 0.0) is None
    assert position(call, 0.0) == 0


def test_who_is_about_to_leave_or_cannot_be_rung_does_not_count() -> None:
    site = Site([QueueSpec("q")], _agents(4, "q"))
    call = site.waiting("q")
    site.engine.handle(AgentNotReady("a0", "tea"), site.now)
    assert site.estimate(call) == pytest.approx((1 - _THIRD) * 60.0 / 3)
    site.engine.handle(AgentLoggedOut("a1"), site.now)
    assert site.estimate(call) == pytest.approx((1 - _THIRD) * 60.0 / 2)
    site.engine.handle(AgentReady("a0"), site.now)
    assert site.estimate(call) == pytest.approx((1 - _THIRD) * 60.0 / 3)
    site.engine.handle(OffersSuspended("test"), site.now)
    site.engine.handle(DeviceChanged("a2", DeviceState.UNAVAILABLE), site.now)
    talking = site.engine.agents["a2"].call
    assert talking is not None
    site.now += 60.0
    site.engine.handle(CallEnded(talking.id), site.now)
    assert site.estimate(call) == pytest.approx((1 - _THIRD) * 60.0 / 2), "ready, and the phone is not there"


def test_handling_time_runs_from_ring_to_the_end_of_wrap_up() -> None:
    queue = QueueSpec("q", wrap_up=WrapUpSpec(WrapUpMode.UNTIL_DONE))
    engine = Engine(RoutingSpec({"q": queue}, {"a": AgentSpec("a", queues={"q": 0})}), Random(1), 0.0, strict=True)
    engine.handle(AgentReady("a"), 0.0)
    engine.handle(CallQueued("c1", "q"), 10.0)
    engine.handle(OfferBridged("c1.1", "a"), 15.0)
    engine.handle(CallEnded("c1"), 70.0)
    assert engine.queues["q"].handlings == 0
    engine.handle(WrapUpDone("a"), 110.0)
    assert engine.queues["q"].handling_s == 100.0
    engine.handle(CallQueued("c2", "q"), 110.0)
    engine.handle(OfferBridged("c2.1", "a"), 110.0)
    engine.handle(CallEnded("c2"), 130.0)
    engine.handle(AgentLoggedOut("a"), 150.0)
    assert engine.queues["q"].handling_s == pytest.approx(70.0), "leaving ends the work, too"


def test_the_mean_forgets_slowly() -> None:
    site = Site([QueueSpec("q")], _agents(1, "q"))
    queue = site.engine.queues["q"]
    call_id = next(iter(site.engine.calls))
    site.engine.handle(CallEnded(call_id), site.now)
    for _ in range(2000):
        site.handle_one("q", 30.0)
    assert queue.handling_s == pytest.approx(30.0, abs=1.0)


def test_agents_with_another_queue_are_shared_by_who_goes_first() -> None:
    """10 s, all in one total order: 2 calls of r before ours; 2 agents each and 2 for both."""
    site = Site(
        [QueueSpec("q"), QueueSpec("r")], [*_agents(2, "q"), *_agents(2, "r", first=2), *_agents(2, "q", "r", first=4)]
    )
    site.engine.queues["r"].handling_s = site.engine.queues["q"].handling_s = 60.0
    for _ in range(6):
        site.waiting("r")
    for _ in range(5):
        call = site.waiting("q")
    # 11 calls on 6 agents: the r ones need more than their own two agents.
    assert site.estimate(call) == pytest.approx((11 - _THIRD) / 6 * 60.0)
    # A first call of q, after few of r: r's own agents are done with theirs in time, so all four of q serve q.
    other = Site(
        [QueueSpec("q"), QueueSpec("r")], [*_agents(2, "q"), *_agents(2, "r", first=2), *_agents(2, "q", "r", first=4)]
    )
    other.engine.queues["r"].handling_s = 60.0
    other.waiting("r")
    for _ in range(8):
        call = other.waiting("q")
    assert other.estimate(call) == pytest.approx((8 - _THIRD) / 4 * 60.0)


def test_agents_of_our_own_bound_what_others_can_take_from_us() -> None:
    site = Site([QueueSpec("q"), QueueSpec("r")], [*_agents(1, "q"), *_agents(3, "q", "r", first=1)])
    site.engine.queues["r"].handling_s = site.engine.queues["q"].handling_s = 60.0
    for _ in range(50):
        site.waiting("r")
    call = site.waiting("q")
    assert site.estimate(call) == pytest.approx((1 - _THIRD) * 60.0), "the one agent who does nothing else"


def test_longer_calls_of_another_queue_weigh_more() -> None:
    site = Site([QueueSpec("q"), QueueSpec("r")], _agents(2, "q", "r"))
    site.engine.queues["r"].handling_s, site.engine.queues["q"].handling_s = 120.0, 60.0
    site.waiting("r")
    call = site.waiting("q")
    assert site.estimate(call) == pytest.approx((3 - _THIRD) / 2 * 60.0)


def test_only_those_count_who_can_do_what_is_asked_for() -> None:
    """Two agents speak English; other calls of the queue may be given to anyone."""
    english = [AgentSpec(f"e{number}", queues={"q": 0}, skills={"english": 5}) for number in range(2)]
    site = Site([QueueSpec("q")], [*_agents(2, "q"), *english])
    for _ in range(4):
        site.waiting("q")
    call = site.waiting("q", requires=(("english", 1),))
    # 5 calls, 4 of which all four agents may take: 5 / 4 rounds.
    assert site.estimate(call) == pytest.approx((5 - _THIRD) / 4 * 60.0)
    impossible = site.waiting("q", requires=(("chinese", 1),))
    assert site.estimate(impossible) is None


def test_callers_who_hang_up_shorten_the_queue() -> None:
    site = Site([QueueSpec("q")], _agents(2, "q"))
    queue = site.engine.queues["q"]
    queue.hang_ups, queue.waited_s = 12.0, 3600.0
    calls = [site.waiting("q") for _ in range(10)]
    rate = 12.0 / (3600.0 + 3600.0)
    expected = log1p(rate * (10 - _THIRD) * 30.0) / rate
    assert site.estimate(calls[-1]) == pytest.approx(expected)
    assert expected < (10 - _THIRD) * 30.0


def test_waits_and_hang_ups_are_noted() -> None:
    site = Site([QueueSpec("q")], _agents(1, "q"))
    queue = site.engine.queues["q"]
    call = site.waiting("q")
    site.now += 40.0
    site.engine.handle(CallEnded(call.id), site.now)
    assert (queue.hang_ups, queue.waited_s) == (1.0, 40.0)
    call = site.waiting("q")
    site.now += 20.0
    talking = site.engine.agents["a0"].call
    assert talking is not None
    site.engine.handle(CallEnded(talking.id), site.now)
    site.engine.handle(OfferBridged(f"{call.id}.1", "a0"), site.now)
    assert queue.hang_ups == pytest.approx(1.0, abs=0.01)
    assert queue.waited_s == pytest.approx(60.0, abs=0.2)


def test_calls_to_come_that_will_go_first_take_their_share() -> None:
    site = Site([QueueSpec("q")], _agents(2, "q"))
    for _ in range(9):
        site.engine.queues["q"].arrivals.note(100, site.now)
    plain, important = site.waiting("q"), site.waiting("q", priority=100)
    # 9 in the last quarter of an hour or so: 0.01 a second, each 60 s of two agents: 30 % of their time (and the one
    # that waits has arrived as well).
    share = 10 / 900.0 * 60.0 / 2
    assert site.estimate(important) == pytest.approx((1 - _THIRD) * 30.0)
    assert site.estimate(plain) == pytest.approx((2 - _THIRD) * 30.0 / (1.0 - share))


def test_more_important_queues_take_their_share() -> None:
    vip = QueueSpec("vip", priority=PriorityRule(base=50))
    site = Site([QueueSpec("q"), vip], [*_agents(2, "q", "vip"), *_agents(1, "vip", first=2)])
    site.engine.queues["vip"].handling_s = site.engine.queues["q"].handling_s = 60.0
    site.waiting("vip")  # so that the demand is known
    for _ in range(8):
        site.engine.queues["vip"].arrivals.note(0, site.now)
    call = site.waiting("q")
    arrivals = site.engine.queues["vip"].arrivals.rate_above(-50, site.now)
    share = arrivals * 60.0 * (2 / 3) / 2
    # The waiting VIP goes first as well; the agent of the VIP queue alone relieves us of none of it in that time.
    assert site.estimate(call) == pytest.approx((2 - _THIRD) / 3 * 60.0 / (1.0 - share))


def test_nobody_overtakes_an_overdue_call() -> None:
    site = Site([QueueSpec("q", priority=PriorityRule(starvation_limit_s=30.0))], _agents(1, "q"))
    for _ in range(9):
        site.engine.queues["q"].arrivals.note(100, site.now)
    call = site.waiting("q")
    overtaken = site.estimate(call)
    site.now += 30.0
    assert overtaken is not None
    assert overtaken > 60.0
    assert site.estimate(call) == pytest.approx((1 - _THIRD) * 60.0)


def test_a_held_call_is_estimated_as_if_it_were_in_line() -> None:
    queue = QueueSpec("q", sticky=StickySpec(hold_s=60.0, wait_while_busy=True))
    site = Site([queue], _agents(2, "q"))
    site.engine.handle(CallQueued("held", "q", agent="a0"), site.now)
    assert site.engine.calls["held"].held_for is not None
    assert site.estimate(site.engine.calls["held"]) == pytest.approx((1 - _THIRD) * 30.0)


def test_the_next_call() -> None:
    site = Site([QueueSpec("q", requirement=Requirement())], _agents(2, "q"))
    queue = site.engine.queues["q"]
    assert next_call_wait_s(queue, site.now) == pytest.approx((1 - _THIRD) * 30.0)
    site.waiting("q")
    assert next_call_wait_s(queue, site.now) == pytest.approx((2 - _THIRD) * 30.0)
    free = Site([QueueSpec("q")], [*_agents(1, "q"), AgentSpec("late", queues={"q": 0}, start="logged-out")])
    free.engine.handle(CallEnded(next(iter(free.engine.calls))), free.now)
    assert next_call_wait_s(free.engine.queues["q"], free.now) == 0.0


def test_many_agents_are_not_counted_for_each_estimate() -> None:
    site = Site([QueueSpec("q")], _agents(300, "q"))
    first = site.waiting("q")
    assert site.estimate(first) == pytest.approx((1 - _THIRD) * 60.0 / 300)
    for number in range(100):
        site.engine.handle(AgentNotReady(f"a{number}", "tea"), site.now)
    site.now += 2.9
    assert site.estimate(first) == pytest.approx((1 - _THIRD) * 60.0 / 300), "counted 2.9 s ago"
    site.now += 0.2
    assert site.estimate(first) == pytest.approx((1 - _THIRD) * 60.0 / 200)


def test_arrivals_fade() -> None:
    arrivals = Arrivals()
    assert arrivals.rate_above(0, 0.0) == 0.0
    arrivals.note(5, 0.0)
    arrivals.note(5, 0.0)
    arrivals.note(9, 0.0)
    assert arrivals.rate_above(4, 0.0) == pytest.approx(3 / 900)
    assert arrivals.rate_above(5, 0.0) == pytest.approx(1 / 900)
    assert arrivals.rate_above(9, 0.0) == 0.0
    assert arrivals.rate_above(4, 900.0) == pytest.approx(3 / 900 * exp(-1))
    for priority in range(100):
        arrivals.note(priority, 901.0 + priority)
    assert len(arrivals._counts) == 16, "of the many priorities that look-ups may invent, the latest are kept"

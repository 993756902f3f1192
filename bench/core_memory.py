"""What one waiting call and one agent cost in memory, by ``tracemalloc``: the memory part of ``bench.core``.

Everything is counted that exists because of the agent or call: the configured ``AgentSpec`` with its queues and skills,
the engine's entity, its story, index entries, timers, names. Both are taken at their usual most: an agent who has taken
so many calls that the story is full (5 queues, 8 skills), a call in a queue without and with all that can be set for a
queue (relaxation, messages, overflow, last agent), when its first messages have been played.
"""

from __future__ import annotations

import gc
import random
import tracemalloc
from typing import NamedTuple

from acd.core.commands import Command, OfferCall
from acd.core.engine import Engine
from acd.core.events import AgentLoggedIn, CallEnded, CallQueued, OfferBridged, TalkEnded, TimePassed
from bench.core_load import START_S
from bench.core_site import Shape, generate

__all__ = ["Memory", "measure_memory"]

AGENTS = 2000
CALLS = 5000
TALKS_PER_AGENT = 8
"""Enough to fill every agent's story."""


class Memory(NamedTuple):
    """Bytes. ``agent_fresh``: logged in, no call yet. ``call_plain``: in a queue with nothing set but a strategy."""

    agent: float
    agent_fresh: float
    call: float
    call_plain: float


def measure_memory(agents: int = AGENTS, calls: int = CALLS) -> Memory:
    """Measure, in some seconds: allocation is slow while it is traced."""
    generate(Shape(10, 100, 8))  # whatever is made once for all sites is made now
    tracemalloc.start()
    try:
        fresh, used = _agents(agents)
        return Memory(used, fresh, _calls(calls, rich=True), _calls(calls, rich=False))
    finally:
        tracemalloc.stop()


def _traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _agents(agents: int) -> tuple[float, float]:
    base = _empty_engine_bytes()
    before = _traced()
    site = generate(Shape(agents, 100, 8))
    engine = Engine(site.routing, random.Random(1), START_S)
    for topic in site.all_topics():
        engine.handle(CallQueued("first", topic.queue, requires=topic.requires), START_S)
        engine.handle(CallEnded("first"), START_S)
    for agent in site.routing.agents:
        engine.handle(AgentLoggedIn(agent), START_S)
    fresh = _traced() - before - base
    rng = random.Random(1)
    now = START_S
    for number in range(agents * TALKS_PER_AGENT):
        topic = site.draw(rng)
        call = f"call-{number}"
        now += 1.0
        _bridge(engine, engine.handle(CallQueued(call, topic.queue, requires=topic.requires), now), now)
        engine.handle(TalkEnded(call), now + 0.5)
        engine.handle(CallEnded(call), now + 0.5)
    engine.world.ended.clear()  # recent calls are kept for explaining: 1000 of them, whatever the number of agents
    used = _traced() - before - base
    del site, engine
    return fresh / agents, used / agents


def _empty_engine_bytes() -> int:
    before = _traced()
    site = generate(Shape(1, 100, 8))
    engine = Engine(site.routing, random.Random(1), START_S)
    size = _traced() - before
    del site, engine
    return size


def _calls(calls: int, *, rich: bool) -> float:
    site = generate(Shape(100, 100, 8, rich=rich))
    engine = Engine(site.routing, random.Random(1), START_S)
    for agent in site.routing.agents:
        engine.handle(AgentLoggedIn(agent, ready=False), START_S)
    rng = random.Random(1)
    wanted = [site.draw(rng) for _ in range(calls)]
    for topic in site.all_topics():
        engine.handle(CallQueued("first", topic.queue, requires=topic.requires), START_S)
        engine.handle(CallEnded("first"), START_S)
    engine.world.ended.clear()
    before = _traced()
    for number, topic in enumerate(wanted):
        customer = f"customer-{number}" if rich else ""
        event = CallQueued(f"call-{number}", topic.queue, requires=topic.requires, customer=customer)
        engine.handle(event, START_S + number * 0.01)
    engine.handle(TimePassed(), START_S + calls * 0.01 + 60.0)
    engine.world.out = []
    size = _traced() - before
    del engine
    return size / calls


def _bridge(engine: Engine, commands: list[Command], now: float) -> None:
    for command in commands:
        if isinstance(command, OfferCall):
            _bridge(engine, engine.handle(OfferBridged(command.offer_id, command.agent_ids[0]), now), now)

"""Drives the engine at a steady load and times single events: the measuring part of ``bench.core``.

Two events are timed, each around one ``Engine.handle``, by the thread's processor time and by the wall clock (they
differ by what other processes of the machine take away in the middle of an event):

- ``agent_freed``: ``TalkEnded`` with no wrap-up. The agent is ready, and is offered the call that goes first or is
  indexed as idle.
- ``call_arrives``: ``CallQueued`` of a new caller, who is offered to the agent who goes first or waits in line.

Between them, untimed, offers are bridged, finished calls end, and the number of waiting calls is put right, so that
the load stays what the case says. Stories, which ``explain`` is made of, are always on: they cannot be turned off.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter, perf_counter_ns, thread_time_ns
from typing import NamedTuple

from acd.core.commands import Command, OfferCall
from acd.core.engine import Engine
from acd.core.events import (
    AgentLoggedIn,
    CallEnded,
    CallQueued,
    Event,
    OfferBridged,
    TalkEnded,
    TalkRestored,
    TimePassed,
)
from bench.core_site import Site, Topic

__all__ = ["Load", "Sample", "Timed", "measure"]

START_S = 100_000.0
WAITED_S = 600.0
"""Waiting calls have entered over so long a time before the measurement (seconds)."""
TALK_S = 300.0
"""Mean talk: the talks under way have begun over so long a time before (seconds)."""
STEP_S = 0.015
"""Between two events (seconds): 33 calls a second, what 10,000 agents with talks of 5 minutes take."""
IDLE_SHARE = 0.1
WARM_UP = 200
CUSTOMERS = 5000


class Sample(NamedTuple):
    """One event: processor and wall time (nanoseconds), and whether it led to an offer."""

    cpu_ns: int
    wall_ns: int
    matched: bool


@dataclass(slots=True)
class Timed:
    """The samples of one kind of event, as lists of microseconds."""

    samples: list[Sample] = field(default_factory=list)

    def cpu_us(self, *, matched: bool = False) -> list[float]:
        """Processor times: of all events or of those that led to an offer."""
        return [sample.cpu_ns / 1000 for sample in self.samples if sample.matched or not matched]

    def wall_us(self) -> list[float]:
        """Wall-clock times of all events."""
        return [sample.wall_ns / 1000 for sample in self.samples]


class Load:
    """An engine with a generated site under load. ``waiting`` calls wait, the busy agents talk."""

    def __init__(self, site: Site, waiting: int, seed: int = 7) -> None:
        self.site = site
        self.waiting = waiting
        self.rng = random.Random(seed)
        self.now = START_S
        self.engine = Engine(site.routing, random.Random(seed), self.now)
        self.talking: list[str] = []
        self._calls = 0

    def set_up(self) -> None:
        """Log everybody in, let the busy ones talk, and let the calls wait."""
        for topic in self.site.all_topics():  # every requirement of the site has been asked for before
            call_id = self._queue(topic)
            self._do(CallEnded(call_id))
        agents = list(self.site.routing.agents)
        for agent_id in agents:
            self._do(AgentLoggedIn(agent_id))
        for agent_id in self._busy(agents):
            self._calls += 1
            queue = next(iter(self.site.routing.agents[agent_id].queues))
            self._do(TalkRestored(f"call-{self._calls}", agent_id, queue, self.now - self.rng.random() * TALK_S))
            self.talking.append(f"call-{self._calls}")
        entries = sorted(self.now - self.rng.random() * WAITED_S for _ in range(self.waiting))
        for entered_at in entries:
            self._queue(self.site.draw(self.rng, calm=False), entered_at)

    def freed(self) -> Sample:
        """Free one agent."""
        place = self.rng.randrange(len(self.talking))
        self.talking[place], self.talking[-1] = self.talking[-1], self.talking[place]
        call_id = self.talking.pop()
        sample = self._time(TalkEnded(call_id))
        self._do(CallEnded(call_id))
        return sample

    def arrives(self) -> Sample:
        """Let one caller enter."""
        return self._time(self._next_call(self.site.draw(self.rng)))

    def settle(self) -> None:
        """Put the number of waiting and talking calls right, untimed."""
        engine = self.engine
        surplus = self.in_line() - self.waiting
        while surplus > 0:  # whoever came last gives up
            queue = max((queue for queue in engine.queues.values() if queue.waiting), key=lambda q: len(q.waiting))
            self._do(CallEnded(next(reversed(queue.waiting))))
            surplus -= 1
        while self.in_line() < self.waiting:  # some find an idle agent and do not wait
            self._queue(self.site.draw(self.rng, calm=False))
        while not self.talking:
            self._queue(self.site.draw(self.rng))

    def in_line(self) -> int:
        """How many calls wait."""
        return sum(len(queue.waiting) for queue in self.engine.queues.values())

    def _busy(self, agents: Sequence[str]) -> list[str]:
        """Who talks at the start: where calls wait, all but some of the calm agents; else nine in ten."""
        may_idle = [agent for agent in agents if not self.waiting or agent in self.site.calm_agents]
        idle = set(self.rng.sample(may_idle, max(1, round(IDLE_SHARE * len(may_idle)))))
        return [agent for agent in agents if agent not in idle]

    def _next_call(self, topic: Topic, entered_at: float | None = None) -> CallQueued:
        self._calls += 1
        customer = f"customer-{self.rng.randrange(CUSTOMERS)}" if self.site.shape.rich else ""
        return CallQueued(
            f"call-{self._calls}", topic.queue, requires=topic.requires, entered_at=entered_at, customer=customer
        )

    def _queue(self, topic: Topic, entered_at: float | None = None) -> str:
        event = self._next_call(topic, entered_at)
        self._bridge(self._do(event))
        return event.call_id

    def _bridge(self, commands: Sequence[Command]) -> bool:
        """Connect every offer with the first of its agents."""
        offers = [command for command in commands if isinstance(command, OfferCall)]
        for offer in offers:
            self.talking.append(offer.call_id)
            self._bridge(self._do(OfferBridged(offer.offer_id, offer.agent_ids[0])))
        return bool(offers)

    def _do(self, event: Event) -> list[Command]:
        return self.engine.handle(event, self.now)

    def _time(self, event: Event) -> Sample:
        self.now += STEP_S
        # Deadlines have their own timer in the service: they come before, as events of their own.
        deadline = self.engine.next_deadline()
        if deadline is not None and deadline <= self.now:
            self._bridge(self._do(TimePassed()))
        handle, now = self.engine.handle, self.now
        cpu_ns = thread_time_ns()
        wall_ns = perf_counter_ns()
        commands = handle(event, now)
        wall_ns = perf_counter_ns() - wall_ns
        cpu_ns = thread_time_ns() - cpu_ns
        return Sample(cpu_ns, wall_ns, self._bridge(commands))


def measure(site: Site, waiting: int, samples: int, limit_s: float) -> dict[str, Timed]:
    """Time ``samples`` events of each kind on the site with so many calls waiting, or as many as ``limit_s`` allows.

    The garbage collector stays on, as in the service; what the set-up made is taken out of its sight (``gc.freeze``),
    as the service does once it has started: else each full collection walks all agents and calls.
    """
    load = Load(site, waiting)
    load.set_up()
    times = {"agent_freed": Timed(), "call_arrives": Timed()}
    gc.collect()
    gc.freeze()
    try:
        until = perf_counter() + limit_s
        for number in range(-WARM_UP, samples):
            if perf_counter() > until and number > 0:
                break
            load.settle()
            freed = load.freed()
            arrived = load.arrives()
            if number >= 0:
                times["agent_freed"].samples.append(freed)
                times["call_arrives"].samples.append(arrived)
    finally:
        gc.unfreeze()
    return times

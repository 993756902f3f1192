"""The same work for the peers: one load, driven through a small interface that each peer implements.

The peers know nothing of skills, so they get what their users do instead: a queue for each thing that can be asked for
(queue, skill and level, language), with those agents as members who may take its calls. The matching problem is then
the very same as the engine's, with the eligibility worked out beforehand, to the peers' advantage.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter, perf_counter_ns, thread_time_ns
from typing import Protocol

from bench.core_load import IDLE_SHARE, START_S, STEP_S, WAITED_S, Sample, Timed
from bench.core_site import Site, Topic

__all__ = ["Centre", "Match", "PeerQueue", "PeerResult", "measure_peer", "peer_queues"]

Match = tuple[str, str]
"""(agent, call)."""


@dataclass(frozen=True, slots=True)
class PeerQueue:
    """One queue of a peer. ``members``: agents in the order in which the configuration lists them."""

    name: str
    members: tuple[str, ...]
    topic: Topic


class Centre(Protocol):
    """A peer's way to distribute calls. Times ``now`` are seconds; ``free`` and ``arrive`` are what is measured."""

    name: str

    def wait(self, call: str, queue: PeerQueue, entered_at: float) -> None:
        """Let the call wait, as set-up does it: nobody is free for it."""

    def occupy(self, agent: str, queue: PeerQueue, now: float) -> None:
        """The agent is in a talk with a call of the queue."""

    def free(self, agent: str, queue: PeerQueue, now: float, deadline: float) -> Match | None:
        """The agent's talk has ended: find the next call. Raises TimeoutError after ``deadline`` (perf_counter)."""

    def arrive(self, call: str, queue: PeerQueue, now: float, deadline: float) -> Match | None:
        """A caller enters: find an agent. Raises TimeoutError once ``deadline`` (perf_counter) is past."""

    def connect(self, match: Match, now: float) -> None:
        """The offer was answered: the two talk. Not measured."""

    def give_up(self, call: str) -> None:
        """The waiting caller hangs up. Not measured."""


@dataclass(slots=True)
class PeerResult:
    """What was measured of one kind of event. ``at_least``: some were cut off, so the times are lower bounds."""

    timed: Timed
    at_least: bool = False


def peer_queues(site: Site) -> list[PeerQueue]:
    """Return the site's queues as a peer has them, one for each thing that can be asked for."""
    found = []
    for number, topic in enumerate(site.all_topics()):
        members = tuple(
            agent.id
            for agent in site.routing.agents.values()
            if topic.queue in agent.queues and topic.requirement.met_by(agent.skills, agent.groups)
        )
        found.append(PeerQueue(f"{topic.queue}-{number}", members, topic))
    return found


class PeerLoad:
    """A peer under the load of ``bench.core_load.Load``."""

    def __init__(self, centre: Centre, site: Site, queues: Sequence[PeerQueue], waiting: int, seed: int = 7) -> None:
        self.centre = centre
        self.waiting = waiting
        self.now = START_S
        self._rng = random.Random(seed)
        self._queues = queues
        self._busy_queues = [queue for queue in queues if not queue.topic.calm]
        self._in_line: dict[str, PeerQueue] = {}
        self._talking: dict[str, PeerQueue] = {}
        self._free_next: list[str] = []
        self._calls = 0
        self._set_up(site)

    def _set_up(self, site: Site) -> None:
        agents = list(site.routing.agents)
        may_idle = [agent for agent in agents if not self.waiting or agent in site.calm_agents]
        idle = set(self._rng.sample(may_idle, max(1, round(IDLE_SHARE * len(may_idle)))))
        first: dict[str, PeerQueue] = {}
        for queue in self._queues:
            for agent in queue.members:
                first.setdefault(agent, queue)
        for agent, queue in first.items():
            if agent not in idle:
                self._occupied(agent, queue)
                self.centre.occupy(agent, queue, self.now)
        for entered_at in sorted(self.now - self._rng.random() * WAITED_S for _ in range(self.waiting)):
            self._line_up(entered_at)

    def _occupied(self, agent: str, queue: PeerQueue) -> None:
        self._talking[agent] = queue
        # Where calls wait, only agents whom one waits for are freed: a peer finds out "nobody" by asking for all.
        if not self.waiting or not queue.topic.calm:
            self._free_next.append(agent)

    def _line_up(self, entered_at: float) -> None:
        queue = self._rng.choice(self._busy_queues)
        self._calls += 1
        self._in_line[f"call-{self._calls}"] = queue
        self.centre.wait(f"call-{self._calls}", queue, entered_at)

    def freed(self, limit_s: float) -> tuple[Sample, bool]:
        """Free one agent; tell the times and whether it was cut off after ``limit_s``."""
        self.now += STEP_S
        place = self._rng.randrange(len(self._free_next))
        self._free_next[place], self._free_next[-1] = self._free_next[-1], self._free_next[place]
        agent = self._free_next.pop()
        queue = self._talking.pop(agent)
        return self._timed(lambda: self.centre.free(agent, queue, self.now, perf_counter() + limit_s))

    def arrives(self, limit_s: float) -> tuple[Sample, bool]:
        """Let one caller enter; tell the times and whether it was cut off after ``limit_s``."""
        self.now += STEP_S
        queue = self._rng.choice(self._queues)
        self._calls += 1
        call = f"call-{self._calls}"
        self._in_line[call] = queue
        return self._timed(lambda: self.centre.arrive(call, queue, self.now, perf_counter() + limit_s))

    def settle(self) -> None:
        """Put the number of waiting calls right, untimed."""
        while len(self._in_line) > self.waiting:
            call = next(reversed(self._in_line))
            del self._in_line[call]
            self.centre.give_up(call)
        while len(self._in_line) < self.waiting:
            self._line_up(self.now)

    @property
    def has_talks(self) -> bool:
        """Whether there is anyone to be freed."""
        return bool(self._free_next)

    def _timed(self, event: _Event) -> tuple[Sample, bool]:
        match: Match | None = None
        cut = False
        cpu_ns, wall_ns = thread_time_ns(), perf_counter_ns()
        try:
            match = event()
        except TimeoutError:
            cut = True
        wall_ns = perf_counter_ns() - wall_ns
        cpu_ns = thread_time_ns() - cpu_ns
        if match is not None:
            agent, call = match
            self._occupied(agent, self._in_line.pop(call))
            self.centre.connect(match, self.now)
        return Sample(cpu_ns, wall_ns, match is not None), cut


class _Event(Protocol):
    def __call__(self) -> Match | None: ...


def measure_peer(load: PeerLoad, samples: int, limit_s: float) -> dict[str, PeerResult]:
    """Time up to ``samples`` events of each kind, for at most ``limit_s`` seconds each kind (at least one)."""
    results = {"agent_freed": PeerResult(Timed()), "call_arrives": PeerResult(Timed())}
    spent = dict.fromkeys(results, 0.0)
    for _ in range(samples):
        for kind, event in (("agent_freed", load.freed), ("call_arrives", load.arrives)):
            load.settle()
            left_s = limit_s - spent[kind]
            if left_s <= 0 or (kind == "agent_freed" and not load.has_talks):
                continue
            sample, cut = event(left_s)
            spent[kind] += sample.wall_ns / 1e9
            results[kind].timed.samples.append(sample)
            results[kind].at_least |= cut
    return results

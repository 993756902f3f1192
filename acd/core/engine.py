"""The engine: events in, commands out.

Deterministic: the same events at the same times, with a generator of the same seed, give the same commands, byte for
byte. It does no I/O and knows no clock: whoever owns it calls ``handle`` with each event and again with ``TimePassed``
when ``next_deadline`` has come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from acd.core.agent_desk import AgentDesk
from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.commands import Command, FaultFound
from acd.core.events import Event
from acd.core.explain import Explanation, explain_agent, explain_call
from acd.core.handlers import Handlers
from acd.core.invariants import check
from acd.core.matching import Matching
from acd.core.offering import Offering
from acd.core.offers import Offer
from acd.core.queues import Queue
from acd.core.reconcile import reconcile
from acd.core.reconfigure import Reconfiguration
from acd.core.snapshot import Snapshot, take_snapshot
from acd.core.specs import RoutingSpec
from acd.core.transitions import IllegalTransition
from acd.core.waiting_room import WaitingRoom
from acd.core.world import World
from routing.strategies import STRATEGIES, Strategy

if TYPE_CHECKING:
    from routing.idle_orders import Uniform

__all__ = ["Engine"]

_FAULTS_AT_ONCE = 100
"""Making one entity safe may bring another one's fault to light; so many in a row are taken."""


class Engine:
    """The decisions of one site.

    ``routing``: the checked configuration. ``rng``: the only source of chance (``random.Random`` will do). ``now``:
    seconds on the caller's monotonic clock; must never go backwards from call to call. ``strict``: raise on a fault of
    the program and check all invariants after each event (for tests); otherwise a fault is reported as a command, the
    entity is reconciled, and the other calls go on.
    """

    def __init__(
        self,
        routing: RoutingSpec,
        rng: Uniform,
        now: float,
        *,
        strategies: Mapping[str, type[Strategy]] = STRATEGIES,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self.world = World(routing, rng, strategies)
        self._matching = Matching(self.world)
        self._room = WaitingRoom(self.world, self._matching)
        self._desk = AgentDesk(self.world, self._matching, self._room)
        self._offering = Offering(self.world, self._matching, self._room, self._desk)
        self._reconfiguration = Reconfiguration(self.world, self._matching, self._room, self._desk, self._offering)
        self._handlers = Handlers(
            self.world, self._matching, self._room, self._desk, self._offering, self._reconfiguration
        ).by_event
        for queue in routing.queues.values():
            self.world.add_queue(queue)
        for agent in routing.agents.values():
            self.world.add_agent(agent, now)

    @property
    def calls(self) -> Mapping[str, Call]:
        """Live calls by id."""
        return self.world.calls

    @property
    def agents(self) -> Mapping[str, Agent]:
        """Agents by id."""
        return self.world.agents

    @property
    def queues(self) -> Mapping[str, Queue]:
        """Queues by id."""
        return self.world.queues

    @property
    def offers(self) -> Mapping[str, Offer]:
        """Offers under way by id."""
        return self.world.offers

    @property
    def last_agents(self) -> Mapping[str, str]:
        """Customers and the agents who talked to them last, the longest ago first."""
        return self.world.last_agent

    @property
    def suspended(self) -> str:
        """Why no offers are made; empty when they are."""
        return self.world.suspended

    @property
    def stale_events(self) -> int:
        """How many inputs came too late to matter."""
        return self.world.stale_events

    @property
    def inputs(self) -> int:
        """How many events have been handled: the number that the next commands' ``cause`` continues from."""
        return self.world.cause

    def handle(self, event: Event, now: float) -> list[Command]:
        """Take one event and return what is to be done. Deadlines that are due come first."""
        world = self.world
        world.cause += 1
        world.out = []
        timers = world.timers
        timer = timers.pop_due(now)
        while timer is not None:
            try:
                timer.action(timer.subject, now)
            except IllegalTransition as fault:
                self._fault(fault, now)
            timer = timers.pop_due(now)
        try:
            self._handlers[type(event)](event, now)
        except IllegalTransition as fault:
            self._fault(fault, now)
        if self._reconfiguration.retired_queues:
            self._reconfiguration.drop_empty_queues()
        if self._strict:
            check(world, now)
        return world.out

    def next_deadline(self) -> float | None:
        """When ``handle(TimePassed(), …)`` must be called at the latest, if nothing happens before; None: never."""
        return self.world.timers.next_at()

    def snapshot(self, now: float) -> Snapshot:
        """Return a frozen view for pages and metrics."""
        return take_snapshot(self.world, now)

    def explain_call(self, call_id: str, now: float) -> Explanation | None:
        """Why a live or recent call went where it went; None when it is not known (any more)."""
        return explain_call(self.world, call_id, now)

    def explain_agent(self, agent_id: str, now: float) -> Explanation | None:
        """Why this agent has no call now; None when nobody has this id."""
        return explain_agent(self.world, agent_id, now)

    def story(self, call_or_agent: str) -> tuple[str, ...]:
        """Return what happened to a live call or an agent, oldest first. Raises KeyError when there is none."""
        entity = self.world.calls.get(call_or_agent) or self.world.agents[call_or_agent]
        return entity.story.lines()

    def _fault(self, fault: IllegalTransition, now: float) -> None:
        if self._strict:
            raise fault
        for _ in range(_FAULTS_AT_ONCE):
            self.world.faults += 1
            self.world.out.append(FaultFound(self.world.cause, fault.entity, str(fault), fault.story))
            try:
                reconcile(self.world, self._matching, self._offering, self._desk, fault.entity, now)
            except IllegalTransition as another:
                fault = another
            else:
                return
        raise fault

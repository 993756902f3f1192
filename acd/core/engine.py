"""The engine: events in, commands out.

Deterministic: the same events at the same times, with a generator of the same seed, give the same commands, byte for
byte. It does no I/O and knows no clock: whoever owns it calls ``handle`` with each event and again with ``TimePassed``
when ``next_deadline`` has come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from acd.core.agent_desk import AgentDesk
from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.commands import Command, FaultFound, Overflow
from acd.core.estimates import note_wait
from acd.core.events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentNotReady,
    AgentReady,
    CallArrived,
    CallEnded,
    CallerIdentified,
    CallLeftQueue,
    CallQueued,
    ConfigurationChanged,
    CountsReset,
    DeviceChanged,
    Event,
    HoursChanged,
    LastAgentsRestored,
    LegAnswered,
    LegFailed,
    MenuStepped,
    OfferBridged,
    OfferEnded,
    OffersResumed,
    OffersSuspended,
    TalkEnded,
    TalkRestored,
    TimePassed,
    WrapUpDone,
    WrapUpExtended,
)
from acd.core.explain import Explanation, explain_agent, explain_call
from acd.core.invariants import check
from acd.core.matching import Matching
from acd.core.offering import Offering
from acd.core.offers import Offer
from acd.core.queues import Queue
from acd.core.reconcile import reconcile
from acd.core.reconfigure import Reconfiguration
from acd.core.snapshot import Snapshot, take_snapshot
from acd.core.specs import OverflowAction, OverflowActionKind, RoutingSpec
from acd.core.transitions import AgentState, CallState, IllegalTransition
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
        self._handlers: dict[type, Callable[[Any, float], None]] = {
            CallArrived: self._call_arrived,
            CallerIdentified: self._caller_identified,
            MenuStepped: self._menu_stepped,
            CallQueued: self._call_queued,
            CallLeftQueue: self._call_left_queue,
            CallEnded: self._call_ended,
            LegAnswered: self._leg_answered,
            LegFailed: self._leg_failed,
            OfferBridged: self._offer_bridged,
            OfferEnded: self._offer_ended,
            TalkEnded: self._talk_ended,
            TalkRestored: self._talk_restored,
            AgentLoggedIn: self._agent_logged_in,
            AgentLoggedOut: self._agent_logged_out,
            AgentReady: self._agent_ready,
            AgentNotReady: self._agent_not_ready,
            WrapUpDone: self._wrap_up_done,
            WrapUpExtended: self._wrap_up_extended,
            DeviceChanged: self._device_changed,
            OffersSuspended: self._offers_suspended,
            OffersResumed: self._offers_resumed,
            HoursChanged: self._hours_changed,
            CountsReset: self._counts_reset,
            LastAgentsRestored: self._last_agents_restored,
            ConfigurationChanged: self._configuration_changed,
            TimePassed: self._time_passed,
        }
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

    # Calls.

    def _call_arrived(self, event: CallArrived, now: float) -> None:
        world = self.world
        if event.call_id in world.calls:
            world.stale_events += 1
            return
        world.calls_seen += 1
        call = Call(event.call_id, world.calls_seen, event.caller, event.dialled, now)
        before = world.ended.pop(call.id, None)
        if before is not None:  # a callback's next attempt, a caller on a new line: one story
            call.story, call.path = before.story, before.path
        again = "arrived" if before is None else "begins again"
        call.story.tell(now, world.cause, "taken over" if event.resumed else again, event.dialled)
        world.calls[call.id] = call

    def _caller_identified(self, event: CallerIdentified, now: float) -> None:
        call = self.world.calls.get(event.call_id)
        if call is None:
            self.world.stale_events += 1
        elif event.source:
            call.story.tell(now, self.world.cause, "identified", f"customer {event.customer}, known by {event.source}")
        else:
            failure = f"; the look-up: {event.failure}" if event.failure else ""
            call.story.tell(now, self.world.cause, "identified", f"not known{failure}")

    def _menu_stepped(self, event: MenuStepped, now: float) -> None:
        # The last step may come behind the end: that the caller was gone, or what became of a message.
        call = self.world.calls.get(event.call_id) or self.world.ended.get(event.call_id)
        if call is None:
            self.world.stale_events += 1
        else:
            call.step_in_menus(event, now, self.world.cause)

    def _call_queued(self, event: CallQueued, now: float) -> None:
        world = self.world
        if event.call_id not in world.calls:
            self._call_arrived(CallArrived(event.call_id), now)
        call = world.calls[event.call_id]
        if call.state is not CallState.MENU:
            world.stale_events += 1
            return
        queue = world.queues.get(event.queue)
        if queue is None:
            action = OverflowAction(OverflowActionKind.CLOSING, "")
            call.story.tell(now, world.cause, "no such queue", event.queue)
            world.out.append(Overflow(world.cause, call.id, action, f"no queue {event.queue}"))
            return
        self._room.enter(call, queue, event, now)

    def _call_left_queue(self, event: CallLeftQueue, now: float) -> None:
        call = self._live_call(event.call_id, CallState.WAITING, CallState.OFFERED)
        if call is None:
            return
        if call.offer is not None:
            self._offering.cancel(call.offer, event.reason or "the caller left the queue", now)
        if call.queue is not None:
            note_wait(call.queue, now - call.entered_at, hung_up=False)
        self._room.leave(call)
        call.change(CallState.MENU, now, self.world.cause, event.reason)

    def _call_ended(self, event: CallEnded, now: float) -> None:
        call = self._live_call(event.call_id)
        if call is not None:
            self._offering.call_gone(call, now)

    # Offers and talks.

    def _leg_answered(self, event: LegAnswered, now: float) -> None:
        offer, agent = self._live_offer(event.offer_id, event.agent_id)
        if offer is not None and agent is not None:
            self._offering.answered(offer, agent, now)

    def _leg_failed(self, event: LegFailed, now: float) -> None:
        offer, agent = self._live_offer(event.offer_id, event.agent_id)
        if offer is not None and agent is not None:
            self._offering.leg_failed(offer, agent, event.reason, now)

    def _offer_bridged(self, event: OfferBridged, now: float) -> None:
        offer, agent = self._live_offer(event.offer_id, event.agent_id)
        if offer is not None and agent is not None:
            self._offering.bridged(offer, agent, now)

    def _offer_ended(self, event: OfferEnded, now: float) -> None:
        offer = self.world.offers.get(event.offer_id)
        if offer is None:
            self.world.stale_events += 1
            return
        self._offering.ended(offer, event.reason, now)

    def _talk_ended(self, event: TalkEnded, now: float) -> None:
        call = self._live_call(event.call_id, CallState.TALKING)
        if call is not None:
            self._offering.talk_ended(call, now)

    def _talk_restored(self, event: TalkRestored, now: float) -> None:
        world = self.world
        agent = self._known_agent(event.agent_id)
        if agent is None:
            return
        if agent.state is AgentState.TALKING:
            world.stale_events += 1
            return
        if event.call_id not in world.calls:
            self._call_arrived(CallArrived(event.call_id), now)
        call = world.calls[event.call_id]
        if call.state is CallState.TALKING:
            world.stale_events += 1
            return
        if call.offer is not None and agent.offer is call.offer:
            self._offering.bridged(call.offer, agent, now)  # that very offer was answered: we were not told
        else:
            self._offering.found_talking(call, agent, world.queues.get(event.queue), now)
        call.talking_since = agent.since = agent.working_since = min(event.talking_since, now)

    # Agents.

    def _agent_logged_in(self, event: AgentLoggedIn, now: float) -> None:
        agent = self._known_agent(event.agent_id)
        if agent is not None:
            self._desk.log_in(agent, now, ready=event.ready, reason=event.reason)

    def _agent_logged_out(self, event: AgentLoggedOut, now: float) -> None:
        agent = self._known_agent(event.agent_id)
        if agent is None:
            return
        if agent.offer is not None:
            self._offering.give_back(agent, AgentState.LOGGED_OUT, "", "the agent logged out", now)
        else:
            self._desk.log_out(agent, now)

    def _agent_ready(self, event: AgentReady, now: float) -> None:
        agent = self._known_agent(event.agent_id)
        if agent is not None:
            self._desk.ready(agent, now)

    def _agent_not_ready(self, event: AgentNotReady, now: float) -> None:
        agent = self._known_agent(event.agent_id)
        if agent is None:
            return
        if agent.offer is not None:
            self._offering.give_back(agent, AgentState.NOT_READY, event.reason, "the agent went not ready", now)
        else:
            self._desk.not_ready(agent, event.reason, now)

    def _wrap_up_done(self, event: WrapUpDone, now: float) -> None:
        agent = self._known_agent(event.agent_id)
        if agent is not None:
            self._desk.wrap_up_done(agent, now)

    def _wrap_up_extended(self, event: WrapUpExtended, now: float) -> None:
        agent = self._known_agent(event.agent_id)
        if agent is not None:
            self._desk.extend_wrap_up(agent, now)

    def _device_changed(self, event: DeviceChanged, now: float) -> None:
        agent = self._known_agent(event.agent_id)
        if agent is not None:
            self._desk.device_changed(agent, event.state, now)

    # The site.

    def _offers_suspended(self, event: OffersSuspended, now: float) -> None:  # noqa: ARG002
        self.world.suspended = event.reason or "suspended"

    def _offers_resumed(self, event: OffersResumed, now: float) -> None:  # noqa: ARG002
        if self.world.suspended:
            self.world.suspended = ""
            self._matching.place_all(now)

    def _hours_changed(self, event: HoursChanged, now: float) -> None:
        queue = self.world.queues.get(event.queue)
        if queue is None:
            return
        queue.hours_why = event.why
        if queue.is_open is not event.is_open:
            queue.is_open = event.is_open
            self._room.recheck(queue, now)

    def _counts_reset(self, event: CountsReset, now: float) -> None:  # noqa: ARG002
        for agent in self.world.agents.values():
            agent.reset_counts()
            self.world.rebuild_demands(agent)  # keys in the indexes were made of the old counts

    def _last_agents_restored(self, event: LastAgentsRestored, now: float) -> None:  # noqa: ARG002
        for customer, agent_id in event.agents:
            self.world.remember_agent(customer, agent_id)

    def _configuration_changed(self, event: ConfigurationChanged, now: float) -> None:
        self._reconfiguration.take(event.routing, now)

    def _time_passed(self, event: TimePassed, now: float) -> None:
        """Deadlines have been acted on already."""

    # Look-ups that forgive what comes late.

    def _live_call(self, call_id: str, *states: CallState) -> Call | None:
        call = self.world.calls.get(call_id)
        if call is None or (states and call.state not in states):
            self.world.stale_events += 1
            return None
        return call

    def _live_offer(self, offer_id: str, agent_id: str) -> tuple[Offer | None, Agent | None]:
        offer = self.world.offers.get(offer_id)
        agent = offer.legs.get(agent_id) if offer is not None else None
        if offer is None or agent is None:
            self.world.stale_events += 1
        return offer, agent

    def _known_agent(self, agent_id: str) -> Agent | None:
        agent = self.world.agents.get(agent_id)
        if agent is None:
            self.world.stale_events += 1
        return agent

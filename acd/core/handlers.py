"""What each event does: one handler for each, which finds whom it is about and lets the part whose subject it is act.

Events come from a world that runs beside the engine, so one about a call, an offer or an agent that is no longer there,
or is elsewhere by now, is counted as stale and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from acd.core.agent_desk import AgentDesk
from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.commands import Overflow
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
from acd.core.matching import Matching
from acd.core.offering import Offering
from acd.core.offers import Offer
from acd.core.reconfigure import Reconfiguration
from acd.core.specs import OverflowAction, OverflowActionKind
from acd.core.transitions import AgentState, CallState
from acd.core.waiting_room import WaitingRoom
from acd.core.world import World

__all__ = ["Handlers"]


class Handlers:
    """See the module. ``by_event``: the handler of each type of event, which takes it with the time."""

    def __init__(
        self,
        world: World,
        matching: Matching,
        room: WaitingRoom,
        desk: AgentDesk,
        offering: Offering,
        reconfiguration: Reconfiguration,
    ) -> None:
        self._world = world
        self._matching = matching
        self._room = room
        self._desk = desk
        self._offering = offering
        self._reconfiguration = reconfiguration
        self.by_event: Mapping[type, Callable[[Any, float], None]] = {
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

    # Calls.

    def _call_arrived(self, event: CallArrived, now: float) -> None:
        world = self._world
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
        call = self._world.calls.get(event.call_id)
        if call is None:
            self._world.stale_events += 1
        elif event.source:
            call.story.tell(now, self._world.cause, "identified", f"customer {event.customer}, known by {event.source}")
        else:
            failure = f"; the look-up: {event.failure}" if event.failure else ""
            call.story.tell(now, self._world.cause, "identified", f"not known{failure}")

    def _menu_stepped(self, event: MenuStepped, now: float) -> None:
        # The last step may come behind the end: that the caller was gone, or what became of a message.
        call = self._world.calls.get(event.call_id) or self._world.ended.get(event.call_id)
        if call is None:
            self._world.stale_events += 1
        else:
            call.step_in_menus(event, now, self._world.cause)

    def _call_queued(self, event: CallQueued, now: float) -> None:
        world = self._world
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
        call.change(CallState.MENU, now, self._world.cause, event.reason)

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
        offer = self._world.offers.get(event.offer_id)
        if offer is None:
            self._world.stale_events += 1
            return
        self._offering.ended(offer, event.reason, now)

    def _talk_ended(self, event: TalkEnded, now: float) -> None:
        call = self._live_call(event.call_id, CallState.TALKING)
        if call is not None:
            self._offering.talk_ended(call, now)

    def _talk_restored(self, event: TalkRestored, now: float) -> None:
        world = self._world
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
        self._world.suspended = event.reason or "suspended"

    def _offers_resumed(self, event: OffersResumed, now: float) -> None:  # noqa: ARG002
        if self._world.suspended:
            self._world.suspended = ""
            self._matching.place_all(now)

    def _hours_changed(self, event: HoursChanged, now: float) -> None:
        queue = self._world.queues.get(event.queue)
        if queue is None:
            return
        queue.hours_why = event.why
        if queue.is_open is not event.is_open:
            queue.is_open = event.is_open
            self._room.recheck(queue, now)

    def _counts_reset(self, event: CountsReset, now: float) -> None:  # noqa: ARG002
        for agent in self._world.agents.values():
            agent.reset_counts()
            self._world.rebuild_demands(agent)  # keys in the indexes were made of the old counts

    def _last_agents_restored(self, event: LastAgentsRestored, now: float) -> None:  # noqa: ARG002
        for customer, agent_id in event.agents:
            self._world.remember_agent(customer, agent_id)

    def _configuration_changed(self, event: ConfigurationChanged, now: float) -> None:
        self._reconfiguration.take(event.routing, now)

    def _time_passed(self, event: TimePassed, now: float) -> None:
        """Deadlines have been acted on already."""

    # Look-ups that forgive what comes late.

    def _live_call(self, call_id: str, *states: CallState) -> Call | None:
        call = self._world.calls.get(call_id)
        if call is None or (states and call.state not in states):
            self._world.stale_events += 1
            return None
        return call

    def _live_offer(self, offer_id: str, agent_id: str) -> tuple[Offer | None, Agent | None]:
        offer = self._world.offers.get(offer_id)
        agent = offer.legs.get(agent_id) if offer is not None else None
        if offer is None or agent is None:
            self._world.stale_events += 1
        return offer, agent

    def _known_agent(self, agent_id: str) -> Agent | None:
        agent = self._world.agents.get(agent_id)
        if agent is None:
            self._world.stale_events += 1
        return agent

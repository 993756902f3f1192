"""What becomes of an offer: answered, connected, refused, taken back; and of the talk that follows."""

from __future__ import annotations

from acd.core.agent_desk import AgentDesk
from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.commands import CancelLeg, CancelOffer
from acd.core.estimates import note_wait
from acd.core.events import LegFailure
from acd.core.matching import Matching
from acd.core.offers import Offer
from acd.core.queues import Queue
from acd.core.transitions import AgentState, CallState
from acd.core.waiting_room import WaitingRoom
from acd.core.world import World

__all__ = ["Offering"]

_FAIR_RING_S = 5.0
"""Rung for less than this (a late joiner), a missed ring is not held against the agent (seconds)."""


class Offering:
    """Offers and talks of one world."""

    __slots__ = ("_desk", "_matching", "_room", "_world")

    def __init__(self, world: World, matching: Matching, room: WaitingRoom, desk: AgentDesk) -> None:
        self._world = world
        self._matching = matching
        self._room = room
        self._desk = desk

    def answered(self, offer: Offer, agent: Agent, now: float) -> None:
        """A phone was picked up: the winner, if nobody was before. The others stay reserved until connected."""
        if offer.winner is not None or agent.id not in offer.legs:
            self._world.stale_events += 1
            return
        offer.winner = agent
        offer.hungry = False
        self._matching.note_joinable(offer, now)
        self._world.timers.cancel(offer.step_timer)
        offer.call.story.tell(now, self._world.cause, "answered by", agent.id)

    def bridged(self, offer: Offer, agent: Agent, now: float) -> None:
        """Caller and agent are connected: the offer is over, the others are free for their next call at once."""
        if agent.id not in offer.legs:
            self._world.stale_events += 1
            return
        call = offer.call
        losers = [leg for leg in offer.legs.values() if leg is not agent]
        self._close(offer)
        self._room.leave(call)
        if call.queue is not None:
            note_wait(call.queue, now - call.entered_at, hung_up=False)
        call.agent = agent
        agent.worked_for = call.queue
        call.talking_since = now
        call.answered_at = call.answered_at if call.answered_at is not None else now
        call.change(CallState.TALKING, now, self._world.cause, agent.id)
        agent.offer = None
        agent.call = call
        agent.pending = agent.pending if agent.pending and agent.pending[0] is not AgentState.READY else None
        self._world.change_agent(agent, AgentState.TALKING, now, call.id)
        self._world.remember_agent(call.customer, agent.id)
        for loser in losers:
            self._desk.offer_failed(loser, LegFailure.CANCELLED, now)

    def leg_failed(self, offer: Offer, agent: Agent, failure: LegFailure, now: float) -> None:
        """One phone is out. The last one out puts the call back to its place and on to the next agent at once."""
        if agent.id not in offer.legs:
            self._world.stale_events += 1
            return
        del offer.legs[agent.id]
        offer.call.story.tell(now, self._world.cause, f"offer to {agent.id} failed", failure)
        if offer.winner is agent:
            offer.winner = None
        if offer.legs:
            self._matching.note_joinable(offer, now)
            self._fail_agent(agent, failure, now)
            self._matching.ring_more(offer, now)
        else:
            self._return_call(offer, {agent: failure}, now)

    def ended(self, offer: Offer, failure: LegFailure, now: float) -> None:
        """The dialling is over and nobody was connected."""
        offer.call.story.tell(now, self._world.cause, "offer ended", failure)
        failures = {agent: LegFailure.DROPPED if agent is offer.winner else failure for agent in offer.legs.values()}
        offer.legs.clear()
        self._return_call(offer, failures, now)

    def cancel(self, offer: Offer, reason: str, now: float) -> None:
        """Take a ringing offer back: the agents are free at once, the call is the business of who asked for this."""
        agents = list(offer.legs.values())
        self._close(offer)
        self._world.out.append(CancelOffer(self._world.cause, offer.id, offer.call.id, reason))
        for agent in agents:
            self._desk.offer_failed(agent, LegFailure.CANCELLED, now)

    def abandon(self, offer: Offer, reason: str, now: float) -> None:
        """Take an offer back; its call goes on to other agents."""
        self._world.out.append(CancelOffer(self._world.cause, offer.id, offer.call.id, reason))
        agents = list(offer.legs.values())
        offer.legs.clear()
        self._return_call(offer, dict.fromkeys(agents, LegFailure.CANCELLED), now)

    def cancel_leg(self, agent: Agent, reason: str, now: float) -> None:
        """Stop ringing one agent, who wants something else now."""
        offer = agent.offer
        if offer is None:
            return
        self._world.out.append(CancelLeg(self._world.cause, offer.id, offer.call.id, agent.id, reason))
        self.leg_failed(offer, agent, LegFailure.CANCELLED, now)

    def give_back(self, agent: Agent, state: AgentState, reason: str, why: str, now: float) -> None:
        """Let a reserved agent go to ``state``: at once while the phone rings, after the call once it is picked up."""
        agent.pending = (state, reason)
        if agent.offer is not None and agent.offer.winner is agent:
            agent.story.tell(now, self._world.cause, "has picked up, after the call will be", state)
            self._room.release_held_by(agent, now)
        else:
            self.cancel_leg(agent, why, now)  # the pending state is taken when the leg fails

    def found_talking(self, call: Call, agent: Agent, queue: Queue | None, now: float) -> None:
        """Take note that the two are connected, whatever was believed of either."""
        world = self._world
        self._take_out(agent, "found talking", now)
        if call.offer is not None:
            self.cancel(call.offer, "found talking", now)
        self._room.leave(call)
        self._matching.withdraw_agent(agent)
        call.queue = queue
        call.change(CallState.TALKING, now, world.cause, agent.id)
        call.agent = agent
        agent.call = call
        agent.worked_for, agent.working_since = queue, now
        world.change_agent(agent, AgentState.TALKING, now, call.id)
        self._matching.stop_holding(agent, now)

    def _take_out(self, agent: Agent, reason: str, now: float) -> None:
        """Stop ringing an agent who turns out to be in a talk already; the agent's state is changed by the caller."""
        offer = agent.offer
        if offer is None:
            return
        self._world.out.append(CancelLeg(self._world.cause, offer.id, offer.call.id, agent.id, reason))
        del offer.legs[agent.id]
        agent.offer = None
        if offer.winner is agent:
            offer.winner = None
        if offer.legs:
            self._matching.note_joinable(offer, now)
        else:
            self._return_call(offer, {}, now)

    def call_gone(self, call: Call, now: float) -> None:
        """The caller is gone, whatever the call was doing."""
        offer, agent = call.offer, call.agent
        if call.queue is not None and call.state in (CallState.WAITING, CallState.OFFERED):
            note_wait(call.queue, now - call.entered_at, hung_up=True)
        self._room.leave(call)
        agents = list(offer.legs.values()) if offer is not None else []
        if offer is not None:
            self._close(offer)
        call.change(CallState.ENDED, now, self._world.cause)
        self._world.forget_call(call)
        for leg in agents:
            self._desk.offer_failed(leg, LegFailure.CANCELLED, now)
        if agent is not None:
            call.agent = None
            self._desk.call_over(agent, now)

    def talk_ended(self, call: Call, now: float) -> None:
        """Agent and caller are apart, the caller is back in the menus."""
        agent = call.agent
        call.agent = None
        call.change(CallState.MENU, now, self._world.cause, "the talk is over")
        if agent is not None:
            self._desk.call_over(agent, now)

    def _fail_agent(self, agent: Agent, failure: LegFailure, now: float) -> None:
        if failure is LegFailure.MISSED and self._rang_short(agent, now):
            failure = LegFailure.CANCELLED
        self._desk.offer_failed(agent, failure, now)

    @staticmethod
    def _rang_short(agent: Agent, now: float) -> bool:
        offer = agent.offer
        return offer is not None and agent.since > offer.made_at and now - agent.since < _FAIR_RING_S

    def _return_call(self, offer: Offer, failures: dict[Agent, LegFailure], now: float) -> None:
        """Close the offer: its call is back in its place before the agents are free, or they would take a later one."""
        call = offer.call
        self._close(offer)
        call.held_for = None
        call.change(CallState.WAITING, now, self._world.cause)
        self._matching.line_up(call, now)
        for agent, failure in failures.items():
            self._fail_agent(agent, failure, now)
        if call.state is CallState.WAITING:
            self._matching.try_again(call, now, "offer failed")
        self._room.back_in_line(call, now)

    def _close(self, offer: Offer) -> None:
        world = self._world
        world.timers.cancel(offer.lease)
        world.timers.cancel(offer.step_timer)
        world.offers.pop(offer.id, None)
        call = offer.call
        self._matching.forget_joinable(offer)
        if call.offer is offer:
            call.offer = None
            if call.queue is not None:
                call.queue.offered -= 1

"""What must hold after every event, whatever the event was. Turned on in tests, off on the hot path.

Written against the definitions, not the indexes: it looks at every agent and every call.
"""

from __future__ import annotations

from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.offers import Offer
from acd.core.transitions import AgentState, CallState
from acd.core.world import World

__all__ = ["BrokenInvariant", "check"]


class BrokenInvariant(AssertionError):
    """Something that must always hold does not; the message carries the story of who is concerned."""


def check(world: World, now: float) -> None:
    """Raise BrokenInvariant if anything that must hold after an event does not."""
    for call in world.calls.values():
        _check_call(world, call)
    for agent in world.agents.values():
        _check_agent(world, agent)
    for offer in world.offers.values():
        _check_offer(world, offer, now)
    for queue in world.queues.values():
        offered = [offer for offer in world.offers.values() if offer.call.queue is queue]
        _require_that(queue.offered == len(offered), f"{queue} counts {queue.offered} offers, there are {len(offered)}")
        _require_that(not queue.retired or bool(queue.waiting or offered), f"{queue} is retired and empty")
    if not world.suspended:
        _check_work_conservation(world, now)


def _check_call(world: World, call: Call) -> None:
    queue = call.queue
    waits = queue is not None and call.id in queue.waiting
    _require(waits == (call.state is CallState.WAITING), f"{call} and its queue's list disagree", call)
    _require((call.offer is not None) == (call.state is CallState.OFFERED), f"{call} and its offer disagree", call)
    _require((call.agent is not None) == (call.state is CallState.TALKING), f"{call} and its agent disagree", call)
    if call.agent is not None:
        _require(call.agent.call is call, f"{call}'s agent talks to another", call)
    if call.state is CallState.WAITING and call.held_for is None:
        demand = call.demand
        _require(demand is not None and call in set(demand.line), f"{call} is in no line", call)
    if call.offer is not None:
        _require(call.offer.id in world.offers, f"{call.offer} is unknown", call)
    if call.state in (CallState.MENU, CallState.ENDED):
        _require(not any(timer.live for timer in call.timers), f"{call} has deadlines of a queue", call)


def _check_offer(world: World, offer: Offer, now: float) -> None:
    call, demand = offer.call, offer.call.demand
    _require(bool(offer.legs), f"{offer} rings nobody", call)
    _require(offer.lease is not None and offer.lease.live, f"{offer} has no lease", call)
    _require(call.offer is offer, f"{offer} is not its call's", call)
    _require(offer.winner is None or offer.winner.id in offer.legs, f"{offer} was answered by nobody", call)
    if demand is not None and now < offer.ring_until:
        joins = offer.id in demand.ringing and _takes_more(world, offer)
        _require(joins == (call in demand.joinable), f"{offer} is listed wrongly among those to be joined", call)


def _check_agent(world: World, agent: Agent) -> None:
    reserved = agent.state is AgentState.RESERVED
    _require((agent.offer is not None) == reserved, f"{agent} and the offer disagree", agent)
    if agent.offer is not None:
        _require(agent.offer.legs.get(agent.id) is agent, f"{agent} is no leg of {agent.offer}", agent)
        _require(agent.offer.id in world.offers, f"{agent.offer} is unknown", agent)
    _require((agent.call is not None) == (agent.state is AgentState.TALKING), f"{agent} and the call disagree", agent)
    if agent.is_idle:
        _require(agent.state is AgentState.READY and agent.phone_free, f"{agent} is indexed as idle", agent)
    else:
        _require(agent.state is not AgentState.READY or not agent.phone_free, f"{agent} is idle and not indexed", agent)
    for call in agent.personal.values():
        busy = agent.state in (AgentState.RESERVED, AgentState.TALKING)
        waits_on = call.queue is not None and call.queue.spec.sticky.wait_while_busy
        _require(call.held_for is agent, f"{agent} is to get {call}, which is not held", agent)
        _require(waits_on or not busy, f"{call} is held for {agent}", call)
    if agent.state is AgentState.BACK_OFF:
        _require(agent.state_timer is not None and agent.state_timer.live, f"{agent} would stay for ever", agent)
    if agent.state is AgentState.WRAP_UP and agent.until is not None:
        _require(agent.state_timer is not None and agent.state_timer.live, f"{agent} would stay for ever", agent)


def _check_work_conservation(world: World, now: float) -> None:
    idle = [agent for agent in world.agents.values() if agent.state is AgentState.READY and agent.phone_free]
    if not idle:
        return
    for call in world.calls.values():
        if call.state is not CallState.WAITING or call.queue is None:
            continue
        if call.held_for is not None:
            _require(call.held_for not in idle, f"{call} waits for {call.held_for}, who is idle", call)
            _require(call.held_for.state is not AgentState.LOGGED_OUT, f"{call} waits for nobody", call)
            continue
        requirement = call.requirement()
        for agent in idle:
            may = agent.id in call.queue.members and requirement.met_by(agent.levels, agent.spec.groups)
            _require(not may, f"{call} waits although {agent} is idle at {now}", call)
    for agent in idle:
        for demand in agent.demands:
            for offer in demand.ringing.values():
                joins = now < offer.ring_until and _takes_more(world, offer)
                _require(not joins, f"{offer} rings on without {agent}, who is idle", offer.call)


def _takes_more(world: World, offer: Offer) -> bool:
    return offer.hungry and offer.winner is None and len(offer.legs) < world.routing.max_legs


def _require(holds: bool, what: str, entity: Call | Agent) -> None:
    if not holds:
        raise BrokenInvariant("\n  ".join((what, *entity.story.lines())))


def _require_that(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenInvariant(what)

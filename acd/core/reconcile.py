"""After a transition that must not happen: bring the one entity back to a state that is safe, and go on.

A call is let go of (the service still holds its line and will queue it again or hang up); an agent is freed of call
and offer and made not ready, with a reason that a supervisor sees, so that a confused state never takes a caller.
"""

from __future__ import annotations

from acd.core.agent_desk import AgentDesk
from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.matching import Matching
from acd.core.offering import Offering
from acd.core.transitions import AgentState, CallState
from acd.core.world import World

__all__ = ["reconcile"]

RECONCILED = "reconciled"
"""Not-ready reason of an agent whose state made no sense."""


def reconcile(world: World, matching: Matching, offering: Offering, desk: AgentDesk, entity: str, now: float) -> None:
    """Make ``entity`` (``call ID`` or ``agent ID``, as IllegalTransition names it) safe, whatever is wrong with it."""
    kind, _, name = entity.partition(" ")
    if kind == "call":
        call = world.calls.get(name)
        if call is not None:
            _reconcile_call(call, matching, offering, now)
    else:
        agent = world.agents.get(name)
        if agent is not None:
            _reconcile_agent(agent, offering, desk, world.cause, now)
    for agent in list(world.agents.values()):
        matching.place_agent(agent, now)  # one who was about to be given the call may have been left in between


def _reconcile_call(call: Call, matching: Matching, offering: Offering, now: float) -> None:
    if call.offer is not None:
        offering.cancel(call.offer, RECONCILED, now)
    matching.purge(call)
    call.state = CallState.MENU  # by force: from here every end is allowed
    offering.call_gone(call, now)


def _reconcile_agent(agent: Agent, offering: Offering, desk: AgentDesk, cause: int, now: float) -> None:
    agent.pending = (AgentState.NOT_READY, RECONCILED)  # or another call would be offered in between
    if agent.offer is not None:
        offering.abandon(agent.offer, RECONCILED, now)
    call = agent.call
    agent.call = None
    if call is not None and call.agent is agent:
        call.agent = None
        if call.state is CallState.TALKING:
            call.change(CallState.MENU, now, cause, RECONCILED)
    desk.take_out_of_service(agent, RECONCILED, now)

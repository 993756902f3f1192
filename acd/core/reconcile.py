"""After a transition that must not happen: bring the one entity back to a state that is safe, and go on.

A call is let go of (the service still holds its line and will queue it again or hang up); an agent is freed of call
and offer and made not ready, with a reason that a supervisor sees, so that a confused state never takes a caller.
"""

from __future__ import annotations

from acd.core.agent_desk import AgentDesk
from acd.core.events import LegFailure
from acd.core.offering import Offering
from acd.core.transitions import AgentState, CallState
from acd.core.world import World

__all__ = ["reconcile"]

RECONCILED = "reconciled"
"""Not-ready reason of an agent whose state made no sense."""


def reconcile(world: World, offering: Offering, desk: AgentDesk, entity: str, now: float) -> None:
    """Make ``entity`` (``call ID`` or ``agent ID``, as IllegalTransition names it) safe."""
    kind, _, name = entity.partition(" ")
    if kind == "call":
        call = world.calls.get(name)
        if call is not None and call.state is not CallState.ENDED:
            offering.call_gone(call, now)
        return
    agent = world.agents.get(name)
    if agent is None:
        return
    if agent.offer is not None:
        offering.leg_failed(agent.offer, agent, LegFailure.CANCELLED, now)
        agent.offer = None
    if agent.call is not None and agent.call.agent is agent:
        agent.call.agent = None
        agent.call = None
    if agent.state is not AgentState.LOGGED_OUT:
        desk.not_ready(agent, RECONCILED, now)

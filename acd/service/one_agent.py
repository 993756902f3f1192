"""Calls for one agent alone: who is asked for, and when such a call is not to wait any longer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from acd.core.agents import Agent
from acd.core.events import DeviceState
from acd.core.transitions import AgentState
from ivr.outcome import AgentMiss, ToAgent

__all__ = ["OneAgent"]

_ABOUT_TO_RING_S = 5.0
"""An idle agent is offered the call at once; where offers are suspended for a moment it waits so long (seconds)."""

_MISSES: Mapping[str, AgentMiss] = {
    "missed": AgentMiss.NO_ANSWER,
    "rejected": AgentMiss.BUSY,
    "unreachable": AgentMiss.NOT_READY,
}
"""Why the phone did not take the call, from what the agent's back-off is for."""


@dataclass(frozen=True, slots=True)
class OneAgent:
    """Looks at the engine's ``agents``."""

    agents: Mapping[str, Agent]

    def queue_for(self, wish: ToAgent) -> str:
        """The queue whose call it becomes; empty: there is no such agent, or one who serves none."""
        agent = self.agents.get(wish.agent)
        if agent is None or agent.retired:
            return ""
        return wish.queue if wish.queue in agent.spec.queues else next(iter(agent.spec.queues), "")

    def miss_before(self, wish: ToAgent) -> AgentMiss | None:
        """Why it is no use to ask now; None: the agent may be asked."""
        if not self.queue_for(wish):
            return AgentMiss.UNKNOWN
        return self.miss_while_waiting(wish, 0.0)

    def miss_while_waiting(self, wish: ToAgent, waited_s: float) -> AgentMiss | None:
        """Why the caller is not to wait any longer; None: wait on."""
        agent = self.agents.get(wish.agent)
        if agent is None:
            return AgentMiss.UNKNOWN
        if agent.state in (AgentState.LOGGED_OUT, AgentState.NOT_READY):
            return AgentMiss.NOT_READY
        if agent.device is DeviceState.UNAVAILABLE:
            return AgentMiss.NOT_READY
        if agent.is_idle:
            return AgentMiss.BUSY if waited_s > wish.wait_s + _ABOUT_TO_RING_S else None
        return AgentMiss.BUSY if waited_s >= wish.wait_s else None

    def miss_after_ringing(self, wish: ToAgent) -> AgentMiss:
        """Why the phone that rang did not take the call."""
        agent = self.agents.get(wish.agent)
        if agent is None:
            return AgentMiss.UNKNOWN
        if agent.state in (AgentState.LOGGED_OUT, AgentState.NOT_READY):
            return AgentMiss.NO_ANSWER if agent.reason == "missed-calls" else AgentMiss.NOT_READY
        if agent.state is AgentState.BACK_OFF:
            return _MISSES.get(agent.reason, AgentMiss.NO_ANSWER)
        return AgentMiss.NO_ANSWER

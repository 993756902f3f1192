"""Agents' states as people ask for them, by phone or by the web port, and as they are kept over a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from acd.core.agents import Agent
from acd.core.events import AgentLoggedIn, AgentLoggedOut, AgentReady, Event
from acd.core.transitions import AgentState
from acd.service.agent_codes import act
from acd.service.agent_states import AgentStateFile, presence_of
from acd.web.backend import AgentAction

__all__ = ["AgentPresences"]


class AgentPresences:
    """Changes them, and notes each change in the file. ``agents``: the engine's, to read."""

    def __init__(self, agents: Mapping[str, Agent], post: Callable[[Event], None], file: AgentStateFile) -> None:
        self._agents = agents
        self._post = post
        self._file = file

    def restore(self) -> None:
        """Take over the agents' states of the last run; agents not known then start as configured."""
        stored = self._file.load()
        for agent_id, agent in self._agents.items():
            presence = stored.get(agent_id)
            state = presence.state if presence is not None else AgentState(agent.spec.start)
            reason = presence.reason if presence is not None else ""
            event: Event
            if state is AgentState.READY:
                event = AgentReady(agent_id)
            elif state is AgentState.NOT_READY:
                event = AgentLoggedIn(agent_id, ready=False, reason=reason)
            else:
                event = AgentLoggedOut(agent_id)
            self._post(event)

    def act(self, agent_id: str, action: AgentAction, reason: str) -> bool:
        """Do what an agent asks for; False when it has no effect now, or nobody has this id."""
        agent = self._agents.get(agent_id)
        done = agent is not None and act(agent, action, reason, self._post)
        self.changed(agent_id)
        return done

    def state_after(self, agent_id: str, action: AgentAction, reason: str) -> AgentState | None:
        """Do what somebody asks for on an agent's behalf, and tell the state then; None: nobody has this id."""
        agent = self._agents.get(agent_id)
        if agent is None:
            return None
        self.act(agent_id, action, reason)
        return agent.state

    def changed(self, agent_id: str) -> None:
        """Note an agent's state, which has changed."""
        agent = self._agents.get(agent_id)
        if agent is not None:
            self._file.note(agent_id, presence_of(agent))

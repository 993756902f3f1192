"""Agents' feature codes: what an agent dials to be ready, not ready, logged out, or done with wrap-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from acd.core.agents import Agent
from acd.core.events import AgentLoggedOut, AgentNotReady, AgentReady, Event, WrapUpDone, WrapUpExtended
from acd.core.transitions import AgentState
from acd.service.agent_states import presence_of
from acd.service.agi_line import AgiLine, Sounds
from acd.web.backend import AgentAction
from ami_bridge.agi_session import AgiSession
from ami_bridge.translation import phone_of_channel
from ivr.line import LineHungUp
from ivr.speech import Prompt

__all__ = ["AgentDoor", "act"]

log = structlog.get_logger(__name__)

_SAID = {
    AgentAction.READY: "agent-ready",
    AgentAction.NOT_READY: "agent-not-ready",
    AgentAction.LOGOUT: "agent-logged-out",
    AgentAction.WRAP_UP_DONE: "agent-wrap-up-done",
    AgentAction.WRAP_UP_EXTENDED: "agent-wrap-up-extended",
}


def act(agent: Agent, action: AgentAction, reason: str, post: Callable[[Event], None]) -> bool:
    """Do what an agent (or somebody on the agent's behalf) asks for; False when it has no effect now."""
    match action:
        case AgentAction.READY:
            post(AgentReady(agent.id))
            return presence_of(agent).state is AgentState.READY
        case AgentAction.NOT_READY:
            post(AgentNotReady(agent.id, reason))
            return presence_of(agent).state is AgentState.NOT_READY
        case AgentAction.LOGOUT:
            post(AgentLoggedOut(agent.id))
            return presence_of(agent).state is AgentState.LOGGED_OUT
        case AgentAction.WRAP_UP_DONE:
            was_in_wrap_up = agent.state is AgentState.WRAP_UP
            post(WrapUpDone(agent.id))
            return was_in_wrap_up and agent.state is not AgentState.WRAP_UP
        case AgentAction.WRAP_UP_EXTENDED:
            until = agent.until
            post(WrapUpExtended(agent.id))
            return agent.state is AgentState.WRAP_UP and agent.until != until


@dataclass(frozen=True, slots=True)
class AgentDoor:
    """Serves the calls of feature codes. ``act`` carries out what an agent asks for (by id) and tells if it worked.

    ``reasons``: why an agent is not ready, by the digit dialled behind the code.
    """

    agents_by_phone: Mapping[str, str]
    act: Callable[[str, AgentAction, str], bool]
    sounds: Sounds
    language: Callable[[], str]
    reasons: Callable[[], Mapping[str, str]]

    async def serve(self, agi: AgiSession) -> None:
        """Answer, do it, say so, hang up. The agent is known by the phone that calls."""
        line = AgiLine(agi, self.sounds, _nothing)
        try:
            await line.answer()
            await line.set_language(self.language())
            await line.play((Prompt(self._do(agi)),))
            await line.hangup("normal")
        except LineHungUp:
            log.debug("agent's phone hung up before the confirmation ended", channel=agi.channel)

    def _do(self, agi: AgiSession) -> str:
        """Do what the code says and name the prompt to be heard."""
        phone = phone_of_channel(agi.channel)
        agent_id = self.agents_by_phone.get(phone)
        if agent_id is None:
            log.warning("feature code from a phone that is no agent's", phone=phone)
            return "agent-unknown"
        try:
            action = AgentAction(agi.script.rpartition("/")[2])
        except ValueError:
            return "agent-failed"
        digit = agi.args[0] if agi.args else ""
        reason = self.reasons().get(digit, "") if action is AgentAction.NOT_READY else ""
        if digit and not reason:
            log.warning("no not-ready reason has this digit", agent=agent_id, digit=digit)
            return "agent-failed"
        done = self.act(agent_id, action, reason)
        log.info("feature code", agent=agent_id, action=action.value, reason=reason, done=done)
        return _SAID[action] if done else "agent-failed"


async def _nothing() -> None:
    """There is no place to be noted."""

"""Where agents were, then and now: why one who serves a queue and meets the requirement was not offered a call.

An agent's story tells the state after each input. It is short; what it no longer tells is said to be unknown, not
guessed. Each story is read once for an explanation, however many decisions there are.
"""

from __future__ import annotations

from bisect import bisect_right

from acd.core.agents import Agent
from acd.core.transitions import AgentState

__all__ = ["STATE_WORDS", "Past", "why_not_now"]

STATE_WORDS = {
    AgentState.LOGGED_OUT: "logged out",
    AgentState.NOT_READY: "not ready",
    AgentState.RESERVED: "reserved for another offer (lease)",
    AgentState.TALKING: "in a call",
    AgentState.WRAP_UP: "in wrap-up",
    AgentState.BACK_OFF: "in back-off",
}
_UNKNOWN = "state then no longer known"
_FREE_PHONE = frozenset({"not-in-use", "unknown"})

_State = tuple[AgentState, str]


class Past:
    """Agents' states at inputs of the past, for one explanation."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[list[int], list[str]]] = {}

    def why_not(self, agent: Agent, cause: int) -> str:
        """Say why the agent could have no call after the inputs up to ``cause``; empty: was idle."""
        causes, words = self._read.get(agent.id) or self._line(agent)
        return words[bisect_right(causes, cause) - 1]

    def _line(self, agent: Agent) -> tuple[list[int], list[str]]:
        happenings = agent.story.happenings
        state: _State | None = (AgentState.LOGGED_OUT, "")
        phone: str | None = ""
        if agent.story.dropped:
            state, phone = None, None
            if all(what != "phone" for _, _, what, _ in happenings):
                phone = agent.device.value  # as it was before all that is told
        causes, words = [-1], [_word(state, phone)]
        for _, number, what, detail in happenings:
            if isinstance(what, AgentState):
                state = (what, str(detail))
            elif what == "phone":
                phone = str(detail)
            else:
                continue
            causes.append(number)
            words.append(_word(state, phone))
        line = self._read[agent.id] = (causes, words)
        return line


def why_not_now(agent: Agent) -> str:
    """Say why the agent can have no call at present; empty: is idle."""
    return _word((agent.state, agent.reason), agent.device.value)


def _word(state: _State | None, phone: str | None) -> str:
    if state is None:
        return _UNKNOWN
    what, detail = state
    if what is AgentState.READY:
        if phone is None:
            return _UNKNOWN
        return "" if not phone or phone in _FREE_PHONE else f"phone {phone}"
    words = STATE_WORDS[what]
    if detail and what is not AgentState.TALKING and what is not AgentState.RESERVED:
        words = f"{words} ({detail})"
    return words

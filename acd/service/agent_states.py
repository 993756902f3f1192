"""Who is logged in and ready, kept over restarts in a file of the state folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from acd.core.transitions import AgentState
from acd.service.kept_file import KeptFile

if TYPE_CHECKING:
    from acd.core.agents import Agent

__all__ = ["AgentStateFile", "Presence", "presence_of"]

_FORMAT = 1
_PRESENCES = (AgentState.READY, AgentState.NOT_READY, AgentState.LOGGED_OUT)


@dataclass(frozen=True, slots=True)
class Presence:
    """What the agent has asked for: ``ready``, ``not-ready`` (with a reason) or ``logged-out``."""

    state: AgentState
    reason: str = ""


def presence_of(agent: Agent) -> Presence:
    """Say what the agent has asked for, whatever he or she is doing right now; a wish made during a call counts."""
    if agent.pending is not None:
        state, reason = agent.pending
        return Presence(state, reason)
    if agent.state in (AgentState.LOGGED_OUT, AgentState.NOT_READY):
        return Presence(agent.state, agent.reason)
    return Presence(AgentState.READY)


class AgentStateFile:
    """The file and what it should say, see ``KeptFile``: the call path never waits for a disk."""

    def __init__(self, path: Path) -> None:
        self._presences: dict[str, Presence] = {}
        self._file = KeptFile(path, "agents' states", lambda: _encode(self._presences))

    def load(self) -> Mapping[str, Presence]:
        """Read the file; of one that cannot be used, nothing, and agents start as configured."""
        content = self._file.read()
        try:
            self._presences = _decode(content) if content is not None else {}
        except ValueError as error:
            self._file.unusable(error)
        return dict(self._presences)

    def note(self, agent_id: str, presence: Presence) -> None:
        """Take over a state; it is on disk soon after."""
        if self._presences.get(agent_id) != presence:
            self._presences[agent_id] = presence
            self._file.changed()

    async def run(self) -> None:
        """See ``KeptFile``."""
        await self._file.run()

    async def flush(self) -> None:
        """See ``KeptFile``."""
        await self._file.flush()


def _encode(presences: Mapping[str, Presence]) -> bytes:
    agents = {agent_id: {"state": p.state, "reason": p.reason} for agent_id, p in sorted(presences.items())}
    return orjson.dumps({"format": _FORMAT, "agents": agents}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _decode(content: bytes) -> dict[str, Presence]:
    """Read the file's content. Raises ValueError, saying what is wrong with it."""
    document = orjson.loads(content)  # its error is a ValueError
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError(f"not a file of format {_FORMAT}")
    agents = document.get("agents")
    if isinstance(agents, dict):
        return {agent_id: _decode_presence(agent_id, entry) for agent_id, entry in agents.items()}
    raise ValueError("'agents' is not a mapping")


def _decode_presence(agent_id: str, entry: object) -> Presence:
    state = entry.get("state") if isinstance(entry, dict) else None
    reason = entry.get("reason") if isinstance(entry, dict) else None
    if state not in _PRESENCES or not isinstance(reason, str):
        raise ValueError(f"the entry of agent {agent_id!r} is not one")
    return Presence(AgentState(state), reason)

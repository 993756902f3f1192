"""Who is logged in and ready, kept over restarts in a file of the state folder."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import structlog

from acd.core.transitions import AgentState
from acd.service.files import write_atomically

if TYPE_CHECKING:
    from acd.core.agents import Agent

__all__ = ["AgentStateFile", "Presence", "presence_of"]

log = structlog.get_logger(__name__)

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
    """The file and what it should say.

    Changes are gathered and written by a thread, one write at a time, so the call path never waits for a disk. A
    write that fails is logged and tried again with the next change.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._presences: dict[str, Presence] = {}
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    def load(self) -> Mapping[str, Presence]:
        """Read the file. A damaged one is put aside with a warning, and nobody's state is known then."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            log.warning(
                "agents' states cannot be read, agents start as configured", file=str(self._path), why=str(error)
            )
            return {}
        try:
            self._presences = _decode(content)
        except ValueError as error:
            aside = self._path.with_suffix(".damaged")
            log.warning(
                "agents' states are damaged, agents start as configured",
                file=str(self._path),
                why=str(error),
                kept_as=str(aside),
            )
            try:
                self._path.replace(aside)
            except OSError as move_error:
                log.warning("the damaged file could not be put aside", why=str(move_error))
            return {}
        return dict(self._presences)

    def note(self, agent_id: str, presence: Presence) -> None:
        """Take over a state; it is on disk soon after."""
        if self._presences.get(agent_id) != presence:
            self._presences[agent_id] = presence
            self._settled.clear()
            self._changed.set()

    async def run(self) -> None:
        """Write changes as they come, until cancelled; what is still unwritten then is written first."""
        try:
            while True:
                await self._changed.wait()
                await self._write()
        finally:
            if self._changed.is_set():
                _try_to_write(self._path, self._take())

    async def flush(self) -> None:
        """Wait until every change so far is on disk, or its write has failed (``run`` must be running)."""
        await self._settled.wait()

    async def _write(self) -> None:
        writing = asyncio.ensure_future(asyncio.to_thread(_try_to_write, self._path, self._take()))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await writing  # a thread cannot be cancelled, and it must not overtake the last write
            raise
        if not self._changed.is_set():
            self._settled.set()

    def _take(self) -> bytes:
        self._changed.clear()
        return _encode(self._presences)


def _try_to_write(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except OSError as error:
        # Without a trace: the cause is the disk, and the message says all there is to know.
        log.error("agents' states cannot be kept over a restart", file=str(path), why=str(error))  # noqa: TRY400


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

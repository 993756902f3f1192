"""Which agent talked to which customer last, kept over restarts in a file of the state folder."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
import structlog

from acd.core.events import Event, OfferBridged
from acd.service.files import write_atomically

__all__ = ["LastAgentFile"]

log = structlog.get_logger(__name__)

_FORMAT = 1
WRITE_AFTER_S = 2.0
"""Changes are gathered for so long: so much a crash may lose (seconds)."""


class LastAgentFile:
    """The file. ``agents`` is the engine's own table, which bounds it; ``observe`` is for ``EngineHost.observe``."""

    def __init__(self, path: Path, agents: Mapping[str, str]) -> None:
        self._path = path
        self._agents = agents
        self._changed = asyncio.Event()

    def load(self) -> tuple[tuple[str, str], ...]:
        """Read customers and agents, the longest ago first; of a file that cannot be used, nothing."""
        try:
            return _decode(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("customers' last agents are not known", file=str(self._path), why=str(error))
            return ()

    def observe(self, sequence: int, event: Event, now: float, commands: object) -> None:  # noqa: ARG002
        """Note that somebody may have a new last agent."""
        if isinstance(event, OfferBridged):
            self._changed.set()

    async def run(self) -> None:
        """Write changes as they come, until cancelled; what is still unwritten then is written first."""
        try:
            while True:
                await self._changed.wait()
                await asyncio.sleep(WRITE_AFTER_S)
                self._changed.clear()
                writing = asyncio.ensure_future(asyncio.to_thread(self._write, list(self._agents.items())))
                try:
                    await asyncio.shield(writing)
                except asyncio.CancelledError:
                    await writing
                    raise
        finally:
            if self._changed.is_set():
                self._write(list(self._agents.items()))

    def _write(self, agents: Sequence[tuple[str, str]]) -> None:
        try:
            write_atomically(self._path, orjson.dumps({"format": _FORMAT, "agents": agents}))
        except OSError as error:
            log.error("customers' last agents cannot be kept", file=str(self._path), why=str(error))  # noqa: TRY400


def _decode(content: bytes) -> tuple[tuple[str, str], ...]:
    document = orjson.loads(content)
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError(f"not a file of format {_FORMAT}")
    return tuple((str(customer), str(agent)) for customer, agent in document["agents"])

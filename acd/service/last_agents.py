"""Which agent talked to which customer last, kept over restarts in a file of the state folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from acd.core.events import Event, OfferBridged
from acd.service.kept_file import KeptFile

__all__ = ["LastAgentFile"]

_FORMAT = 1
WRITE_AFTER_S = 2.0
"""Changes are gathered for so long: so much a crash may lose (seconds)."""


class LastAgentFile:
    """The file. ``agents`` is the engine's own table, which bounds it; ``observe`` is for ``EngineHost.observe``."""

    def __init__(self, path: Path, agents: Mapping[str, str]) -> None:
        self._agents = agents
        self._file = KeptFile(path, "customers' last agents", self._encode, WRITE_AFTER_S)

    def load(self) -> tuple[tuple[str, str], ...]:
        """Read customers and agents, the longest ago first; of a file that cannot be used, nothing."""
        content = self._file.read()
        try:
            return _decode(content) if content is not None else ()
        except (ValueError, KeyError, TypeError) as error:
            self._file.unusable(error)
            return ()

    def observe(self, sequence: int, event: Event, now: float, commands: object) -> None:  # noqa: ARG002
        """Note that somebody may have a new last agent."""
        if isinstance(event, OfferBridged):
            self._file.changed()

    async def run(self) -> None:
        """See ``KeptFile``."""
        await self._file.run()

    def _encode(self) -> bytes:
        return orjson.dumps({"format": _FORMAT, "agents": list(self._agents.items())})


def _decode(content: bytes) -> tuple[tuple[str, str], ...]:
    document = orjson.loads(content)
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError(f"not a file of format {_FORMAT}")
    return tuple((str(customer), str(agent)) for customer, agent in document["agents"])

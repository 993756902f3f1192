"""The journal of this process: every engine input, kept in the state folder from the first one on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from acd.core.commands import Command
from acd.core.engine import Engine
from acd.core.events import Event
from acd.core.specs import RoutingSpec
from acd.store.journal import Journal

__all__ = ["Recorder"]

log = structlog.get_logger(__name__)


class Recorder:
    """Keeps the journal in ``folder``. A journal that cannot be written never stops the engine: it is said in the log.

    ``seed``: what the engine's generator was made of. ``observe`` is to be given to ``EngineHost.observe``.
    """

    def __init__(self, folder: Path, engine: Engine, seed: int, wall_s: Callable[[], float], version: str) -> None:
        self._folder = folder
        self._engine = engine
        self._seed = seed
        self._wrong = ""
        self._journal = Journal(folder, wall_s, version=version, on_error=self._tell)
        self._started = False

    @property
    def failing(self) -> bool:
        """Whether inputs are not being kept at present."""
        return bool(self._wrong) or self._journal.failing

    def start(self, routing: RoutingSpec, now: float) -> None:
        """Begin. ``routing``: what the engine was made from; it must not have had an input yet."""
        try:
            self._journal.start(self._engine, routing, self._seed, now)
        except OSError as error:
            self._tell(f"the journal's folder {self._folder} cannot be made: {error.strerror}; calls go on without it")
        else:
            self._started = True

    def observe(self, sequence: int, event: Event, now: float, commands: Sequence[Command]) -> None:  # noqa: ARG002
        """Note an input and what it led to."""
        self._journal.record(event, now, list(commands))

    def close(self) -> None:
        """Write what is left."""
        if self._started:
            self._journal.close()

    def _tell(self, wrong: str) -> None:
        """Log a trouble when it begins and when it is over (called on the journal's own thread, too)."""
        if wrong and wrong != self._wrong:
            log.error("journal", problem=wrong)
        elif self._wrong and not wrong:
            log.info("journal is written again", folder=str(self._folder))
        self._wrong = wrong

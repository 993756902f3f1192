"""Taking a changed configuration folder while calls are on: checked whole first, shown, then taken, and undone once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

import structlog

from acd.service.compile import Compiled, compile_config
from acd.service.site_changes import changes_between, needing_restart
from config import Config, ConfigErrors

__all__ = ["Outcome", "Refused", "Reloading"]

log = structlog.get_logger(__name__)

_MOST_LOGGED = 50


class Refused(Exception):
    """The change was not made, and nothing else has changed. The text is for the operator."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change comes to: sentences on what differs, what takes a restart, and what is probably not meant."""

    taken: bool
    changes: tuple[str, ...]
    restart: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Version:
    config: Config
    site: Compiled


class Reloading:
    """The configuration in force, the one before it, and the way from one to the next. One change at a time.

    ``read`` reads and checks the folder (it blocks). ``prepare`` makes the prompts of a site. ``take`` puts a site in
    force, between two events. ``strategies`` are those that the engine was started with.
    """

    def __init__(
        self,
        config: Config,
        site: Compiled,
        *,
        read: Callable[[], Config],
        prepare: Callable[[Compiled], Awaitable[object]],
        take: Callable[[Compiled], None],
        strategies: Collection[str],
    ) -> None:
        self._read = read
        self._prepare = prepare
        self._take = take
        self._strategies = strategies
        self._current = _Version(config, site)
        self._started_with = config.acd
        self._previous: _Version | None = None
        self._one_at_a_time = asyncio.Lock()
        self.last_successful = True
        """Whether the last reload was taken (or found nothing to do); true before the first."""
        self.last_success_s = time.time()
        """When the configuration in force was taken (UNIX time)."""

    async def reload(self, *, dry_run: bool = False) -> Outcome:
        """Read the folder and take what has changed; with ``dry_run`` only say what would.

        Raises:
            ConfigErrors: the folder has faults; nothing has changed.
            Refused: it cannot be taken by this process; nothing has changed.
        """
        async with self._one_at_a_time:
            try:
                version, outcome = await self._compare()
            except (ConfigErrors, Refused) as error:
                if not dry_run:
                    self.last_successful = False
                    self._note_refusal(str(error))
                raise
            if dry_run:
                return outcome
            if outcome.changes:
                await self._switch(version)
                self._previous, self._current = self._current, version
            self._note_success("configuration taken" if outcome.changes else "configuration has not changed", outcome)
            return Outcome(bool(outcome.changes), outcome.changes, outcome.restart, outcome.warnings)

    async def undo(self) -> Outcome:
        """Take back the last change, once.

        Raises:
            Refused: there is none.
        """
        async with self._one_at_a_time:
            previous = self._previous
            if previous is None:
                raise Refused("no change to take back: nothing was changed since the start or since the last undo")
            changes = tuple(changes_between(self._current.site, previous.site))
            await self._switch(previous)
            self._previous, self._current = None, previous
            outcome = Outcome(True, changes, self._restart(previous.config))
            self._note_success("configuration change taken back", outcome)
            return outcome

    async def _compare(self) -> tuple[_Version, Outcome]:
        config = await asyncio.to_thread(self._read)
        site = await asyncio.to_thread(compile_config, config)
        for queue in site.routing.queues.values():
            if queue.strategy not in self._strategies:
                raise Refused(f"queue {queue.id}: strategy {queue.strategy} was installed after the start; restart")
        changes = tuple(await asyncio.to_thread(changes_between, self._current.site, site))
        warnings = tuple(str(problem) for problem in config.warnings)
        return _Version(config, site), Outcome(False, changes, self._restart(config), warnings)

    async def _switch(self, version: _Version) -> None:
        await self._prepare(version.site)
        self._take(version.site)

    def _restart(self, config: Config) -> tuple[str, ...]:
        return tuple(needing_restart(self._started_with, config.acd))

    @staticmethod
    def _note_refusal(faults: str) -> None:
        log.error("configuration refused, nothing has changed", faults=faults.splitlines()[:_MOST_LOGGED])

    def _note_success(self, text: str, outcome: Outcome) -> None:
        self.last_successful = True
        self.last_success_s = time.time()
        log.info(text, changes=list(outcome.changes[:_MOST_LOGGED]), all_changes=len(outcome.changes))
        if outcome.restart:
            log.warning("settings that take a restart have changed", settings=list(outcome.restart))

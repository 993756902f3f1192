"""The running process: starts the parts in order, and ends them in good order.

Order of the start: the ports, state folder, web, FastAGI, AMI; prompts are prepared meanwhile. Callers are served from
FastAGI's start on; offers begin when Asterisk has been taken stock of.

The end (SIGTERM, SIGINT): no new offers; callers who do not ring or talk go back to the dialplan, where music plays and
the next engine is tried; the others live on and are waited for up to ``drain_timeout_s``. A second signal ends the
process at once. Calls that talk live on in Asterisk even then.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TextIO

import structlog
from aiohttp import web

from acd.core.events import OffersSuspended
from acd.service.errors import StartError
from acd.service.files import claim_folder, load_or_create_token
from acd.service.loop_lag import watch_loop_lag
from acd.service.parts import Parts
from acd.service.prompts.site import open_voices
from acd.web.app import make_app
from acd.web.backend import ConfigurationRefused
from config import Config

__all__ = ["Application"]

log = structlog.get_logger(__name__)

_POLL_S = 0.05
_CLOSE_LIMIT_S = 2.0


class Application:
    """One process. ``run`` is its whole life and returns the exit code.

    ``fastagi`` and ``web`` are the listening sockets (see ``listening``). ``api_token`` guards ``/api/``; empty: one is
    made and kept in the state folder. ``read`` reads the configuration again for a reload (default: the same folder).
    """

    def __init__(
        self,
        config: Config,
        fastagi: socket.socket,
        web: socket.socket,
        api_token: str = "",
        read: Callable[[], Config] | None = None,
    ) -> None:
        self._config = config
        self._read = read
        self._fastagi = fastagi
        self._web = web
        self._api_token = api_token
        self._stop = asyncio.Event()
        self._stop_at_once = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Start, serve until a signal, drain, end.

        Raises:
            StartError: something keeps the process from starting; its text is for the operator.
        """
        self._make_folders()
        claim = self._claim_state()
        voices = await open_voices(self._config.acd, self._config.secrets)
        parts = Parts(self._config, asyncio.get_running_loop(), voices, self._read)
        async with AsyncExitStack() as stack:
            stack.enter_context(claim)
            stack.push_async_callback(voices.close)
            self._watch_signals(stack, parts)
            await self._start(parts, stack)
            log.info("serving", configuration=str(self._config.folder))
            await self._stop.wait()
            await self._drain(parts)
        log.info("ended")
        return 0

    def stop(self) -> None:
        """End in good order; asked a second time: at once."""
        if self._stop.is_set():
            self._stop_at_once.set()
        self._stop.set()

    # The start.

    def _make_folders(self) -> None:
        acd = self._config.acd
        for key, folder, mode in (("state_dir", acd.state_dir, 0o700), ("cache_dir", acd.cache_dir, 0o755)):
            try:
                Path(folder).mkdir(mode=mode, parents=True, exist_ok=True)
            except OSError as error:
                raise StartError(
                    f"the folder {folder} cannot be made: {error.strerror}; change {key} in acd.yaml"
                    f" (ACD_{key.upper()}) or let this user write there"
                ) from error

    def _claim_state(self) -> TextIO:
        """Two engines would overwrite each other's files, and keep each promise twice."""
        folder = self._config.acd.state_dir
        try:
            return claim_folder(Path(folder))
        except BlockingIOError:
            raise StartError(
                f"another engine works with the folder {folder}, or is ending and waits for its last talks; end it, or"
                " give this one a state_dir of its own in acd.yaml (ACD_STATE_DIR)"
            ) from None
        except OSError as error:
            raise StartError(
                f"the folder {folder} cannot be written: {error.strerror}; let this user write there, or change"
                " state_dir in acd.yaml (ACD_STATE_DIR)"
            ) from error

    async def _start(self, parts: Parts, stack: AsyncExitStack) -> None:
        token = self._api_token or self._load_token()
        # Before the outbox and closed behind it: webhooks that wait since before a restart are posted at once.
        await parts.lookups.open()
        stack.push_async_callback(parts.lookups.close)
        self._spawn(parts.agent_states.run(), stack)
        self._spawn(parts.last_agents.run(), stack)
        self._spawn(parts.callbacks.run(), stack)
        self._spawn(parts.outbox.run(), stack)
        stack.push_async_callback(parts.menu_webhooks.close)
        self._spawn(parts.aftercare.run(), stack)
        self._spawn(parts.voicemail.run(), stack)
        self._spawn(parts.voicemail_items.run(), stack)
        parts.begin()
        stack.callback(parts.close)
        runner = web.AppRunner(
            make_app(parts.backend, parts.metrics.registry, token, parts.areas()),
            access_log=None,
            shutdown_timeout=_CLOSE_LIMIT_S,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, self._web).start()
        await parts.agi_server.start(self._fastagi)
        stack.push_async_callback(parts.agi_server.close)
        self._spawn(parts.ami.run(), stack)
        stack.push_async_callback(parts.ami.close)
        self._spawn(watch_loop_lag(parts.metrics.loop_lag_seconds.observe), stack)
        self._spawn(parts.taking.prepare_first(), stack)
        stack.push_async_callback(parts.prompts.close)
        stack.callback(parts.host.close)
        # What was made until here stays: the collector need not look at it again and again, on the way of a call.
        gc.collect()
        gc.freeze()

    def _load_token(self) -> str:
        path = Path(self._config.acd.state_dir) / "api-token"
        try:
            return load_or_create_token(path)
        except OSError as error:
            raise StartError(
                f"{path} cannot be read or written: {error.strerror}; let this user write there, or change state_dir in"
                " acd.yaml (ACD_STATE_DIR)"
            ) from error

    def _spawn(self, work: Awaitable[None], stack: AsyncExitStack) -> None:
        """Run something beside us to the end; if it fails the whole process ends with its error."""

        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run())
        stack.push_async_callback(_end_task, task)
        task.add_done_callback(self._background_ended)

    def _background_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.critical("a part of the process failed; ending", exc_info=task.exception())
            self.stop()

    def _watch_signals(self, stack: AsyncExitStack, parts: Parts) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
            stack.callback(loop.remove_signal_handler, number)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up, parts)
        stack.callback(loop.remove_signal_handler, signal.SIGHUP)

    def _hung_up(self, parts: Parts) -> None:
        """SIGHUP: take the changed configuration."""
        task = asyncio.get_running_loop().create_task(_reload(parts))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # The end.

    async def _drain(self, parts: Parts) -> None:
        """Let go of who can be let go of, and wait for the rest."""
        limit_s = self._config.acd.drain_timeout_s
        parts.backend.draining = True
        parts.host.post(OffersSuspended("draining"))
        # Stops listening at once, then waits for the sessions that are left.
        waiting = asyncio.get_running_loop().create_task(parts.agi_server.close(drain_s=limit_s))
        log.info("draining", calls_left=parts.sessions.let_go_waiting(), limit_s=limit_s)
        try:
            while not waiting.done() and not self._stop_at_once.is_set():
                await asyncio.wait({waiting}, timeout=_POLL_S)
                parts.sessions.let_go_waiting()
        finally:
            left = len(parts.sessions)
            if left:
                log.warning("calls go on without us", calls=left)
            parts.sessions.let_go_all()
            await _end_task(waiting)


async def _end_task(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=_CLOSE_LIMIT_S)


async def _reload(parts: Parts) -> None:
    with suppress(ConfigurationRefused):  # it stands in the log, and in a metric
        await parts.backend.reload(dry_run=False)

"""The AMI client: holds one logged-in, resynchronised connection to Asterisk, for ever.

AMI has no replay, so after each (re)connect the client waits for ``FullyBooted``, keeps the events that come from then
on, lets the service take stock of channels, bridges and device states (`resync`), and only then delivers the kept
events and goes live. An event older than the stock may be delivered after it: handlers must be idempotent, keyed by
Uniqueid.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ami_bridge.ami_codec import AmiMessage, HeaderValue
from ami_bridge.ami_connection import AmiConnection, AmiStats, AmiTrouble, ConnectionHooks, Lost
from ami_bridge.ami_protocol import ActionResult, AmiError, AmiNotConnected, AmiOverload, AmiRefused, PendingAction

_CANCEL_LIMIT_S: Final = 1.0
"""How long a cancelled resync may take to end before it is left alone."""

_log = logging.getLogger(__name__)


class AmiState(enum.Enum):
    """How far the connection has come."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    AUTHENTICATING = "authenticating"
    BOOTING = "booting"
    """Logged in; Asterisk is still loading."""
    RESYNCING = "resyncing"
    READY = "ready"


@dataclass(slots=True, frozen=True)
class AmiStatus:
    """A change of state, as `on_state` gets it."""

    state: AmiState
    trouble: AmiTrouble | None = None
    """Why the connection ended, or why it does not get on."""
    text: str = ""
    """The details, for a log line. Never holds the secret."""
    retry_in_s: float | None = None
    """When the next attempt starts."""


@dataclass(slots=True, frozen=True)
class AmiTimings:
    """Limits and intervals, all in seconds."""

    connect_timeout_s: float = 3.0
    login_timeout_s: float = 10.0
    """Per step of the login. Asterisk itself waits a second before it refuses a password."""
    boot_notice_s: float = 30.0
    """How often `on_state` is told that FullyBooted has not come yet."""
    action_timeout_s: float = 5.0
    """Until an action without a reply counts as failed; one that is answered by a list has its own limit."""
    resync_timeout_s: float = 30.0
    ping_interval_s: float = 1.0
    pong_timeout_s: float = 5.0
    backoff_min_s: float = 0.2
    backoff_max_s: float = 5.0
    refused_retry_s: float = 30.0
    """Between attempts after a refused login: only a change of configuration helps, and Asterisk logs each attempt."""


class _BringUpError(Exception):
    def __init__(self, trouble: AmiTrouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble


class AmiClient:
    """A client for one Asterisk. :meth:`run` is to be started as a task and runs until :meth:`close`.

    `on_event` gets each event synchronously from the reader and must not block; an exception in it is logged and
    counted, and the reader goes on. `resync` runs after each (re)connect and may use :meth:`action` and
    :meth:`list_action`; when it raises, the connection is dropped and tried again. `on_state` gets each change of
    state, `on_rtt` the round trip of each ping in seconds. `rng` jitters the back-off and marks this client's
    ActionIDs.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        on_event: Callable[[AmiMessage], None],
        resync: Callable[[AmiClient], Awaitable[None]],
        on_state: Callable[[AmiStatus], None],
        on_rtt: Callable[[float], None],
        timings: AmiTimings | None = None,
        max_buffered_events: int = 100_000,
        rng: random.Random | None = None,
    ) -> None:
        self.stats = AmiStats()
        self.status = AmiStatus(AmiState.DISCONNECTED)
        self._host = host
        self._port = port
        self._username = username
        self._secret = secret
        self._on_event = on_event
        self._resync = resync
        self._on_state = on_state
        self._timings = timings or AmiTimings()
        self._max_buffered_events = max_buffered_events
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not secrecy
        self._hooks = ConnectionHooks(self._take_event, on_rtt)
        self._connection: AmiConnection | None = None
        self._booted: asyncio.Future[None] | None = None
        self._buffer: list[AmiMessage] | None = []
        self._failures = 0
        self._closing = asyncio.Event()
        self._stopped: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        return f"<AmiClient {self._username}@{self._host}:{self._port} {self.status.state.value}>"

    @property
    def state(self) -> AmiState:
        """How far the connection has come."""
        return self.status.state

    @property
    def connected(self) -> bool:
        """Whether events are live and actions can be sent."""
        return self.status.state is AmiState.READY

    # Actions.

    async def action(
        self, name: str, headers: Mapping[str, HeaderValue] | None = None, timeout_s: float | None = None
    ) -> AmiMessage:
        """Send an action and wait for its reply (None: as `AmiTimings` says). A repeated header is given as a sequence.

        Raises :class:`AmiRefused` when Asterisk refuses it; :class:`AmiTimeout` or :class:`AmiUnknown` when its outcome
        is unknown; :class:`AmiNotConnected`, :class:`AmiOverload` or :class:`AmiValueError` when it was not sent.
        """
        limit_s = self._timings.action_timeout_s if timeout_s is None else timeout_s
        return (await self._live_connection(name).request(name, headers, limit_s)).outcome()

    async def list_action(
        self, name: str, headers: Mapping[str, HeaderValue] | None = None, timeout_s: float = 10.0
    ) -> list[AmiMessage]:
        """Send an action that is answered by a list of events and wait for all of them. Raises as :meth:`action`."""
        pending = await self._live_connection(name).request(name, headers, timeout_s, is_list=True)
        pending.outcome()
        return pending.items

    def send(self, name: str, headers: Mapping[str, HeaderValue] | None = None) -> bool:
        """Send an action at once without waiting; a failure is logged, as a warning unless the channel has just ended.

        Gives whether it was sent. Raises :class:`AmiValueError` as :meth:`action` does.
        """
        try:
            future = self._live_connection(name).request(name, headers, self._timings.action_timeout_s)
        except (AmiNotConnected, AmiOverload) as error:
            _log.warning("%s", error)
            return False
        future.add_done_callback(_log_outcome)
        return True

    def _live_connection(self, action: str) -> AmiConnection:
        if self._connection is None or self.state not in (AmiState.RESYNCING, AmiState.READY):
            raise AmiNotConnected(f"{action} not sent: {self.state.value}")
        return self._connection

    # Life.

    async def run(self) -> None:
        """Connect, and connect again whenever the connection ends, until :meth:`close` or cancellation."""
        loop = asyncio.get_running_loop()
        stopped = self._stopped = loop.create_future()
        closing = loop.create_task(self._closing.wait())
        try:
            while not self._closing.is_set():
                lost = await self._one_connection(closing)
                if self._closing.is_set():
                    break
                delay_s = self._next_delay_s(lost)
                self._set_status(AmiStatus(AmiState.DISCONNECTED, lost.trouble, lost.text, delay_s))
                await asyncio.wait({closing}, timeout=delay_s)
        finally:
            closing.cancel()
            stopped.set_result(None)
            self._set_status(AmiStatus(AmiState.DISCONNECTED, AmiTrouble.CLOSED, "closed by us"))

    async def close(self, timeout_s: float = 2.0) -> None:
        """Log off and end :meth:`run`; ends within about `timeout_s` whatever Asterisk does."""
        self._closing.set()
        if self._stopped is None:
            return  # never ran
        connection = self._connection
        if connection is not None:
            connection.log_off()
        await asyncio.wait({self._stopped}, timeout=timeout_s)
        if connection is not None and not self._stopped.done():
            connection.drop(AmiTrouble.CLOSED, "closed by us")
            await asyncio.wait({self._stopped})

    async def _one_connection(self, closing: asyncio.Task[bool]) -> Lost:
        """One attempt, from connecting to the end of the connection; tells why it ended."""
        loop = asyncio.get_running_loop()
        self._set_status(AmiStatus(AmiState.CONNECTING))
        connection = AmiConnection(loop, self._hooks, self.stats, f"acd-{self._rng.getrandbits(48):012x}")
        trouble = await self._connect(connection, closing)
        if trouble is not None:
            return trouble
        self._connection = connection
        self._booted = loop.create_future()
        self._buffer = []
        bring_up = loop.create_task(self._bring_up(connection, self._booted))
        ends: set[asyncio.Future[Any]] = {bring_up, connection.lost}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if bring_up.done():
                self._judge(connection, bring_up)
            await asyncio.wait({connection.lost})
            return connection.lost.result()
        finally:
            connection.drop(AmiTrouble.CLOSED, "closed by us")
            self._connection = None
            self._buffer = []
            bring_up.cancel()
            await asyncio.wait({bring_up}, timeout=_CANCEL_LIMIT_S)
            if bring_up.done() and not bring_up.cancelled():
                bring_up.exception()  # seen: the connection's own end tells the reason

    async def _connect(self, connection: AmiConnection, closing: asyncio.Task[bool]) -> Lost | None:
        loop = asyncio.get_running_loop()
        connecting = loop.create_task(loop.create_connection(lambda: connection, self._host, self._port))
        limit_s = self._timings.connect_timeout_s
        waiters: set[asyncio.Future[Any]] = {connecting, closing}
        try:
            await asyncio.wait(waiters, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not connecting.done():
                connecting.cancel()
        if not connecting.done():
            return Lost(AmiTrouble.UNREACHABLE, f"{self._host}:{self._port} does not answer within {limit_s:g} s")
        error = connecting.exception()
        if isinstance(error, OSError):
            return Lost(AmiTrouble.UNREACHABLE, str(error))
        if error is not None:
            raise error
        return None

    def _judge(self, connection: AmiConnection, bring_up: asyncio.Task[None]) -> None:
        """Drop the connection if it could not be brought up. (If it has ended already, its own reason stays.)"""
        if bring_up.cancelled():
            connection.drop(AmiTrouble.RESYNC_FAILED, "cancelled")
            return
        error = bring_up.exception()
        if isinstance(error, _BringUpError):
            connection.drop(error.trouble, str(error))
        elif isinstance(error, AmiError):
            connection.drop(AmiTrouble.LOST, str(error))
        elif error is not None:
            raise error

    async def _bring_up(self, connection: AmiConnection, booted: asyncio.Future[None]) -> None:
        timings = self._timings
        self._set_status(AmiStatus(AmiState.AUTHENTICATING))
        await asyncio.wait({connection.greeted}, timeout=timings.login_timeout_s)
        if not connection.greeted.done():
            text = f"{self._host}:{self._port} does not greet as Asterisk's manager does"
            raise _BringUpError(AmiTrouble.NOT_AMI, text)
        await connection.log_in(self._username, self._secret, timings.login_timeout_s)
        self.stats.connections += 1
        connection.start_pinging(timings.ping_interval_s, timings.pong_timeout_s)
        await self._wait_booted(booted)
        self._set_status(AmiStatus(AmiState.RESYNCING))
        await self._take_stock()
        buffered, self._buffer = self._buffer or [], None
        for event in buffered:
            self._deliver(event)
        self._failures = 0
        self._set_status(AmiStatus(AmiState.READY))

    async def _wait_booted(self, booted: asyncio.Future[None]) -> None:
        status = AmiStatus(AmiState.BOOTING)
        while not booted.done():
            self._set_status(status)
            await asyncio.wait({booted}, timeout=self._timings.boot_notice_s)
            text = "logged in, but no FullyBooted: Asterisk is loading, or the user lacks the read class 'system'"
            status = AmiStatus(AmiState.BOOTING, text=text)

    async def _take_stock(self) -> None:
        try:
            async with asyncio.timeout(self._timings.resync_timeout_s):
                await self._resync(self)
        except TimeoutError:
            text = f"no end within {self._timings.resync_timeout_s:g} s"
            raise _BringUpError(AmiTrouble.RESYNC_FAILED, text) from None
        except AmiError as error:
            raise _BringUpError(AmiTrouble.RESYNC_FAILED, str(error)) from error
        except Exception as error:
            # The service's own code: whatever is wrong with it, the way out is the same, to connect and try again.
            _log.exception("resync failed")
            raise _BringUpError(AmiTrouble.RESYNC_FAILED, f"{type(error).__name__}: {error}") from error

    def _next_delay_s(self, lost: Lost) -> float:
        timings = self._timings
        if lost.trouble is AmiTrouble.LOGIN_REFUSED:
            ceiling_s = timings.refused_retry_s
        else:
            ceiling_s = min(timings.backoff_max_s, timings.backoff_min_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return ceiling_s * self._rng.uniform(0.5, 1.0)

    def _set_status(self, status: AmiStatus) -> None:
        self.status = status
        self._on_state(status)

    # Events.

    def _take_event(self, event: AmiMessage) -> None:
        self.stats.events += 1
        buffer = self._buffer
        if buffer is None:
            self._deliver(event)
        elif self._booted is not None and self._booted.done():
            if len(buffer) >= self._max_buffered_events:
                self._overflow()
            else:
                buffer.append(event)
        elif event.event == "FullyBooted" and self._booted is not None:
            self._booted.set_result(None)

    def _overflow(self) -> None:
        if self._connection is not None:
            text = f"more than {self._max_buffered_events} events"
            self._connection.drop(AmiTrouble.OVERFLOW, text)

    def _deliver(self, event: AmiMessage) -> None:
        try:
            self._on_event(event)
        except Exception:  # noqa: BLE001 - logged with its trace
            # One event that its handler cannot take must not stop the reader: all other calls depend on it.
            self.stats.event_errors += 1
            _log.exception("handler failed on event %s", event.event)


def _log_outcome(future: asyncio.Future[PendingAction]) -> None:
    if future.cancelled():
        return
    pending = future.result()
    if pending.result is ActionResult.ANSWERED:
        return
    try:
        pending.outcome()
    except AmiError as error:
        expected = isinstance(error, AmiRefused) and error.channel_gone
        _log.log(logging.DEBUG if expected else logging.WARNING, "%s", error)

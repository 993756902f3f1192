"""One AMI connection on asyncio: parses, matches replies, pings. What the events mean is for :mod:`ami_client`."""

from __future__ import annotations

import asyncio
import enum
import hashlib
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import cast

from ami_bridge.ami_codec import AmiMessage, AmiParser, HeaderValue, encode_action
from ami_bridge.ami_protocol import ActionResult, ActionTracker, AmiNotConnected, AmiOverload, PendingAction

MAX_WRITE_BUFFER_BYTES = 1024 * 1024
"""Unsent bytes from which on actions are refused: Asterisk does not read."""
_TIMER_SLACK_S = 0.001

_log = logging.getLogger(__name__)


class AmiTrouble(enum.Enum):
    """Why there is no connection."""

    UNREACHABLE = "unreachable"
    """Nothing listens there, or the host cannot be reached."""
    NOT_AMI = "not AMI"
    """Something listens there, but it does not greet as Asterisk's manager does."""
    LOGIN_REFUSED = "login refused"
    """Asterisk refused user name or password, or this address. Somebody has to change a configuration."""
    LOST = "connection lost"
    SILENT = "no answer to pings"
    RESYNC_FAILED = "resync failed"
    OVERFLOW = "more events during the resync than the buffer holds"
    CLOSED = "closed by us"


@dataclass(slots=True)
class AmiStats:
    """Counts since the client was made."""

    connections: int = 0
    """Connections on which the login succeeded."""
    events: int = 0
    garbage: int = 0
    """Lines and messages from Asterisk that were no AMI."""
    forged: int = 0
    """Events out of which lines were cut that a caller had put there."""
    event_errors: int = 0
    """Events whose handler raised."""
    late_replies: int = 0
    """Messages for actions that had run out of time."""


@dataclass(slots=True, frozen=True)
class ConnectionHooks:
    """What a connection calls, each synchronously from the reader."""

    on_event: Callable[[AmiMessage], None]
    on_rtt: Callable[[float], None]
    """Round trip of a ping in seconds."""


@dataclass(slots=True, frozen=True)
class Lost:
    """How a connection ended."""

    trouble: AmiTrouble
    text: str


class AmiConnection(asyncio.Protocol):
    """The protocol object of one TCP connection. Reading waits for nobody: every message is handled as it comes."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, hooks: ConnectionHooks, stats: AmiStats, id_prefix: str
    ) -> None:
        self._loop = loop
        self._hooks = hooks
        self._stats = stats
        self._parser = AmiParser()
        self._actions = ActionTracker(id_prefix)
        self._futures: dict[str, asyncio.Future[PendingAction]] = {}
        self._transport: asyncio.Transport | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._expires_at = math.inf
        self._next_ping: asyncio.TimerHandle | None = None
        self._reason: Lost | None = None
        self._username = ""
        self.greeted: asyncio.Future[str] = loop.create_future()
        """Done with the banner once the other side has greeted."""
        self.lost: asyncio.Future[Lost] = loop.create_future()
        """Done when the connection has ended."""

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse and hand on what came."""
        parser = self._parser
        garbage, forged = parser.garbage, parser.forged
        messages = parser.feed(data)
        if parser.garbage != garbage:
            self._count_garbage(parser.garbage - garbage)
        if parser.forged != forged:
            self._count_forged(parser.forged - forged)
        if parser.banner is not None and not self.greeted.done():
            self.greeted.set_result(parser.banner)
        on_event = self._hooks.on_event
        for message in messages:
            if "ActionID" in message and self._receive_answer(message):
                continue
            if "Event" in message:
                on_event(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """End every action with its outcome unknown."""
        for timer in (self._expiry, self._next_ping):
            if timer is not None:
                timer.cancel()
        for pending in self._actions.disconnected(monotonic()):
            self._resolve(pending)
        if not self.lost.done():
            default = Lost(AmiTrouble.LOST, str(exc) if exc else "Asterisk closed the connection")
            self.lost.set_result(self._reason or default)
        if not self.greeted.done():
            self.greeted.cancel()

    # Actions.

    def request(
        self, action: str, headers: Mapping[str, HeaderValue] | None, timeout_s: float, *, is_list: bool = False
    ) -> asyncio.Future[PendingAction]:
        """Write an action at once; the future is done when it has ended, however it ended.

        Raises :class:`AmiValueError`, :class:`AmiOverload` or :class:`AmiNotConnected`; nothing was written then.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise AmiNotConnected(f"{action} not sent: the connection is closing")
        if transport.get_write_buffer_size() > MAX_WRITE_BUFFER_BYTES:
            raise AmiOverload(f"{action} not sent: Asterisk does not read what is sent to it")
        pending, data = self._actions.start(action, headers, now=monotonic(), timeout_s=timeout_s, is_list=is_list)
        future: asyncio.Future[PendingAction] = self._loop.create_future()
        self._futures[pending.action_id] = future
        transport.write(data)
        if pending.deadline < self._expires_at:
            self._arm_expiry(pending.deadline)
        return future

    async def log_in(self, username: str, secret: str, timeout_s: float) -> None:
        """Log in by challenge, so that the secret itself is never sent. Raises an :class:`AmiError` when that fails."""
        self._username = username
        challenge = (await self.request("Challenge", {"AuthType": "MD5"}, timeout_s)).outcome()
        proof = hashlib.md5((challenge.get("Challenge", "") + secret).encode(), usedforsecurity=False).hexdigest()
        login = {"AuthType": "MD5", "Username": username, "Key": proof, "Events": "on"}
        (await self.request("Login", login, timeout_s)).outcome()

    def start_pinging(self, interval_s: float, pong_timeout_s: float) -> None:
        """Ping every `interval_s`; a ping unanswered for `pong_timeout_s` ends the connection."""

        def ping() -> None:
            self._next_ping = self._loop.call_later(interval_s, ping)
            try:
                self.request("Ping", None, pong_timeout_s).add_done_callback(self._pong)
            except AmiOverload as error:
                self.drop(AmiTrouble.SILENT, str(error))
            except AmiNotConnected:
                pass  # closing: connection_lost follows and stops the pings

        ping()

    def drop(self, trouble: AmiTrouble, text: str) -> None:
        """End the connection at once; `lost` tells this reason."""
        if self._reason is None:
            self._reason = Lost(trouble, text)
        if self._transport is not None:
            self._transport.abort()

    def log_off(self) -> None:
        """Say good-bye and close as soon as that is written."""
        if self._reason is None:
            self._reason = Lost(AmiTrouble.CLOSED, "closed by us")
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode_action("Logoff"))
            self._transport.close()

    # Inside.

    def _receive_answer(self, message: AmiMessage) -> bool:
        late = self._actions.late
        ours, ended = self._actions.receive(message, monotonic())
        self._stats.late_replies += self._actions.late - late
        if ended is not None:
            if ended.action == "Login" and ended.result is ActionResult.REFUSED:
                # Asterisk closes right behind its answer; this, and not the closing, is why the connection ends.
                text = f"Asterisk refuses user {self._username!r}: {message.get('Message', 'no reason given')}"
                self._reason = Lost(AmiTrouble.LOGIN_REFUSED, text)
            self._resolve(ended)
        return ours

    def _resolve(self, pending: PendingAction) -> None:
        future = self._futures.pop(pending.action_id)
        if not future.done():  # done: nobody waits any more
            future.set_result(pending)

    def _arm_expiry(self, deadline: float) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self._expires_at = deadline
        # The loop's own clock may be coarse (uvloop's counts milliseconds): a little later rather than too early.
        self._expiry = self._loop.call_later(max(deadline - monotonic(), 0.0) + _TIMER_SLACK_S, self._expire)

    def _expire(self) -> None:
        self._expiry = None
        self._expires_at = math.inf
        for pending in self._actions.expire(monotonic()):
            self._resolve(pending)
        deadline = self._actions.next_deadline()
        if deadline is not None:
            self._arm_expiry(deadline)

    def _pong(self, future: asyncio.Future[PendingAction]) -> None:
        if future.cancelled():
            return
        pending = future.result()
        if pending.result is ActionResult.TIMED_OUT:
            self.drop(AmiTrouble.SILENT, f"no answer to a ping for {pending.took_s:.1f} s")
        elif pending.result is not ActionResult.UNKNOWN:
            self._hooks.on_rtt(pending.took_s)

    def _count_forged(self, count: int) -> None:
        if self._parser.forged == count:
            _log.warning("a caller put line ends into a number; forged lines are cut out of events and counted")
        self._stats.forged += count

    def _count_garbage(self, count: int) -> None:
        if self._parser.garbage == count:  # the first on this connection; the count tells of the others
            _log.warning("received something that is not AMI; it is dropped and counted")
        self._stats.garbage += count

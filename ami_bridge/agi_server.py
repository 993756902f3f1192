"""The FastAGI server on asyncio: takes Asterisk's connections, refuses what is not ours, runs a handler per session."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, cast

from ami_bridge.agi_codec import AgiEnvironment, AgiFault, AgiParser
from ami_bridge.agi_session import AgiError, AgiSession

MAX_STRAY_LINES: Final = 100
"""Lines that answer nothing, after which a session is closed: the other side does not speak AGI."""
_BACKLOG: Final = 1024
_CANCEL_LIMIT_S: Final = 2.0

_log = logging.getLogger(__name__)

Handler = Callable[[AgiSession], Awaitable[None]]


@dataclass(slots=True, frozen=True)
class AgiLimits:
    """What a connection may cost. Times in seconds."""

    max_sessions: int = 2000
    env_timeout_s: float = 5.0
    """From the connection to the end of its environment; Asterisk needs milliseconds."""
    write_timeout_s: float = 10.0
    """How long Asterisk may leave a command unread."""
    keepalive_idle_s: int = 20
    keepalive_interval_s: int = 5
    keepalive_probes: int = 3
    """A silent socket whose other side is gone is noticed after idle + interval * probes."""


@dataclass(slots=True)
class AgiStats:
    """Counts since the server was made."""

    accepted: int = 0
    """Sessions that got a handler."""
    refused_limit: int = 0
    refused_script: int = 0
    garbage: int = 0
    """Connections closed because what came was no AGI."""
    env_timeouts: int = 0
    write_timeouts: int = 0
    torn_environments: int = 0
    """Sessions whose caller tried to forge lines of the environment; they are served."""
    handler_errors: int = 0

    @property
    def refused(self) -> int:
        """All connections that got no handler."""
        return self.refused_limit + self.refused_script + self.garbage + self.env_timeouts


class AgiServer:
    """Listens on `host`:`port` and runs `handler` for each session whose script matches one of `scripts`.

    A pattern's ``*`` stands for one part of the path (``acd/agent/*``). When the handler returns, its socket is closed;
    when it raises, that is logged and its socket is closed; other sessions go on. Connections over
    ``limits.max_sessions`` are closed at once, so that the dialplan can try again or fall back.
    """

    def __init__(
        self, host: str, port: int, handler: Handler, *, scripts: Iterable[str], limits: AgiLimits | None = None
    ) -> None:
        self.limits = limits or AgiLimits()
        self.stats = AgiStats()
        self._host = host
        self._port = port
        self._handler = handler
        self._scripts = [_compile_pattern(pattern) for pattern in scripts]
        self._server: asyncio.Server | None = None
        self._connections: set[_AgiConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._full = False

    @property
    def port(self) -> int:
        """The port, the real one if 0 was asked for."""
        if self._server is not None and self._server.sockets:
            return int(self._server.sockets[0].getsockname()[1])
        return self._port

    @property
    def sessions(self) -> int:
        """How many handlers are running."""
        return len(self._tasks)

    async def start(self, listener: socket.socket | None = None) -> None:
        """Listen, on ``listener`` if there is one already (its connections wait until now), else on host and port.

        Raises OSError when the port is taken or the address is not ours.
        """
        loop = asyncio.get_running_loop()
        if listener is not None:
            self._server = await loop.create_server(lambda: _AgiConnection(self, loop), sock=listener, backlog=_BACKLOG)
            return
        self._server = await loop.create_server(
            lambda: _AgiConnection(self, loop), self._host, self._port, backlog=_BACKLOG, reuse_address=True
        )

    async def close(self, drain_s: float = 0.0) -> None:
        """Stop listening, give the handlers `drain_s` to end, then close what is left and cancel its handlers."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._tasks and drain_s > 0:
            await asyncio.wait(set(self._tasks), timeout=drain_s)
        for connection in list(self._connections):
            connection.abort()
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_CANCEL_LIMIT_S)

    # What the connections call.

    def admit(self, connection: _AgiConnection) -> bool:
        """Whether there is room for one more connection."""
        if len(self._connections) >= self.limits.max_sessions:
            self.stats.refused_limit += 1
            if not self._full:
                self._full = True
                _log.error("FastAGI is full: %d sessions; connections are refused", self.limits.max_sessions)
            return False
        if self._full and len(self._connections) < self.limits.max_sessions * 9 // 10:
            self._full = False  # said again only after it has been well below the limit
        self._connections.add(connection)
        return True

    def discard(self, connection: _AgiConnection) -> None:
        """Forget a connection that has ended."""
        self._connections.discard(connection)

    def accept(self, session: AgiSession) -> bool:
        """Start the handler of a session; False when its script is not ours."""
        if not any(pattern.fullmatch(session.script) for pattern in self._scripts):
            self.stats.refused_script += 1
            _log.warning("FastAGI script %.80r from %s refused: not one of ours", session.script, session.peer)
            return False
        self.stats.accepted += 1
        task = asyncio.get_running_loop().create_task(self._run(session), name=f"agi {session.uniqueid}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _run(self, session: AgiSession) -> None:
        try:
            await self._handler(session)
        except AgiError as error:
            _log.info("%r ended: %s", session, error)
        except Exception:  # noqa: BLE001 - logged with its trace
            # A fault in one call's handling must not touch the other calls.
            self.stats.handler_errors += 1
            _log.exception("handler of %r failed", session)
        finally:
            session.close()


class _AgiConnection(asyncio.Protocol):
    """One TCP connection, before and after it has become a session."""

    def __init__(self, server: AgiServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._parser = AgiParser()
        self._transport: asyncio.Transport | None = None
        self._session: AgiSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer = "?"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the connection, or close it at once."""
        self._transport = cast("asyncio.Transport", transport)
        peername = self._transport.get_extra_info("peername")
        if isinstance(peername, tuple):
            self._peer = f"{peername[0]}:{peername[1]}"
        if not self._server.admit(self):
            self._transport.abort()
            return
        limits = self._server.limits
        _set_socket_options(self._transport.get_extra_info("socket"), limits)
        # Any byte left unread by Asterisk counts: at most one command is under way, so nothing piles up behind it.
        self._transport.set_write_buffer_limits(high=0)
        self._timer = self._loop.call_later(limits.env_timeout_s, self._environment_late)

    def data_received(self, data: bytes) -> None:
        """Parse what came; after the environment, hand it to the session."""
        for item in self._parser.feed(data):
            if isinstance(item, AgiFault):
                self._refuse_garbage(item.text)
                return
            if isinstance(item, AgiEnvironment):
                if not self._begin_session(item):
                    return
            elif self._session is not None:
                self._session.receive(item)
                if self._session.stray_lines > MAX_STRAY_LINES:
                    self._refuse_garbage("too many lines that answer nothing")
                    return

    def pause_writing(self) -> None:
        """Asterisk does not read: give it some time."""
        self._stop_timer()
        self._timer = self._loop.call_later(self._server.limits.write_timeout_s, self._write_late)

    def resume_writing(self) -> None:
        """Asterisk has read all."""
        self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - any end is an end
        """Tell the session, and make room for another."""
        self._stop_timer()
        self._server.discard(self)
        if self._session is not None:
            self._session.lost()

    def abort(self) -> None:
        """Close the socket at once."""
        if self._transport is not None:
            self._transport.abort()

    def _begin_session(self, environment: AgiEnvironment) -> bool:
        self._stop_timer()
        if self._transport is None:
            return False
        session = AgiSession(self._loop, self._transport, environment, self._peer)
        if environment.torn:
            self._server.stats.torn_environments += 1
            _log.warning("%r: its caller put line ends into a number or name; they have been cut", session)
        if not self._server.accept(session):
            self._transport.abort()
            return False
        self._session = session
        return True

    def _refuse_garbage(self, text: str) -> None:
        self._server.stats.garbage += 1
        _log.warning("FastAGI connection from %s closed: %s", self._peer, text)
        self.abort()

    def _environment_late(self) -> None:
        self._server.stats.env_timeouts += 1
        limit_s = self._server.limits.env_timeout_s
        _log.warning("FastAGI connection from %s closed: no AGI environment within %g s", self._peer, limit_s)
        self.abort()

    def _write_late(self) -> None:
        self._server.stats.write_timeouts += 1
        limit_s = self._server.limits.write_timeout_s
        _log.warning("FastAGI session %r closed: Asterisk left a command unread for %g s", self._session, limit_s)
        self.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _compile_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in pattern.split("*")))


def _set_socket_options(sock: socket.socket, limits: AgiLimits) -> None:
    """Send without delay, and notice a peer that vanished without a word."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, limits.keepalive_idle_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, limits.keepalive_interval_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, limits.keepalive_probes)
    # Keepalive is silent while something written is not acknowledged.
    unacknowledged_s = limits.keepalive_idle_s + limits.keepalive_interval_s * limits.keepalive_probes
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unacknowledged_s * 1000)

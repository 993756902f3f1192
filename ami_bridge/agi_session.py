"""One caller's AGI session on asyncio: commands, their answers, and the end of the channel noticed at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from ami_bridge.agi_codec import (
    AgiEnvironment,
    AgiHangupLine,
    AgiItem,
    AgiReply,
    AgiStrayLine,
    command_limit,
    encode_command,
)


class AgiError(Exception):
    """A command did not succeed. The subclasses say what is known about it."""


class AgiHangup(AgiError):
    """The channel has hung up, or left this AGI. What the command did until then is unknown."""


class AgiDeadChannel(AgiHangup):
    """511: Asterisk does not carry this command out on a channel that has hung up."""


class AgiClosed(AgiError):
    """The socket is closed. What the command did until then is unknown."""


class AgiRefused(AgiError):
    """Asterisk does not know the command (510) or its syntax (520). :attr:`reply` is its answer."""

    def __init__(self, reply: AgiReply) -> None:
        super().__init__(reply.text[:300])
        self.reply = reply


class AgiTimeout(AgiError):
    """No answer in time. The command is still under way, and the session busy until its answer comes."""


class AgiBusy(AgiError):
    """A command is under way, and AGI carries out one at a time: a fault in the calling code."""


class AgiSession:
    """A session, from the end of its environment on. One command at a time.

    The end comes in one of two ways, and both are told to the callbacks of :meth:`on_hangup` at once, whether a command
    is under way or not: the line ``HANGUP`` (:attr:`hangup_seen`; the socket is still open), or the end of the socket.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        environment: AgiEnvironment,
        peer: str,
    ) -> None:
        self.env: Mapping[str, str] = environment.values
        """What Asterisk told at the start: ``agi_uniqueid``, ``agi_channel``… Hostile as far as callers set it."""
        self.script = environment.script
        self.args = environment.args
        self.peer = peer
        """Address of the Asterisk that calls, for logs."""
        self.hangup_seen = False
        self.stray_lines = 0
        """Lines that were no answer to anything."""
        self._loop = loop
        self._transport = transport
        self._max_command_bytes = command_limit(self.env.get("agi_version", ""))
        self._outstanding: asyncio.Future[AgiReply] | None = None
        self._outstanding_survives = False
        self._idle: asyncio.Future[None] | None = None
        self._hangup_callbacks: list[Callable[[], None]] = []
        self._ended = False
        self._closed: asyncio.Future[None] = loop.create_future()

    def __repr__(self) -> str:
        return f"<AgiSession {self.script} {self.uniqueid} from {self.peer}>"

    @property
    def uniqueid(self) -> str:
        """Uniqueid of the caller's channel."""
        return self.env.get("agi_uniqueid", "")

    @property
    def channel(self) -> str:
        """Name of the caller's channel."""
        return self.env.get("agi_channel", "")

    @property
    def ended(self) -> bool:
        """Whether the channel has hung up or the socket has closed."""
        return self._ended

    @property
    def closed(self) -> bool:
        """Whether the socket has closed."""
        return self._closed.done()

    @property
    def busy(self) -> bool:
        """Whether a command is under way."""
        return self._outstanding is not None

    # Commands.

    def start(self, *words: str, even_if_dead: bool = False) -> asyncio.Future[AgiReply]:
        """Write a command to the socket now, in this very call; the future gives its answer.

        The first word may hold several (``SET VARIABLE``). Raises at once, with nothing written: :class:`AgiBusy`,
        :class:`AgiClosed`, :class:`AgiValueError <ami_bridge.agi_codec.AgiValueError>`, and :class:`AgiHangup` after
        ``HANGUP``. The future raises :class:`AgiHangup`, :class:`AgiDeadChannel`, :class:`AgiClosed` or
        :class:`AgiRefused`. With `even_if_dead` the command is sent, and its answer awaited, in spite of a ``HANGUP``:
        Asterisk still sets and reads variables then.
        """
        if self._closed.done() or self._transport.is_closing():
            raise AgiClosed(f"{words[:1]} not sent: the socket is closed")
        if self.hangup_seen and not even_if_dead:
            raise AgiHangup(f"{words[:1]} not sent: the channel has hung up")
        if self._outstanding is not None:
            raise AgiBusy(f"{words[:1]} not sent: a command is under way")
        self._transport.write(encode_command(*words, max_bytes=self._max_command_bytes))
        self._outstanding = future = self._loop.create_future()
        self._outstanding_survives = even_if_dead
        return future

    async def command(self, *words: str, timeout_s: float | None = None, even_if_dead: bool = False) -> AgiReply:
        """Write a command as :meth:`start` does and wait for its answer, at most `timeout_s`.

        Raises what :meth:`start` and its future raise, and :class:`AgiTimeout`. After a time-out, a cancellation or a
        ``HANGUP`` the command before may still be under way; then its answer, which nobody gets, is awaited first.
        """
        if timeout_s is None:
            await self._wait_abandoned()
            return await self.start(*words, even_if_dead=even_if_dead)
        try:
            async with asyncio.timeout(timeout_s):
                await self._wait_abandoned()
                return await self.start(*words, even_if_dead=even_if_dead)
        except TimeoutError:
            raise AgiTimeout(f"no answer to {words[:1]} within {timeout_s:g} s") from None

    async def _wait_abandoned(self) -> None:
        if self._outstanding is not None and self._outstanding.done():
            if self._idle is None:
                self._idle = self._loop.create_future()
            await asyncio.shield(self._idle)

    async def exec(self, app: str, *args: str, timeout_s: float | None = None) -> AgiReply:
        """Run a dialplan application; its arguments are joined by commas as they are.

        ``result`` of the answer is -2 for an unknown application, and -1 mostly means that the channel hung up.
        """
        return await self.command("EXEC", app, ",".join(args), timeout_s=timeout_s)

    # The end.

    def on_hangup(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, from the reader, when the channel or the socket ends; at once if that has happened."""
        if self._ended:
            callback()
        else:
            self._hangup_callbacks.append(callback)

    async def wait_ended(self) -> None:
        """Wait until the channel has hung up or left this AGI, or the socket has closed."""
        ended = asyncio.Event()
        self.on_hangup(ended.set)
        await ended.wait()

    async def wait_closed(self) -> None:
        """Wait until the socket has closed."""
        await asyncio.wait({self._closed})

    def close(self) -> None:
        """Close the socket when all is written. Asterisk goes on in the dialplan behind its ``AGI()``."""
        self._transport.close()

    def abort(self) -> None:
        """Close the socket at once."""
        self._transport.abort()

    # What the connection calls.

    def receive(self, item: AgiItem) -> None:
        """Take an item that came after the environment."""
        if isinstance(item, AgiReply):
            self._receive_reply(item)
        elif isinstance(item, AgiHangupLine):
            self.hangup_seen = True
            if not self._outstanding_survives:
                # The command's own answer is still to come. Nobody needs it: it stays outstanding and is then dropped.
                self._fail_outstanding(AgiHangup("the channel has hung up"))
            self._end()
        elif isinstance(item, AgiStrayLine):
            self.stray_lines += 1

    def lost(self) -> None:
        """Take the end of the socket."""
        self._fail_outstanding(AgiClosed("Asterisk closed the socket"))
        self._set_idle()
        if not self._closed.done():
            self._closed.set_result(None)
        self._end()

    def _receive_reply(self, reply: AgiReply) -> None:
        future = self._outstanding
        if future is None:
            self.stray_lines += 1
            return
        self._set_idle()
        if reply.code == 511:
            self.hangup_seen = True
        if not future.done():  # done: it ran out of time, was cancelled, or HANGUP came first
            if reply.code == 200:
                future.set_result(reply)
            elif reply.code == 511:
                future.set_exception(AgiDeadChannel(reply.text[:300]))
            else:
                future.set_exception(AgiRefused(reply))
        if reply.code == 511:
            self._end()

    def _fail_outstanding(self, error: AgiError) -> None:
        if self._outstanding is not None and not self._outstanding.done():
            self._outstanding.set_exception(error)

    def _set_idle(self) -> None:
        self._outstanding = None
        if self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        callbacks, self._hangup_callbacks = self._hangup_callbacks, []
        for callback in callbacks:
            callback()

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from ami_bridge.agi_codec import AgiReply, AgiStrayLine, AgiValueError
from ami_bridge.agi_server import AgiLimits, AgiServer, Handler
from ami_bridge.agi_session import (
    AgiBusy,
    AgiClosed,
    AgiDeadChannel,
    AgiHangup,
    AgiRefused,
    AgiSession,
    AgiTimeout,
)
from tests.ami_bridge.fake_asterisk import LIMIT_S, FakeChannel

SCRIPTS = ("acd/call", "acd/agent/*")


class Engine:
    """A server whose sessions the test drives itself."""

    def __init__(self, **limits: Any) -> None:
        self.sessions: asyncio.Queue[AgiSession] = asyncio.Queue()
        self.handler: Handler = self._hold
        self.server = AgiServer(
            "127.0.0.1", 0, lambda session: self.handler(session), scripts=SCRIPTS, limits=AgiLimits(**limits)
        )
        self._release = asyncio.Event()
        self.channels: list[FakeChannel] = []

    async def _hold(self, session: AgiSession) -> None:
        self.sessions.put_nowait(session)
        await session.wait_closed()

    async def call(self, script: str = "acd/call", *args: str, **values: str) -> tuple[AgiSession, FakeChannel]:
        """A call, from both sides."""
        channel = await self.channel(script, *args, **values)
        async with asyncio.timeout(LIMIT_S):
            return await self.sessions.get(), channel

    async def channel(self, script: str = "acd/call", *args: str, **values: str) -> FakeChannel:
        """A call whose session may not come."""
        self.channels.append(FakeChannel(script, *args, **values))
        return await self.channels[-1].connect(self.server.port)

    async def raw(self, data: bytes) -> FakeChannel:
        """A connection that writes these bytes."""
        self.channels.append(FakeChannel())
        await self.channels[-1].open(self.server.port)
        self.channels[-1].write(data)
        return self.channels[-1]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Engine]]]:
    engines: list[Engine] = []

    async def start(**limits: Any) -> Engine:
        engines.append(Engine(**limits))
        await engines[-1].server.start()
        return engines[-1]

    yield start
    for engine in engines:
        await engine.server.close()
        assert engine.server.sessions == 0
        for channel in engine.channels:
            with contextlib.suppress(AssertionError):
                await channel.close()


Serve = Callable[..., Awaitable[Engine]]


async def ended(session: AgiSession) -> None:
    """Wait until the session has been told of its end."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    session.on_hangup(lambda: future.set_result(None))
    async with asyncio.timeout(LIMIT_S):
        await future


class TestCommands:
    async def test_a_session_from_its_start_to_its_end(self, serve: Serve) -> None:
        engine = await serve()
        replies: list[AgiReply] = []

        async def handle(session: AgiSession) -> None:
            assert (session.script, session.args) == ("acd/call", ("call-7", ""))
            assert (session.uniqueid, session.channel) == ("9.1", "PJSIP/caller-00000001")
            assert session.env["agi_calleridname"] == "李安娜"
            replies.append(await session.command("ANSWER"))
            replies.append(await session.exec("Dial", "PJSIP/anna", "15", "gm(default)"))
            replies.append(await session.command("GET VARIABLE", "DIALSTATUS", timeout_s=LIMIT_S))

        engine.handler = handle
        channel = await engine.channel("acd/call", "call-7", "", uniqueid="9.1", calleridname="李安娜")
        commands = await channel.serve(["200 result=0", "200 result=-1", "200 result=1 (ANSWER)"])
        dial = ["EXEC", "Dial", "PJSIP/anna,15,gm(default)"]
        assert commands == [["ANSWER"], dial, ["GET", "VARIABLE", "DIALSTATUS"]]
        await channel.wait_closed_by_engine()
        assert [(reply.result, reply.value) for reply in replies] == [("0", None), ("-1", None), ("1", "ANSWER")]
        assert engine.server.stats.accepted == 1

    async def test_a_command_is_in_the_socket_before_anyone_waits(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        future = session.start("EXEC", "Dial", "PJSIP/anna")
        assert session.busy
        assert await channel.command() == ["EXEC", "Dial", "PJSIP/anna"]
        assert not future.done()
        channel.reply("200 result=0")
        assert (await future).number == 0
        assert not session.busy

    async def test_only_one_at_a_time(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        future = session.start("ANSWER")
        with pytest.raises(AgiBusy):
            session.start("HANGUP")
        with pytest.raises(AgiBusy):
            await session.command("HANGUP")
        await channel.serve(["200 result=0"])
        await future
        channel_side = asyncio.create_task(channel.serve(["200 result=1"]))
        assert (await session.command("HANGUP")).number == 1
        assert await channel_side == [["HANGUP"]]

    @pytest.mark.parametrize("code", ["510 Invalid or unknown command", "520 Invalid command syntax."])
    async def test_a_refusal(self, serve: Serve, code: str) -> None:
        session, channel = await (await serve()).call()
        answering = asyncio.create_task(channel.serve([code]))
        with pytest.raises(AgiRefused, match=code[:3]) as caught:
            await session.command("NONSENSE")
        assert caught.value.reply.text == code
        await answering

    async def test_nothing_hostile_is_written_and_the_session_goes_on(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        with pytest.raises(AgiValueError):
            await session.command("SET VARIABLE", "NAME", '"; \r\nEXEC System "rm"')
        answering = asyncio.create_task(channel.serve(["200 result=1"]))
        await session.command("SET VARIABLE", "NAME", '"; ${SHELL(id)} \\')
        assert await answering == [["SET", "VARIABLE", "NAME", '"; ${SHELL(id)} \\']]

    async def test_an_old_asterisk_gets_short_commands_only(self, serve: Serve) -> None:
        engine = await serve()
        old, _ = await engine.call(version="18.10.0")
        new, _ = await engine.call(version="22.10.1")
        with pytest.raises(AgiValueError, match="accepts 2000"):
            old.start("EXEC", "Dial", "x" * 2500)
        new.start("EXEC", "Dial", "x" * 2500)

    async def test_one_without_an_answer(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        with pytest.raises(AgiTimeout, match=r"0\.05 s"):
            await session.command("STREAM FILE", "welcome", "", timeout_s=0.05)
        assert session.busy
        with pytest.raises(AgiBusy):
            session.start("ANSWER")
        with pytest.raises(AgiTimeout):  # the next one waits for the late answer first
            await session.command("ANSWER", timeout_s=0.05)
        asking = asyncio.create_task(session.command("GET VARIABLE", "X", timeout_s=LIMIT_S))
        assert (await channel.command())[0] == "STREAM"
        channel.reply("200 result=0 endpos=1")
        assert await channel.command() == ["GET", "VARIABLE", "X"]
        channel.reply("200 result=1 (x)")
        assert (await asking).value == "x"
        assert session.stray_lines == 0

    async def test_one_whose_caller_gave_up(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        asking = asyncio.create_task(session.command("EXEC", "Wait", "9"))
        await channel.command()
        asking.cancel()
        await asyncio.wait({asking})
        following = asyncio.create_task(session.command("ANSWER"))
        channel.reply("200 result=0")
        assert await channel.command() == ["ANSWER"]
        channel.reply("200 result=7")
        assert (await following).number == 7

    async def test_lines_that_answer_nothing_are_counted_and_dropped(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        session.receive(AgiReply(200, "99"))
        session.receive(AgiStrayLine("whatever"))
        assert session.stray_lines == 2
        answering = asyncio.create_task(channel.serve(["100 Trying\n200 result=5"]))
        assert (await session.command("ANSWER")).number == 5
        await answering


class TestHangup:
    async def test_it_is_told_at_once_while_all_is_silent(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        told: list[bool] = []
        session.on_hangup(lambda: told.append(session.hangup_seen))
        channel.hang_up()
        async with asyncio.timeout(LIMIT_S):
            await session.wait_ended()
        assert told == [True]
        assert not session.closed
        with pytest.raises(AgiHangup):
            await session.command("ANSWER")
        channel.hang_up()
        await channel.close()
        async with asyncio.timeout(LIMIT_S):
            await session.wait_closed()
        assert told == [True]  # once

    async def test_a_socket_torn_while_all_is_silent(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        channel.cut()
        await ended(session)
        assert session.closed
        assert not session.hangup_seen
        with pytest.raises(AgiClosed):
            await session.command("ANSWER")

    async def test_a_callback_added_late_is_called_at_once(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        channel.hang_up()
        await ended(session)
        told: list[str] = []
        session.on_hangup(lambda: told.append("late"))
        assert told == ["late"]

    @pytest.mark.parametrize("cut", ["HANGUP", "socket"])
    async def test_during_a_command(self, serve: Serve, cut: str) -> None:
        session, channel = await (await serve()).call()
        asking = asyncio.create_task(session.exec("Dial", "PJSIP/anna"))
        await channel.command()
        if cut == "HANGUP":
            channel.hang_up()
        else:
            channel.cut()
        with pytest.raises(AgiHangup if cut == "HANGUP" else AgiClosed):
            await asking

    async def test_the_answer_comes_first_when_asterisk_wrote_it_first(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        asking = asyncio.create_task(session.exec("Dial", "PJSIP/anna"))
        await channel.command()
        channel.write(b"200 result=-1\nHANGUP\n")
        assert (await asking).number == -1
        await ended(session)
        assert session.hangup_seen

    async def test_what_may_be_done_on_a_dead_channel(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        asking = asyncio.create_task(session.exec("Dial", "PJSIP/anna"))
        await channel.command()
        channel.hang_up()
        with pytest.raises(AgiHangup):
            await asking
        # The answer to Dial is still to come; it must not be taken for the next one's.
        setting = asyncio.create_task(session.command("SET VARIABLE", "ACD_DONE", "hangup", even_if_dead=True))
        channel.reply("200 result=-1")
        assert await channel.command() == ["SET", "VARIABLE", "ACD_DONE", "hangup"]
        channel.reply("200 result=1")
        assert (await setting).number == 1

    async def test_a_command_that_outlives_the_hang_up(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        asking = asyncio.create_task(session.command("GET VARIABLE", "DIALSTATUS", even_if_dead=True))
        await channel.command()
        channel.write(b"HANGUP\n200 result=1 (ANSWER)\n")
        assert (await asking).value == "ANSWER"
        assert session.hangup_seen

    async def test_a_dead_channel(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        answering = asyncio.create_task(channel.serve(["511 Command Not Permitted on a dead channel"]))
        with pytest.raises(AgiDeadChannel):
            await session.command("STREAM FILE", "welcome", "")
        await answering
        assert session.ended
        assert session.hangup_seen


class TestRefusals:
    @pytest.mark.parametrize(
        "script", ["", "acd", "acd/call/x", "acd/agent/", "acd/agent/a/b", "x/acd/call", "../acd/call"]
    )
    async def test_scripts_that_are_not_ours(self, serve: Serve, script: str, caplog: pytest.LogCaptureFixture) -> None:
        engine = await serve()
        channel = await engine.channel(script)
        await channel.wait_closed_by_engine()
        assert engine.server.stats.refused_script == 1
        assert engine.server.stats.accepted == 0
        assert "not one of ours" in caplog.text

    @pytest.mark.parametrize("script", ["acd/call", "acd/call?x=y", "acd/agent/ready", "acd/agent/not-ready"])
    async def test_scripts_that_are(self, serve: Serve, script: str) -> None:
        session, _ = await (await serve()).call(script)
        assert session.script == script.partition("?")[0]

    @pytest.mark.parametrize(
        "garbage",
        [
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00",
            b"\n\n\n",
            b"agi_network: yes\nx\n",
            b"agi_x: " + b"y" * 300_000,
        ],
        ids=["http", "tls", "blank", "half", "endless"],
    )
    async def test_garbage_costs_only_its_own_connection(
        self, serve: Serve, garbage: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine = await serve()
        session, channel = await engine.call()
        peer = await engine.raw(garbage)
        await peer.wait_closed_by_engine()
        assert engine.server.stats.garbage == 1
        assert "closed" in caplog.text
        assert "127.0.0.1" in caplog.text
        answering = asyncio.create_task(channel.serve(["200 result=0"]))
        assert (await session.command("ANSWER")).number == 0
        await answering

    async def test_garbage_in_a_session(self, serve: Serve) -> None:
        engine = await serve()
        session, channel = await engine.call()
        channel.write(b"nonsense\n" * 200)
        await ended(session)
        await channel.wait_closed_by_engine()
        assert engine.server.stats.garbage == 1

    async def test_an_answer_without_end(self, serve: Serve) -> None:
        engine = await serve()
        session, channel = await engine.call()
        channel.write(b"200 result=1 (" + b"x" * 300_000)
        await ended(session)
        assert engine.server.stats.garbage == 1

    async def test_a_client_that_says_nothing(self, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
        engine = await serve(env_timeout_s=0.05)
        silent, slow = await engine.raw(b""), await engine.raw(FakeChannel().environment[:-1])
        await silent.wait_closed_by_engine()
        await slow.wait_closed_by_engine()
        assert engine.server.stats.env_timeouts == 2
        assert "no AGI environment within 0.05 s" in caplog.text

    async def test_a_slow_one_within_its_time_is_served(self, serve: Serve) -> None:
        engine = await serve()
        channel = await engine.raw(b"")
        for byte in FakeChannel().environment:
            channel.write(bytes([byte]))
            await channel.writer.drain()
        async with asyncio.timeout(LIMIT_S):
            assert (await engine.sessions.get()).script == "acd/call"

    async def test_no_more_sessions_than_allowed(self, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
        engine = await serve(max_sessions=2)
        (first, _), (second, channel) = await engine.call(), await engine.call()
        for _ in range(3):
            refused = await engine.channel()
            await refused.wait_closed_by_engine()
        assert engine.server.stats.refused_limit == 3
        assert caplog.text.count("FastAGI is full") == 1
        answering = asyncio.create_task(channel.serve(["200 result=0"]))
        await second.command("ANSWER")
        await answering
        first.close()
        await ended(first)
        again, _ = await engine.call()
        assert again.env

    async def test_forged_lines_are_cut_and_told(self, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
        engine = await serve()
        session, _ = await engine.call("acd/call", "call-7", callerid="1\nagi_arg_1: other\n")
        assert session.args == ("call-7",)
        assert engine.server.stats.torn_environments == 1
        assert "line ends" in caplog.text


class TestSlowAndDead:
    async def test_one_that_does_not_read(self, serve: Serve) -> None:
        engine = await serve(write_timeout_s=0.05)
        loop = asyncio.get_running_loop()
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            peer.setblocking(False)
            await loop.sock_connect(peer, ("127.0.0.1", engine.server.port))
            await loop.sock_sendall(peer, FakeChannel().environment)
            async with asyncio.timeout(LIMIT_S):
                session = await engine.sessions.get()
            # It answers every command at once and reads none, so that what is written piles up.
            with pytest.raises(AgiClosed):
                await _command_for_ever(session, loop, peer)
        assert engine.server.stats.write_timeouts == 1

    async def test_the_kernel_looks_after_silent_sockets(self, serve: Serve) -> None:
        session, _ = await (await serve(keepalive_idle_s=21, keepalive_interval_s=4, keepalive_probes=2)).call()
        options = session._transport.get_extra_info("socket")
        assert options.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert options.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert options.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 21
        assert options.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 4
        assert options.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 2
        assert options.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 29_000

    async def test_half_closed(self, serve: Serve) -> None:
        session, channel = await (await serve()).call()
        channel.writer.write_eof()
        await ended(session)
        assert session.closed


class TestServer:
    async def test_a_handler_that_fails_costs_only_its_own_call(
        self, serve: Serve, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine = await serve()
        session, channel = await engine.call()
        hold, engine.handler = engine.handler, _fail
        broken = await engine.channel()
        await broken.wait_closed_by_engine()
        assert engine.server.stats.handler_errors == 1
        assert "KeyError" in caplog.text
        engine.handler = hold
        answering = asyncio.create_task(channel.serve(["200 result=0"]))
        await session.command("ANSWER")
        await answering

    async def test_a_handler_that_meets_a_hang_up_is_no_failure(
        self, serve: Serve, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        engine = await serve()

        async def handle(session: AgiSession) -> None:
            await session.command("ANSWER")

        engine.handler = handle
        channel = await engine.channel()
        await channel.command()
        channel.hang_up()
        await channel.wait_closed_by_engine()
        assert engine.server.stats.handler_errors == 0
        assert "hung up" in caplog.text

    async def test_the_port_is_taken(self, serve: Serve) -> None:
        engine = await serve()
        other = AgiServer("127.0.0.1", engine.server.port, _fail, scripts=SCRIPTS)
        with pytest.raises(OSError, match="in use") as caught:
            await other.start()
        assert caught.value.errno == errno.EADDRINUSE

    async def test_closing_gives_sessions_their_time(self, serve: Serve) -> None:
        engine = await serve()
        session, channel = await engine.call()
        closing = asyncio.create_task(engine.server.close(drain_s=LIMIT_S))
        answering = asyncio.create_task(channel.serve(["200 result=0"]))
        assert (await session.command("ANSWER")).code == 200  # still served
        await answering
        with pytest.raises(OSError):  # noqa: PT011 - refused: what it says depends on the loop
            await FakeChannel().connect(engine.server.port)
        session.close()
        async with asyncio.timeout(LIMIT_S):
            await closing
        assert engine.server.sessions == 0

    async def test_closing_ends_in_time(self, serve: Serve) -> None:
        engine = await serve()
        sessions = [await engine.call() for _ in range(5)]
        cancelled: list[str] = []

        async def stubborn(session: AgiSession) -> None:
            engine.sessions.put_nowait(session)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(session.uniqueid)
                raise

        engine.handler = stubborn
        await engine.call(uniqueid="6.6")
        async with asyncio.timeout(LIMIT_S):
            await engine.server.close(drain_s=0.05)
        assert cancelled == ["6.6"]
        for session, channel in sessions:
            assert session.closed
            await channel.wait_closed_by_engine()

    async def test_many_at_once(self, serve: Serve) -> None:
        engine = await serve()

        async def handle(session: AgiSession) -> None:
            reply = await session.command("GET VARIABLE", "ID")
            assert reply.value == session.uniqueid

        engine.handler = handle

        async def call(number: int) -> None:
            channel = await engine.channel(uniqueid=f"7.{number}")
            await channel.serve([f"200 result=1 (7.{number})"])
            await channel.wait_closed_by_engine()

        await asyncio.gather(*(call(number) for number in range(200)))
        assert engine.server.stats.accepted == 200
        assert engine.server.stats.handler_errors == 0


async def _fail(session: AgiSession) -> None:
    raise KeyError(session.script)


async def _command_for_ever(session: AgiSession, loop: asyncio.AbstractEventLoop, peer: socket.socket) -> None:
    while True:
        future = session.start("NOOP", "x" * 7000)
        await loop.sock_sendall(peer, b"200 result=0\n")
        await future

"""The least FastAGI there is, to test the lab and the dialplan without an engine.

As a program (``python fast_agi.py PORT CALL_ID``) it answers, sets ACD_CALL, turns the music on and stays silent, and
prints what Asterisk told it, a JSON line per session: something to kill.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self


class Session:
    """One AGI session: what Asterisk told at its start, and commands."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.env: dict[str, str] = {}
        self._caller_gone = False

    async def read_env(self) -> None:
        while line := (await self._reader.readline()).decode().strip():
            name, _, value = line.partition(":")
            self.env[name] = value.strip()

    async def command(self, text: str) -> str:
        """Asterisk's answer; empty when the session is over."""
        self.writer.write(f"{text}\n".encode())
        while (line := (await self._reader.readline()).decode().strip()) == "HANGUP":
            self._caller_gone = True
        return line

    async def get(self, name: str) -> str:
        return (await self.command(f"GET VARIABLE {name}")).partition("(")[2].removesuffix(")")

    async def wait_until_over(self) -> None:
        """Until the caller is gone: Asterisk keeps the socket open then, and says HANGUP."""
        while not self._caller_gone and (line := await self._reader.readline()):
            self._caller_gone = line == b"HANGUP\n"


Script = Callable[[Session], Awaitable[None]]


class FastAgi:
    """A FastAGI server in the test's own process: ``script`` is run for each session, the socket is closed after it."""

    def __init__(self, port: int, script: Script) -> None:
        self.sessions: asyncio.Queue[Session] = asyncio.Queue()
        self._port = port
        self._script = script
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._tasks)
        await self._server.wait_closed()

    async def next_session(self, timeout_s: float = 5.0) -> Session:
        async with asyncio.timeout(timeout_s):
            return await self.sessions.get()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        session = Session(reader, writer)
        try:
            await session.read_env()
            self.sessions.put_nowait(session)
            await self._script(session)
        except ConnectionError:
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()


async def take_in(session: Session, call_id: str) -> None:
    """Answers, names the call and plays music."""
    await session.command('EXEC Answer ",i"')
    await session.command(f"SET VARIABLE ACD_CALL {call_id}")
    await session.command("SET MUSIC ON")


async def wait_with_music(session: Session) -> None:
    """Takes the caller in and waits until he is gone."""
    await take_in(session, "c-1")
    await session.wait_until_over()


def dial(*phones: str) -> Script:
    """Answers and rings the phones one after the other until one has talked, then hangs up."""

    async def script(session: Session) -> None:
        await session.command('EXEC Answer ",i"')
        for phone in phones:
            await session.command(f"EXEC Dial PJSIP/{phone},5,m")
            if await session.get("DIALSTATUS") == "ANSWER":
                break
        await session.command("SET VARIABLE ACD_DONE hangup")

    return script


async def _main() -> None:
    port, call_id = int(sys.argv[1]), sys.argv[2]

    async def script(session: Session) -> None:
        await take_in(session, call_id)
        print(json.dumps(session.env), flush=True)
        await session.wait_until_over()

    async with FastAgi(port, script):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())

"""The Asterisk end of one FastAGI session, scripted by the test: what a real one cannot do on demand."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Self

LIMIT_S = 5.0

_PLACE = re.compile(r"B\(acd-place\^s\^1\(([^()^,]*)\^([^()^,]*)\)\)")


def dial_without_place(command: str) -> str:
    """A dial without what it lets the caller's channel remember."""
    return _PLACE.sub("", command)


class FakeChannel:
    """A channel that has entered the AGI. Commands come in order; the test (or a rule) answers each."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.commands: list[str] = []
        self.variables: dict[str, str] = {}
        """Set by the engine, and read by it with GET FULL VARIABLE."""
        self.rules: dict[str, str] = {
            "EXEC Answer": "200 result=0",
            "EXEC MSet": "200 result=0",
            "EXEC Hangup": "200 result=-1",
            "SET VARIABLE": "200 result=1",
            "SET MUSIC": "200 result=0",
            "STREAM FILE": "200 result=0 endpos=8000",
        }
        """Answers by the beginning of a command; what has none is left to the test."""

    @classmethod
    async def enter(
        cls, port: int, uniqueid: str = "1763757000.1", *, script: str = "acd/call", call_id: str = "", **env: str
    ) -> Self:
        """Connect and send the environment, as Asterisk does."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        values = {
            "network": "yes",
            "network_script": script,
            "request": f"agi://127.0.0.1/{script}",
            "channel": "PJSIP/trunk-00000001",
            "language": "en",
            "type": "PJSIP",
            "uniqueid": uniqueid,
            "version": "22.10.1",
            "callerid": "+4930200100",
            "calleridname": "unknown",
            "callingpres": "0",
            "callingani2": "0",
            "callington": "0",
            "callingtns": "0",
            "dnid": "200",
            "rdnis": "unknown",
            "context": "acd-call",
            "extension": "200",
            "priority": "7",
            "enhanced": "0.0",
            "accountcode": "",
            "threadid": "140000000000000",
            "arg_1": call_id,
            **env,
        }
        writer.write("".join(f"agi_{name}: {value}\n" for name, value in values.items()).encode() + b"\n")
        return cls(reader, writer)

    async def next_command(self) -> str:
        """The next command of the engine; one that a rule answers is answered."""
        async with asyncio.timeout(LIMIT_S):
            line = await self._reader.readline()
        if not line:
            raise EOFError("the engine has closed the socket")
        command = line.decode().rstrip("\n")
        self.commands.append(command)
        self._take_variables(command)
        if command.startswith("GET FULL VARIABLE"):
            names = [part.strip("${}") for part in command.split(" ", 3)[3].strip('"').split("|")]
            self.reply(f"200 result=1 ({'|'.join(self.variables.get(name, '') for name in names)})")
            return command
        for beginning, answer in self.rules.items():
            if command.startswith(beginning):
                self.reply(answer)
        return command

    async def until(self, beginning: str) -> str:
        """Go on to the first command that begins like this, and return it."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                command = await self.next_command()
                if command.startswith(beginning):
                    return command

    async def closed(self) -> None:
        """Go on until the engine closes the socket."""
        async with asyncio.timeout(LIMIT_S):
            try:
                while True:
                    await self.next_command()
            except (EOFError, ConnectionError):
                return

    async def close(self) -> None:
        """Close our end, whatever the engine does."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    def reply(self, line: str) -> None:
        """Answer the last command, or say something unasked."""
        self._writer.write(line.encode() + b"\n")

    def hang_up(self) -> None:
        """The caller hangs up."""
        self.reply("HANGUP")

    def tear(self) -> None:
        """The socket is gone without a word."""
        self._writer.transport.abort()

    def ended_dial(self, status: str, **variables: str) -> None:
        """``Dial`` is over: set its variables, and answer the command."""
        self.variables |= {"DIALSTATUS": status, "HANGUPCAUSE": "", "ANSWEREDTIME": "", "DIALEDPEERNAME": ""}
        self.variables |= variables
        self.reply("200 result=0")

    def _take_variables(self, command: str) -> None:
        if remembered := _PLACE.search(command):
            self.variables |= {"ACD_CALL": remembered[1], "ACD_STATE": remembered[2]}
        if command.startswith("EXEC MSet "):
            pairs: Mapping[str, str] = dict(
                pair.split("=", 1) for pair in command.removeprefix("EXEC MSet ").strip('"').split(",")
            )
            self.variables |= pairs
        elif command.startswith("SET VARIABLE "):
            _, _, name, value = command.split(" ", 3)
            self.variables[name] = value.strip('"')

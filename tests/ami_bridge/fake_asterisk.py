"""A scripted Asterisk for what a real one can't do on demand: torn sockets, lost and late replies, a flood of events.

`FakeManager` is its AMI side, `FakeChannel` a channel that runs ``AGI(agi://…)``. Both write what Asterisk writes, in
its order and its words (``main/manager.c``, ``res/res_agi.c``).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

LIMIT_S = 5.0
"""How long a test waits for anything before it fails."""

Headers = list[tuple[str, str]]
Answer = Callable[["FakeSession", dict[str, str]], None]
"""Handles one action: writes replies and events to the session, or nothing."""


def block(headers: Iterable[tuple[str, str]]) -> bytes:
    """A message as Asterisk writes it."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("utf-8", "surrogateescape") + b"\r\n"


def event(name: str, headers: Mapping[str, str] | Headers | None = None, privilege: str = "call,all") -> bytes:
    """An event that goes to everyone."""
    items = list(headers.items()) if isinstance(headers, Mapping) else headers or []
    return block([("Event", name), ("Privilege", privilege), *items])


def channel_headers(
    uniqueid: str,
    channel: str = "PJSIP/caller-00000001",
    *,
    number: str = "1001",
    name: str = "Anna Li",
    prefix: str = "",
) -> Headers:
    """A channel description, header by header, as ``ast_manager_build_channel_state_string_prefix`` writes it."""
    return [
        (prefix + header, value)
        for header, value in (
            ("Channel", channel),
            ("ChannelState", "6"),
            ("ChannelStateDesc", "Up"),
            ("CallerIDNum", number),
            ("CallerIDName", name),
            ("ConnectedLineNum", "<unknown>"),
            ("ConnectedLineName", "<unknown>"),
            ("Language", "en"),
            ("AccountCode", ""),
            ("Context", "acd-inbound"),
            ("Exten", "100"),
            ("Priority", "1"),
            ("Uniqueid", uniqueid),
            ("Linkedid", uniqueid),
        )
    ]


class FakeSession:
    """One client's connection to a `FakeManager`."""

    def __init__(self, manager: FakeManager, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.manager = manager
        self.reader = reader
        self.writer = writer
        self.logged_in = False
        self.challenge = "271828"

    def write(self, data: bytes) -> None:
        """Write raw bytes."""
        if not self.writer.is_closing():
            self.writer.write(data)

    def reply(self, action: Mapping[str, str], response: str = "Success", headers: Headers | None = None) -> None:
        """Answer an action."""
        head = [("Response", response)]
        if "ActionID" in action:
            head.append(("ActionID", action["ActionID"]))
        self.write(block([*head, *(headers or [])]))

    def reply_list(self, action: Mapping[str, str], item: str, items: Sequence[Headers], complete: str) -> None:
        """Answer an action with a list of events."""
        self.reply(action, headers=[("EventList", "start"), ("Message", "A list will follow")])
        mark = [("ActionID", action["ActionID"])]
        for headers in items:
            self.write(block([("Event", item), *mark, *headers]))
        count = ("ListItems", str(len(items)))
        self.write(block([("Event", complete), *mark, ("EventList", "Complete"), count]))

    def cut(self) -> None:
        """Tear the socket."""
        self.writer.transport.abort()


class FakeManager:
    """Asterisk's manager. Set the attributes before or during a test; replace an entry of `answers` to misbehave."""

    def __init__(self, users: Mapping[str, str] | None = None) -> None:
        self.users = dict(users or {"acd": "s3cret"})
        self.banner = b"Asterisk Call Manager/11.0.0\r\n"
        self.fully_booted = True
        self.mute = False
        """Read, but answer nothing."""
        self.actions: list[dict[str, str]] = []
        """Everything that was asked, in order."""
        self.sessions: list[FakeSession] = []
        self.connections = 0
        self.port = 0
        """Where it listens, or did last."""
        self.channels: list[Headers] = []
        self.bridges: list[Headers] = []
        self.devices: list[Headers] = []
        self.answers: dict[str, Answer] = {
            "Challenge": lambda session, action: session.reply(action, headers=[("Challenge", session.challenge)]),
            "Login": self._login,
            "Ping": lambda session, action: session.reply(action, headers=[("Ping", "Pong"), ("Timestamp", "1.5")]),
            "Logoff": self._log_off,
            "CoreShowChannels": lambda session, action: session.reply_list(
                action, "CoreShowChannel", self.channels, "CoreShowChannelsComplete"
            ),
            "BridgeList": lambda session, action: session.reply_list(
                action, "BridgeListItem", self.bridges, "BridgeListComplete"
            ),
            "DeviceStateList": lambda session, action: session.reply_list(
                action, "DeviceStateChange", self.devices, "DeviceStateListComplete"
            ),
        }
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Condition()

    async def start(self, port: int = 0) -> int:
        """Listen on loopback; gives the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        """Stop listening and tear every connection."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await self.wait_for(lambda: not self.sessions)

    def cut(self) -> None:
        """Tear every connection."""
        for session in list(self.sessions):
            session.cut()

    def send(self, data: bytes) -> None:
        """Write raw bytes to every client that is logged in."""
        for session in self.sessions:
            if session.logged_in:
                session.write(data)

    def boot(self) -> None:
        """Tell every client that Asterisk is fully booted."""
        self.fully_booted = True
        self.send(event("FullyBooted", {"Status": "Fully Booted"}, "system,all"))

    def asked(self, name: str) -> list[dict[str, str]]:
        """The actions of one name, in order."""
        return [action for action in self.actions if action.get("Action") == name]

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something about this manager is so."""
        async with asyncio.timeout(LIMIT_S), self._changed:
            await self._changed.wait_for(condition)

    async def wait_asked(self, name: str, count: int = 1) -> list[dict[str, str]]:
        """Wait until an action has been asked so many times."""
        await self.wait_for(lambda: len(self.asked(name)) >= count)
        return self.asked(name)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = FakeSession(self, reader, writer)
        self.sessions.append(session)
        self.connections += 1
        await self._tell()
        session.write(self.banner)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in text.split("\r\n") if line)
                self.actions.append(action)
                await self._tell()
                if not self.mute:
                    self._answer(session, action)
        writer.close()
        self.sessions.remove(session)
        await self._tell()

    def _answer(self, session: FakeSession, action: dict[str, str]) -> None:
        answer = self.answers.get(action["Action"])
        if answer is not None:
            answer(session, action)
        else:
            session.reply(action, "Error", [("Message", f"Invalid/unknown command: {action['Action']}.")])

    def _login(self, session: FakeSession, action: dict[str, str]) -> None:
        secret = self.users.get(action.get("Username", ""))
        proof = hashlib.md5((session.challenge + (secret or "")).encode(), usedforsecurity=False).hexdigest()
        if secret is None or (action.get("Key") != proof and action.get("Secret") != secret):
            session.reply(action, "Error", [("Message", "Authentication failed")])
            session.writer.close()  # as Asterisk does, right behind its answer
            return
        session.logged_in = True
        session.reply(action, headers=[("Message", "Authentication accepted")])
        if self.fully_booted:
            session.write(event("FullyBooted", {"Uptime": "7", "Status": "Fully Booted"}, "system,all"))

    def _log_off(self, session: FakeSession, action: dict[str, str]) -> None:
        session.reply(action, "Goodbye", [("Message", "Thanks for all the fish.")])
        session.writer.close()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def parse_args(line: str) -> list[str]:
    """Cut an AGI command into words exactly as ``parse_args`` in ``res/res_agi.c`` does (a port, state by state)."""
    words: list[str] = []
    quoted = escaped = False
    whitespace = True

    def normal(character: str) -> None:
        nonlocal whitespace, escaped
        if whitespace:
            words.append("")
            whitespace = False
        words[-1] += character
        escaped = False

    for character in line:
        if character == '"' and not escaped:
            quoted = not quoted
            if quoted and whitespace:
                words.append("")
                whitespace = False
            escaped = False
        elif character in " \t" and not quoted and not escaped:
            whitespace = True
        elif character == "\\" and not escaped:
            escaped = True
        else:
            normal(character)
    return words


class FakeChannel:
    """A channel in ``AGI()``: connects, writes the environment, and lets the test read commands and answer them."""

    def __init__(self, script: str = "acd/call", *args: str, uniqueid: str = "1.1", **values: str) -> None:
        environment: dict[str, str] = {
            "network": "yes",
            "network_script": script,
            "request": f"agi://127.0.0.1/{script}",
            "channel": "PJSIP/caller-00000001",
            "language": "en",
            "type": "PJSIP",
            "uniqueid": uniqueid,
            "version": "22.10.1",
            "callerid": "1001",
            "calleridname": "Anna Li",
            "callingpres": "0",
            "callingani2": "0",
            "callington": "0",
            "callingtns": "0",
            "dnid": "100",
            "rdnis": "unknown",
            "context": "acd-inbound",
            "extension": "100",
            "priority": "3",
            "enhanced": "0.0",
            "accountcode": "",
            "threadid": "140123456789",
        }
        environment.update(values)
        environment.update((f"arg_{index}", arg) for index, arg in enumerate(args, 1))
        self.environment = "".join(f"agi_{name}: {value}\n" for name, value in environment.items()).encode() + b"\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self, port: int) -> FakeChannel:
        """Connect and write the environment."""
        await self.open(port)
        self.write(self.environment)
        return self

    async def open(self, port: int) -> None:
        """Connect only."""
        async with asyncio.timeout(LIMIT_S):
            self._streams = await asyncio.open_connection("127.0.0.1", port)

    @property
    def writer(self) -> asyncio.StreamWriter:
        """The socket's writing side."""
        assert self._streams is not None
        return self._streams[1]

    def write(self, data: bytes) -> None:
        """Write raw bytes."""
        self.writer.write(data)

    def reply(self, text: str) -> None:
        """Write an answer."""
        self.write(f"{text}\n".encode())

    async def command(self) -> list[str]:
        """The next command, as Asterisk cuts it into words; empty when the engine has closed the socket."""
        assert self._streams is not None
        async with asyncio.timeout(LIMIT_S):
            line = await self._streams[0].readline()
        return parse_args(line.decode().removesuffix("\n"))

    async def serve(self, answers: Sequence[str]) -> list[list[str]]:
        """Answer the next commands in turn; gives them."""
        commands = []
        for answer in answers:
            commands.append(await self.command())
            self.reply(answer)
        return commands

    async def wait_closed_by_engine(self) -> None:
        """Wait until the engine has closed the socket; what it still writes is dropped."""
        assert self._streams is not None
        async with asyncio.timeout(LIMIT_S):
            with contextlib.suppress(ConnectionError):
                while await self._streams[0].read(65536):
                    pass

    def cut(self) -> None:
        """Tear the socket, without a word."""
        self.writer.transport.abort()

    def hang_up(self) -> None:
        """Tell the engine that the caller has hung up; the socket stays open, as Asterisk leaves it."""
        self.write(b"HANGUP\n")

    async def close(self) -> None:
        """Close the socket as Asterisk does at the end."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def swallow(*_: Any) -> None:
    """A callback that does nothing."""

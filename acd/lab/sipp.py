"""SIPp as the SIP stack of callers and phones: one process, its messages as they pass, and orders to it.

SIPp runs a fixed scenario and we decide: when a call is to be answered, refused, cancelled or hung up, a small
made-up request (``XANSWER``, ``XHANGUP``, …) with the call's Call-ID is sent to SIPp's port, and the scenario goes on
from there. What passes is read from SIPp's message trace through a pipe, so every message has SIPp's own time stamp
and nothing is polled.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from acd.lab.children import dies_with_parent, end_process
from acd.lab.errors import SippError
from acd.lab.sip_trace import SipMessage, TraceParser

ORDER_PREFIX = "X"
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
PIPE_BYTES = 1 << 20
READ_BYTES = 1 << 16
ERROR_LINES = 12

Predicate = Callable[[SipMessage], bool]


class MessageLog:
    """Messages in the order in which SIPp saw them, and waiting for one."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.messages: list[SipMessage] = []
        self._waiting: list[tuple[Predicate, asyncio.Future[SipMessage]]] = []

    def add(self, message: SipMessage) -> None:
        """Takes a message and wakes those that wait for it."""
        self.messages.append(message)
        for entry in list(self._waiting):
            predicate, future = entry
            if future.done():
                self._waiting.remove(entry)
            elif predicate(message):
                self._waiting.remove(entry)
                future.set_result(message)

    async def wait_for(
        self, predicate: Predicate, timeout_s: float = 15.0, *, after: SipMessage | None = None
    ) -> SipMessage:
        """The first message that ``predicate`` accepts: one that passed already (after ``after``) or one to come.

        Raises TimeoutError with all messages so far in its text.
        """
        start = self.messages.index(after) + 1 if after is not None else 0
        for message in self.messages[start:]:
            if predicate(message):
                return message
        future: asyncio.Future[SipMessage] = asyncio.get_running_loop().create_future()
        entry = (predicate, future)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise TimeoutError(f"{self.title}: not seen within {timeout_s} s; so far:\n{self.story()}") from None
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)

    def fail(self, error: Exception) -> None:
        """Ends all waiting: nothing will come any more."""
        for _predicate, future in self._waiting:
            if not future.done():
                future.set_exception(error)
        self._waiting.clear()

    def story(self) -> str:
        """All messages, a line each."""
        return "\n".join(f"  {message}" for message in self.messages) or "  (nothing)"

    def count(self, predicate: Predicate) -> int:
        """How many of the messages so far ``predicate`` accepts."""
        return sum(1 for message in self.messages if predicate(message))


def order_text(method: str, headers: Sequence[str]) -> str:
    """A made-up request by which a scenario is told to go on."""
    return "\r\n".join([f"{method} sip:sipp SIP/2.0", *headers, "Content-Length: 0", "", ""])


def headers_like(message: SipMessage, *names: str) -> list[str]:
    """Header lines of a message, by names as SIPp wants them written (``Call-ID``, not ``Call-Id``)."""
    wanted = {name.lower(): name for name in names}
    return [f"{wanted[name]}: {value}" for name, value in message.headers if name in wanted]


class SippProcess:
    """A SIPp with one scenario on one UDP port of ``host``, facing ``remote_port`` of the same host.

    Messages go to ``on_message`` as they pass.
    """

    def __init__(
        self,
        command: Sequence[str],
        scenario: str,
        *,
        port: int,
        remote_port: int,
        arguments: Sequence[str] = (),
        files: dict[str, str] | None = None,
        host: str = "127.0.0.1",
        on_message: Callable[[SipMessage], None],
        on_end: Callable[[int], None] | None = None,
    ) -> None:
        self.port = port
        self.host = host
        self._remote = f"{host}:{remote_port}"
        self._command = command
        self._scenario = scenario
        self._arguments = arguments
        self._files = files or {}
        self._on_message = on_message
        self._on_end = on_end
        self._parser = TraceParser()
        self._process: asyncio.subprocess.Process | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._trace_fd = -1
        self._orders: socket.socket | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.returncode is None

    async def start(self, *, wait_for_port: bool = True) -> None:
        """Starts SIPp; returns when its port is open, unless told not to wait for that. Raises SippError."""
        self._folder = tempfile.TemporaryDirectory(prefix="acd-sipp-")
        folder = Path(self._folder.name)
        (folder / "scenario.xml").write_text(self._scenario)
        for name, text in self._files.items():
            (folder / name).write_text(text)
        trace = folder / "trace"
        os.mkfifo(trace, 0o600)
        # Open for reading and writing: then a pipe without a writer yet is no end of file.
        self._trace_fd = os.open(trace, os.O_RDWR | os.O_NONBLOCK)
        with contextlib.suppress(OSError):
            _set_pipe_size(self._trace_fd)
        asyncio.get_running_loop().add_reader(self._trace_fd, self._read)
        with (folder / "output").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *dies_with_parent(),
                *self._command,
                *("-sf", "scenario.xml", "-i", self.host, "-p", str(self.port), "-nostdin"),
                *("-trace_msg", "-message_file", str(trace), "-trace_err", "-error_file", "errors"),
                # The screen's clock and the watchdog of overload are of no use to us; digits of a second are.
                # One message, then what follows from it: more at once would find calls between two steps.
                *("-max_recv_loops", "1"),
                *("-f", "3600", "-watchdog_interval", "0", "-deadcall_wait", "10000", "-aa"),
                # SIPp answers to where the last message came from, and an order comes from us.
                *("-rsa", self._remote),
                *self._arguments,
                cwd=folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._orders = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._orders.setblocking(False)
        self._watch = asyncio.create_task(self._watch_end(self._process))
        if wait_for_port:
            await self._port_open(self._process)

    def order(self, message: str) -> None:
        """Sends a made-up request to the scenario."""
        if self._orders is not None and self.running:
            self._orders.sendto(message.encode(), (self.host, self.port))

    async def wait(self) -> int:
        """Waits for SIPp to end by itself; its exit code."""
        if self._process is None or self._watch is None:
            raise SippError("SIPp has not been started")
        await asyncio.shield(self._watch)
        return self._process.returncode or 0

    async def stop(self) -> None:
        """Ends SIPp at once, without a word to its calls' other ends."""
        if self._process is not None and self._process.returncode is None:
            end_process(self._process, signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await self._process.wait()
            except TimeoutError:
                end_process(self._process, signal.SIGKILL)
                await self._process.wait()
        if self._watch is not None:
            await self._watch
        if self._trace_fd >= 0:
            asyncio.get_running_loop().remove_reader(self._trace_fd)
            os.close(self._trace_fd)
            self._trace_fd = -1
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def errors(self) -> str:
        """SIPp's complaints (unexpected messages, …), its first lines."""
        if self._folder is None:
            return ""
        for name in ("errors", "output"):
            with contextlib.suppress(OSError):
                lines = [
                    line for line in (Path(self._folder.name) / name).read_text(errors="replace").splitlines() if line
                ]
                if lines:
                    return "\n".join(lines[:ERROR_LINES])
        return ""

    async def _port_open(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not _is_bound(self.host, self.port):
                    if process.returncode is not None:
                        raise SippError(f"SIPp ended at its start with code {process.returncode}:\n{self.errors()}")
                    await asyncio.sleep(0.002)
        except TimeoutError:
            raise SippError(f"SIPp did not open its port {self.port}:\n{self.errors()}") from None

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._trace_fd, READ_BYTES):
                for message in self._parser.feed(data):
                    if not (message.method or "").startswith(ORDER_PREFIX):
                        self._on_message(message)

    async def _watch_end(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        self._read()
        if self._on_end is not None:
            self._on_end(code)


def free_udp_port(host: str = "127.0.0.1") -> int:
    """A UDP port that is free at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_bound(host: str, port: int) -> bool:
    """Whether some process of this machine has the UDP port, by the kernel's own table: nothing is bound to see."""
    wanted = f":{port:04X}"
    address = "".join(f"{int(part):02X}" for part in reversed(host.split(".")))
    return f" {address}{wanted} " in Path("/proc/net/udp").read_text()


def _set_pipe_size(fd: int) -> None:
    fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

"""The engine as a child process: started with a lab's environment, waited for, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from acd.lab.children import dies_with_parent, end_process
from acd.lab.errors import EngineError

READY_TIMEOUT_S = 180.0
READY_PAUSE_S = 0.05
REQUEST_TIMEOUT_S = 2.0
STOP_TIMEOUT_S = 45.0
LOG_LINES_IN_ERROR = 12


def acd_command() -> tuple[str, ...]:
    """The command ``acd`` of this very installation."""
    script = Path(sys.executable).with_name("acd")
    if script.exists():
        return (str(script),)
    return (sys.executable, "-c", "from acd.cli import main; raise SystemExit(main())")


class EngineProcess:
    """An engine with ``env`` on top of our own environment; what it prints goes to ``log_path``."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], log_path: Path) -> None:
        self._command = tuple(command)
        self._env = dict(env)
        self._log_path = log_path
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    @property
    def returncode(self) -> int | None:
        """Its exit code once it has ended."""
        return self._process.returncode if self._process is not None else None

    async def start(self) -> None:
        """Starts the process. Raises EngineError when the command can't be run."""
        with self._log_path.open("ab") as log:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *dies_with_parent(),
                    *self._command,
                    env={**os.environ, **self._env},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C at the terminal is ours to handle, in our order
                )
            except OSError as failed:
                raise EngineError(f"the engine can't be started: {failed}") from failed

    async def ready(self, host: str, port: int, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Returns when ``/readyz`` answers 200. Raises EngineError with the end of the log when it does not."""
        process = self._running()
        try:
            async with asyncio.timeout(timeout_s):
                while not await _answers_200(host, port, "/readyz"):
                    if process.returncode is not None:
                        raise EngineError(f"the engine ended with code {process.returncode}.{self.log_tail()}")
                    await asyncio.sleep(READY_PAUSE_S)
        except TimeoutError:
            raise EngineError(f"the engine was not ready after {timeout_s:.0f} s.{self.log_tail()}") from None

    async def wait(self) -> int:
        """Waits until the engine ends by itself; its exit code."""
        return await self._running().wait()

    def ask_to_stop(self) -> None:
        """Asks the engine to end in good order; asked again, at once."""
        if self._process is not None:
            end_process(self._process, signal.SIGTERM)

    async def stop(self) -> None:
        """Ends the engine in good order; when that takes too long, at once."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    def crash(self) -> None:
        """Ends the engine as a crash would, without waiting for its end."""
        if self._process is not None:
            end_process(self._process, signal.SIGKILL)

    async def kill(self) -> None:
        """Ends the engine as a crash would."""
        if self._process is not None:
            self.crash()
            await self._process.wait()

    def log_tail(self) -> str:
        """The last lines of the engine's output, for an error's text."""
        with contextlib.suppress(OSError):
            lines = self._log_path.read_text(errors="replace").splitlines()[-LOG_LINES_IN_ERROR:]
            if lines:
                return "\n  " + "\n  ".join([f"Last lines of {self._log_path}:", *lines])
        return ""

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise EngineError("the engine has not been started")
        return self._process


async def _answers_200(host: str, port: int, path: str) -> bool:
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                status_line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status_line.startswith(b"HTTP/1.1 200 ")

"""A real Asterisk of one's own: rendered into a run folder, started, stopped, killed, started again.

It never touches ``/etc/asterisk`` nor a port that is taken, and it ends with the process that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from acd.lab.children import dies_with_parent, end_process
from acd.lab.errors import PbxError, RunFolderTakenError
from acd.lab.fetch import cache_home
from acd.lab.install import AsteriskInstall
from acd.lab.ports import Ports, choose_ports
from acd.lab.render import AMI_USER, LabSettings, Phone, render, with_password

BOOT_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
CLI_TIMEOUT_S = 15.0
CONNECT_PAUSE_S = 0.02
# A UNIX socket's path (asterisk.ctl) may have 107 bytes.
LONGEST_RUNTIME_DIR = 90
LOG_LINES_IN_ERROR = 8


class Pbx:
    """The lab's Asterisk. ``async with Pbx(install, folder, phones=[…]) as pbx:`` starts and stops it.

    ``host`` is the address that everything binds (``sip_host``: SIP and media, if they are to be reached from other
    machines), ``usual_ports`` prefers the well-known ports, ``dialplan_globals`` are settings such as ``ACD_FALLBACK``
    (see extensions_acd.conf), ``verbose`` is the level of full.log.
    """

    def __init__(
        self,
        install: AsteriskInstall,
        run_dir: Path,
        *,
        phones: Sequence[Phone] = (),
        host: str = "127.0.0.1",
        sip_host: str | None = None,
        ports: Ports | None = None,
        usual_ports: bool = True,
        dialplan_globals: Mapping[str, str] | None = None,
        verbose: int = 0,
    ) -> None:
        self.install = install
        self.run_dir = run_dir.absolute()
        self.host = host
        self.sip_host = sip_host if sip_host is not None else host
        self.phones = tuple(with_password(phone) for phone in phones)
        self.ami_user = AMI_USER
        self.ami_secret = secrets.token_hex(16)
        self._ports = ports
        self._usual_ports = usual_ports
        self._globals = dict(dialplan_globals or {})
        self._verbose = verbose
        self._process: asyncio.subprocess.Process | None = None
        self._lock: IO[str] | None = None
        self._runtime_dir: Path | None = None

    @property
    def ports(self) -> Ports:
        """The ports in use. Raises PbxError before the first start."""
        if self._ports is None:
            raise PbxError("the lab's Asterisk has not been started, so its ports are not chosen yet")
        return self._ports

    @property
    def sip_port(self) -> int:
        """UDP port of SIP."""
        return self.ports.sip

    @property
    def ami_port(self) -> int:
        """TCP port of AMI."""
        return self.ports.ami

    @property
    def agi_port(self) -> int:
        """TCP port at which Asterisk expects the engine's FastAGI."""
        return self.ports.agi

    @property
    def log_dir(self) -> Path:
        """Folder of messages.log (warnings, errors), full.log and console.log."""
        return self.run_dir / "log"

    @property
    def ami_secret_file(self) -> Path:
        """A file that holds the AMI secret alone (for ``ACD_AMI_PASSWORD_FILE``)."""
        return self.run_dir / "ami_password"

    @property
    def pid(self) -> int | None:
        """Asterisk's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    def phone(self, name: str) -> Phone:
        """A phone by name, with its password. Raises KeyError."""
        return next((phone for phone in self.phones if phone.name == name), None) or _unknown_phone(name)

    def engine_env(self) -> dict[str, str]:
        """The environment that connects an engine to this Asterisk."""
        return {
            "ACD_AMI_HOST": self.host,
            "ACD_AMI_PORT": str(self.ports.ami),
            "ACD_AMI_PASSWORD_FILE": str(self.ami_secret_file),
            "ACD_FASTAGI_HOST": self.host,
            "ACD_FASTAGI_PORT": str(self.ports.agi),
            "ACD_WEB_HOST": self.host,
            "ACD_WEB_PORT": str(self.ports.web),
            "ACD_STATE_DIR": str(self.run_dir / "engine" / "state"),
            "ACD_CACHE_DIR": str(spoken_prompts()),
            "ACD_RECORDINGS_DIR": str(self.run_dir / "engine" / "recordings"),
        }

    async def start(self) -> None:
        """Renders the configuration at the first start, starts Asterisk, returns when it is fully booted."""
        if self.pid is not None:
            raise PbxError("the lab's Asterisk runs already")
        try:
            if self._lock is None:
                self._take_run_dir()
                await self._render()
            await self._start()
        except BaseException:
            await self.kill()
            self._give_back()
            raise

    async def stop(self) -> None:
        """Ends Asterisk in good order (its calls are hung up) and gives the run folder back."""
        if self.pid is not None and self._process is not None:
            end_process(self._process, signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await self._process.wait()
            except TimeoutError:
                await self.kill()
        self._give_back()

    async def kill(self) -> None:
        """Ends Asterisk as a crash would; ``start()`` brings it back with the same ports and secret."""
        if self._process is not None and self._process.returncode is None:
            end_process(self._process, signal.SIGKILL)
            await self._process.wait()

    async def restart(self) -> None:
        """Stops and starts Asterisk, with the same configuration, ports and secret."""
        if self.pid is not None and self._process is not None:
            end_process(self._process, signal.SIGTERM)
            await self._process.wait()
        await self.start()

    async def wait(self) -> int:
        """Waits until Asterisk ends by itself; its exit code. Raises PbxError when it does not run."""
        if self._process is None:
            raise PbxError("the lab's Asterisk has not been started")
        return await self._process.wait()

    async def cli(self, command: str) -> str:
        """What Asterisk's command line answers to ``command``. Raises PbxError."""
        process = await asyncio.create_subprocess_exec(
            *self.install.asterisk,
            *("-C", str(self.run_dir / "etc" / "asterisk.conf"), "-rx", command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(CLI_TIMEOUT_S):
                output, _ = await process.communicate()
        except TimeoutError:
            end_process(process, signal.SIGKILL)
            await process.wait()
            raise PbxError(f"Asterisk did not answer to {command!r} within {CLI_TIMEOUT_S:.0f} s") from None
        text = output.decode(errors="replace")
        if process.returncode != 0:
            raise PbxError(f"Asterisk's command line: {text.strip()}")
        return text

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    async def _start(self) -> None:
        with (self.log_dir / "console.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *dies_with_parent(),
                *self.install.asterisk,
                *("-C", str(self.run_dir / "etc" / "asterisk.conf"), "-f"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.run_dir,
                start_new_session=True,  # Ctrl-C at the terminal is ours to handle, in our order
            )
        self._process = process
        try:
            async with asyncio.timeout(BOOT_TIMEOUT_S):
                await self._booted(process)
        except TimeoutError:
            raise PbxError(f"Asterisk was not ready after {BOOT_TIMEOUT_S:.0f} s.{self._log_tail()}") from None

    def _take_run_dir(self) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        lock = (self.run_dir / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise RunFolderTakenError(
                f"another lab runs in {self.run_dir}; stop it or name another folder with --run-dir"
            ) from None
        self._lock = lock
        end_leftover(self.run_dir)

    async def _render(self) -> None:
        if self._ports is None:
            self._ports = await asyncio.to_thread(choose_ports, self.sip_host, usual=self._usual_ports)
        runtime = self.run_dir / "run"
        if len(os.fsencode(runtime)) > LONGEST_RUNTIME_DIR:
            runtime = Path(tempfile.mkdtemp(prefix="acd-lab-"))
        runtime.mkdir(exist_ok=True)
        self._runtime_dir = runtime
        settings = LabSettings(
            run_dir=self.run_dir,
            runtime_dir=runtime,
            install=self.install,
            ports=self._ports,
            ami_secret=self.ami_secret,
            host=self.host,
            sip_host=self.sip_host,
            phones=self.phones,
            dialplan_globals=self._globals,
            verbose=self._verbose,
        )
        await asyncio.to_thread(render, settings)
        self.ami_secret_file.touch(0o600)
        self.ami_secret_file.write_text(self.ami_secret + "\n")
        for folder in ("state", "recordings"):
            (self.run_dir / "engine" / folder).mkdir(parents=True, exist_ok=True)

    async def _booted(self, process: asyncio.subprocess.Process) -> None:
        (self.run_dir / "asterisk.pid").write_text(f"{process.pid}\n")
        while True:
            if process.returncode is not None:
                raise PbxError(f"Asterisk ended at its start with code {process.returncode}.{self._log_tail()}")
            try:
                reader, writer = await asyncio.open_connection(self.host, self.ports.ami)
            except OSError:
                await asyncio.sleep(CONNECT_PAUSE_S)
                continue
            try:
                if await self._fully_booted(reader, writer):
                    break
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        # Asterisk goes on without SIP when the port is taken; a lab without phones is none.
        if f":{self.ports.sip}" not in await self.cli("pjsip show transports"):
            raise PbxError(f"Asterisk could not open its SIP port {self.sip_host}:{self.ports.sip}.{self._log_tail()}")

    async def _fully_booted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        login = f"Action: Login\r\nUsername: {self.ami_user}\r\nSecret: {self.ami_secret}\r\n\r\n"
        writer.write(login.encode())
        try:
            async for line in reader:
                if line.startswith(b"Event: FullyBooted"):
                    return True
                if line.startswith(b"Response: Error"):
                    raise PbxError(
                        f"the AMI at {self.host}:{self.ports.ami} refused the lab's secret: is it another Asterisk's?"
                    )
        except ConnectionError:
            return False
        return False

    def _log_tail(self) -> str:
        for name in ("messages.log", "console.log"):
            with contextlib.suppress(OSError):
                lines = (self.log_dir / name).read_text(errors="replace").splitlines()
                if lines:
                    return "\n  " + "\n  ".join([f"Last lines of {self.log_dir / name}:", *lines[-LOG_LINES_IN_ERROR:]])
        return ""

    def _give_back(self) -> None:
        if self._runtime_dir is not None and self._runtime_dir.parent != self.run_dir:
            shutil.rmtree(self._runtime_dir, ignore_errors=True)
        if self._lock is not None:
            (self.run_dir / "asterisk.pid").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None


def spoken_prompts() -> Path:
    """Where the engines of all this user's labs keep what they have spoken: it takes a minute or two to do it anew."""
    return cache_home(os.environ) / "spoken"


def end_leftover(run_dir: Path) -> None:
    """Ends the Asterisk of an earlier run in this folder that a crash of ours has left behind.

    Only a process whose command line names this folder's asterisk.conf is ours.
    """
    with contextlib.suppress(OSError, ValueError):
        pid = int((run_dir / "asterisk.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if os.fsencode(run_dir / "etc" / "asterisk.conf") in command:
            os.kill(pid, signal.SIGKILL)


def _unknown_phone(name: str) -> Phone:
    raise KeyError(f"the lab has no phone {name!r}")

"""The engine as a process of its own, attached to a lab's Asterisk, for the demo."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from acd.cli.client import ApiClient, ApiError
from acd.lab.children import dies_with_parent, end_process
from acd.lab.errors import LabError
from acd.lab.pbx import Pbx

__all__ = ["DemoEngine", "EngineError", "Status"]

Status = Mapping[str, Any]
"""What ``GET /api/status`` answers."""

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
POLL_S = 0.1
LOG_LINES_IN_ERROR = 8


class EngineError(LabError):
    """The engine did not start, or ended when it should not have."""


class DemoEngine:
    """``acd run`` on a lab's Asterisk. Use ``async with``: callers are served when it opens."""

    def __init__(self, pbx: Pbx, site: Path) -> None:
        self.log = pbx.log_dir / "engine.log"
        token = secrets.token_hex(16)
        self._site = site
        self._env = {
            **os.environ,
            **pbx.engine_env(),
            "ACD_ESPEAK_NG": shlex.join(pbx.install.espeak_ng),
            "ACD_API_TOKEN": token,
        }
        self._api = ApiClient(pbx.host, pbx.ports.web, token)
        self._process: asyncio.subprocess.Process | None = None

    async def status(self) -> Status:
        """How everything stands. Raises EngineError when the engine does not answer."""
        try:
            status: Status = await asyncio.to_thread(self._api.get, "status")
        except ApiError as error:
            raise EngineError(f"{error}{self._log_tail()}") from None
        return status

    async def __aenter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *dies_with_parent(),
                *(sys.executable, "-c", "import sys; from acd.cli import main; sys.exit(main())"),
                *("run", "--config", str(self._site)),
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C at the terminal is ours to handle, in our order
            )
        try:
            await self._ready(self._process)
        except BaseException:
            await self._stop(self._process)
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._process is not None:
            await self._stop(self._process)

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        said = "it does not answer on its web port"
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                while process.returncode is None:
                    try:
                        status: Status = await asyncio.to_thread(self._api.get, "status")
                    except ApiError:
                        status = {"ready": False, "reasons": [said]}
                    if status["ready"]:
                        return
                    said = "; ".join(status["reasons"])
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise EngineError(
                f"the engine was not ready after {READY_TIMEOUT_S:.0f} s: {said}{self._log_tail()}"
            ) from None
        raise EngineError(f"the engine ended at its start with code {process.returncode}{self._log_tail()}")

    async def _stop(self, process: asyncio.subprocess.Process) -> None:
        end_process(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            end_process(process, signal.SIGKILL)
            await process.wait()

    def _log_tail(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES_IN_ERROR:]
        except OSError:
            return ""
        return "\n  ".join([f"\n  Last lines of {self.log}:", *lines]) if lines else ""

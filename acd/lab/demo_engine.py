"""The engine of the demo: attached to a lab's Asterisk, and asked how everything stands."""

from __future__ import annotations

import asyncio
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from acd.cli.client import ApiClient, ApiError
from acd.lab.engine import EngineProcess, acd_command
from acd.lab.errors import EngineError
from acd.lab.pbx import Pbx

__all__ = ["DemoEngine", "Status"]

Status = Mapping[str, Any]
"""What ``GET /api/status`` answers, and beside it ``messages``, ``callbacks`` and ``surveys`` as they are told under
``/api/voicemail/messages``, ``/api/callbacks`` and ``/api/surveys``."""


class DemoEngine:
    """``acd run`` on a lab's Asterisk. Use ``async with``: callers are served when it opens. Raises EngineError."""

    def __init__(self, pbx: Pbx, site: Path) -> None:
        token = secrets.token_hex(16)
        env = {**pbx.engine_env(), "ACD_ESPEAK_NG": shlex.join(pbx.install.espeak_ng), "ACD_API_TOKEN": token}
        self._process = EngineProcess((*acd_command(), "run", "--config", str(site)), env, pbx.log_dir / "engine.log")
        self._pbx = pbx
        self._api = ApiClient(pbx.host, pbx.ports.web, token)

    async def status(self) -> Status:
        """How everything stands. Raises EngineError when the engine does not answer."""
        try:
            return await asyncio.to_thread(self._ask)
        except ApiError as error:
            raise EngineError(f"{error}{self._process.log_tail()}") from None

    def _ask(self) -> Status:
        return {
            **self._api.get("status"),
            "messages": self._api.get("voicemail", "messages")["messages"],
            "callbacks": self._api.get("callbacks")["callbacks"],
            "surveys": self._api.get("surveys")["surveys"],
        }

    async def __aenter__(self) -> Self:
        await self._process.start()
        try:
            await self._process.ready(self._pbx.host, self._pbx.ports.web)
        except BaseException:
            await self._process.stop()
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._process.stop()

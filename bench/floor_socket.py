"""The socket of a floor's caller: one command out, one reply in, and what follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

__all__ = ["FloorSocket"]


class FloorSocket(asyncio.Protocol):
    """Calls ``first`` with the environment's lines in ``_lines``, then whatever each command says follows its reply."""

    def __init__(self, first: Callable[[], None]) -> None:
        self._step = first
        self._lines = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Go on at each line's end; Asterisk sends one reply at a time."""
        self._lines += data
        if self._lines.endswith(b"\n"):
            self._step()

    def _write(self, command: bytes, following: Callable[[], None]) -> None:
        self._lines = b""
        self._step = following
        if self._transport is not None:
            self._transport.write(command)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

"""How late the event loop is: the first sign of an overloaded process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["watch_loop_lag"]

INTERVAL_S = 0.5


async def watch_loop_lag(observe: Callable[[float], None]) -> None:
    """Sleep again and again, and tell by how much each sleep was too long (seconds), until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        observe(max(0.0, loop.time() - due))

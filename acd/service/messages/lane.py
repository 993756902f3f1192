"""The messages to one destination: which is next, and when. One that is down is not asked by each of them."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from acd.service.messages.failures import TemporaryFailure
from acd.service.messages.spool import Entry

__all__ = ["BackOff", "Lane"]


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait after a failure: doubled each time, with chance so that not all come back at once (seconds)."""

    first_s: float = 5.0
    most_s: float = 300.0

    def wait_s(self, failures: int, uniform: Callable[[float, float], float]) -> float:
        """The wait after this many failures in a row, at least one: half to all of the doubled time."""
        doubled: float = min(self.first_s * 2.0 ** min(failures - 1, 40), self.most_s)
        return doubled * uniform(0.5, 1.0)


class Lane:
    """See the module. Times are the event loop's."""

    def __init__(self, back_off: BackOff, uniform: Callable[[float, float], float]) -> None:
        self._back_off = back_off
        self._uniform = uniform
        self._due: list[tuple[float, int, Entry]] = []
        self._entered = 0
        self._here: set[str] = set()
        self._failures: dict[str, int] = {}
        """Failures in a row of single messages."""
        self._down_until = 0.0
        self._down_failures = 0
        self._wake = asyncio.Event()
        self._closed = False
        self.attempt = 0
        """Changes whenever the destination has turned out to be down: attempts begun before tell nothing new."""
        self.last_failure = ""

    def enter(self, entry: Entry) -> None:
        """Let a message wait here, once."""
        if entry.key not in self._here:
            self._here.add(entry.key)
            self.again(entry, 0.0)

    def again(self, entry: Entry, in_s: float) -> None:
        """Let a message be next again in so long."""
        self._entered += 1
        heapq.heappush(self._due, (asyncio.get_running_loop().time() + in_s, self._entered, entry))
        self._wake.set()

    async def next(self) -> Entry | None:
        """Wait for the next message that is due, and take it out; None when the lane was closed."""
        now = asyncio.get_running_loop().time
        while not self._closed:
            due = max(self._due[0][0], self._down_until) if self._due else None
            if due is not None and due <= now():
                return heapq.heappop(self._due)[2]
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._wake.wait()
        return None

    def settle(self, entry: Entry) -> None:
        """Forget a message: it was delivered or given up."""
        self._here.discard(entry.key)
        self._failures.pop(entry.key, None)

    def succeeded(self, entry: Entry) -> None:
        """A message was delivered: the destination is there."""
        self.settle(entry)
        self._down_failures = 0
        if self._down_until:
            self._down_until = 0.0
            self._wake.set()

    def failed(self, entry: Entry, failure: TemporaryFailure, attempt: int, *, down: bool) -> float:
        """Let a message wait for another try; returns for how long. ``down``: all others as well."""
        self.last_failure = str(failure)
        if down:
            if attempt == self.attempt:
                self.attempt += 1
                self._down_failures += 1
                wait_s = max(failure.retry_after_s, self._back_off.wait_s(self._down_failures, self._uniform))
                self._down_until = asyncio.get_running_loop().time() + wait_s
            self.again(entry, 0.0)
            return max(0.0, self._down_until - asyncio.get_running_loop().time())
        failures = self._failures[entry.key] = self._failures.get(entry.key, 0) + 1
        wait_s = max(failure.retry_after_s, self._back_off.wait_s(failures, self._uniform))
        self.again(entry, wait_s)
        return wait_s

    def close(self) -> None:
        """Give out no more messages."""
        self._closed = True
        self._wake.set()

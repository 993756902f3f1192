"""What the two ends of a SIPp call have in common: its messages, orders one after the other, plans, and media."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any

from acd.lab.rtp import RtpEndpoint
from acd.lab.sip_trace import SipMessage
from acd.lab.sipp import MessageLog, Predicate, SippProcess, order_text

HANG_UP_TIMEOUT_S = 10.0


class Dialog(MessageLog):
    """One call at one end."""

    def __init__(self, title: str, process: SippProcess, rtp: RtpEndpoint | None = None) -> None:
        super().__init__(title)
        self.rtp = rtp
        self.problems: list[BaseException] = []
        self._process = process
        self._orders: deque[tuple[str, Predicate]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def end(self) -> SipMessage | None:
        """The message that ended the call: BYE by either end, CANCEL, or a refusal."""
        return next((message for message in self.messages if ends_call(message)), None)

    @property
    def ended_at(self) -> float | None:
        """When the call ended, seconds since the epoch by SIPp's clock."""
        return self.end.time_s if self.end is not None else None

    @property
    def answer_message(self) -> SipMessage | None:
        """The 200 to the INVITE."""
        return next((message for message in self.messages if message.is_response(200)), None)

    @property
    def answered_at(self) -> float | None:
        """When the call was answered, seconds since the epoch by SIPp's clock."""
        return self.answer_message.time_s if self.answer_message is not None else None

    async def answered(self, timeout_s: float = 15.0) -> SipMessage:
        """Waits until the call stands: the acknowledgement (ACK) of its answer. Raises TimeoutError."""
        return await self.wait_for(lambda message: message.is_request("ACK") and not self._refused(), timeout_s)

    async def ended(self, timeout_s: float = 15.0) -> SipMessage:
        """Waits for the message that ends the call. Raises TimeoutError."""
        return await self.wait_for(ends_call, timeout_s)

    def add(self, message: SipMessage) -> None:
        """Takes a message, and gives the next order when the one before has been carried out."""
        super().add(message)
        if self._orders and (self._orders[0][1](message) or ends_call(message)):
            self._orders.popleft()
            if self._orders:
                self._process.order(self._orders[0][0])

    async def close(self) -> None:
        """Ends what the plan still wanted to do, and the media end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.rtp is not None:
            await self.rtp.close()

    def order(self, method: str, headers: Sequence[str], done: Predicate) -> None:
        """Gives SIPp an order once the one before is ``done``: one that comes too early would spoil the call."""
        self._orders.append((order_text(method, headers), done))
        if len(self._orders) == 1:
            self._process.order(self._orders[0][0])

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Does work beside; an error in it is kept in ``problems``."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.problems.append(error)

    def _refused(self) -> bool:
        return any(message.status is not None and message.status >= 300 for message in self.messages)


def ends_call(message: SipMessage) -> bool:
    """Whether this message ends a call: BYE, CANCEL that a phone gets, a refusal of the INVITE."""
    if message.method == "BYE" or message.is_request("CANCEL", sent=False):
        return True
    return message.status is not None and message.status >= 300 and message.cseq_method == "INVITE"

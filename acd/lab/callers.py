"""Callers: people who call the lab's Asterisk through its trunk, by SIPp."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from acd.lab.dialog import HANG_UP_TIMEOUT_S, Dialog
from acd.lab.errors import SippError
from acd.lab.rtp import RtpEndpoint, deaf_port
from acd.lab.sip_trace import SipMessage
from acd.lab.sipp import SippProcess, free_udp_port, headers_like
from acd.lab.sipp_scenarios import caller_scenario, display_name, literal

RATE_PER_S = 10.0
STORIES_IN_ERROR = 3
_PLAIN = re.compile(r"[^;\[\]\\\r\n]*")


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What a caller does.

    ``digits`` are pressed after the answer: pairs of seconds to wait before (since the answer, or since the digit
    before) and the digits. ``hang_up_after_s`` counts from the answer; without it the caller stays until the other end
    hangs up. ``give_up_after_s`` counts from the call's beginning and only matters while it is not answered.
    ``listens`` gives the caller a media end of its own (``Call.rtp``), which digits need and which tells what is heard;
    callers without one are cheap and deaf. ``steady_media`` sends a frame every 20 ms, as real phones do;
    ``speaks`` makes that a tone instead of silence.
    """

    number: str
    caller_number: str = "+4930200100"
    caller_name: str = ""
    digits: Sequence[tuple[float, str]] = ()
    hang_up_after_s: float | None = None
    give_up_after_s: float | None = None
    listens: bool = False
    steady_media: bool = False
    speaks: bool = False

    @property
    def needs_media(self) -> bool:
        """Whether the caller has a media end of its own."""
        return self.listens or self.steady_media or self.speaks or bool(self.digits)


class Call(Dialog):
    """One call of a caller: its messages, what became of it, and what the caller does."""

    def __init__(self, plan: CallPlan, process: SippProcess, rtp: RtpEndpoint | None) -> None:
        super().__init__(f"call of {plan.caller_number} to {plan.number}", process, rtp)
        self.plan = plan
        if rtp is not None:
            rtp.talking = plan.speaks

    @property
    def call_id(self) -> str:
        """The Call-ID; empty before the INVITE has left."""
        return self.messages[0].call_id if self.messages else ""

    @property
    def hung_up_by_caller(self) -> bool:
        """Whether it was the caller who ended an answered call."""
        return self.end is not None and self.end.is_request("BYE", sent=True)

    async def press(self, digits: str) -> None:
        """Presses keys of the phone. Raises SippError if the plan gives this caller no media end."""
        if self.rtp is None:
            raise SippError("this caller has no media end: its plan needs listens=True")
        await self.answered()
        await self.rtp.press(digits)

    async def hang_up(self) -> None:
        """Gives up (CANCEL) or hangs up (BYE), as fits; returns when the call is over. Raises TimeoutError."""
        await self.wait_for(lambda message: message.status is not None)
        if self.end is None:
            headers = headers_like(self.messages[0], "Via", "From", "To", "Call-ID")
            self.order("XHANGUP", [*headers, "CSeq: 1 INVITE"], lambda message: message.method in ("CANCEL", "BYE"))
        await self.ended(HANG_UP_TIMEOUT_S)

    def take(self, message: SipMessage) -> None:
        """A message of this call passed."""
        self.add(message)
        if len(self.messages) == 1 and self.plan.give_up_after_s is not None:
            self.later(self._give_up(self.plan.give_up_after_s))
        if self.rtp is not None and not message.sent and (remote := message.media_address()) is not None:
            self.rtp.start(remote)
        if message is self.answer_message:
            self.later(self._follow_plan())

    async def _give_up(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        if self.answer_message is None and self.end is None:
            await self.hang_up()

    async def _follow_plan(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._press_planned())
            if self.plan.hang_up_after_s is not None:
                await asyncio.sleep(self.plan.hang_up_after_s)
                await self.hang_up()

    async def _press_planned(self) -> None:
        for after_s, digits in self.plan.digits:
            await asyncio.sleep(after_s)
            if self.rtp is not None and self.end is None:
                await self.rtp.press(digits)


class Callers:
    """A group of callers of one SIPp process, one after the other at ``rate_per_s``. Use ``async with``.

    ``calls[i]`` belongs to ``plans[i]``.
    """

    def __init__(
        self,
        sipp: Sequence[str],
        sip_port: int,
        plans: Sequence[CallPlan],
        *,
        rate_per_s: float = RATE_PER_S,
        host: str = "127.0.0.1",
    ) -> None:
        self.calls: list[Call] = []
        self._sipp = sipp
        self._sip_port = sip_port
        self._plans = plans
        self._rate_per_s = rate_per_s
        self._host = host
        self._process: SippProcess | None = None
        self._nobody: socket.socket | None = None

    async def start(self) -> None:
        """Starts the first call; the others follow by themselves. Raises SippError."""
        ends = [
            await RtpEndpoint.open(self._host, steady=plan.steady_media or plan.speaks) if plan.needs_media else None
            for plan in self._plans
        ]
        self._nobody = deaf_port(self._host)
        nobody: int = self._nobody.getsockname()[1]
        scenario, files, arguments = _scenario_for(self._plans, [end.port if end else nobody for end in ends])
        process = SippProcess(
            self._sipp,
            scenario,
            port=free_udp_port(self._host),
            remote_port=self._sip_port,
            files=files,
            arguments=(
                *(f"{self._host}:{self._sip_port}", "-m", str(len(self._plans)), "-l", str(len(self._plans))),
                *("-r", str(max(1, round(self._rate_per_s * 100))), "-rp", "100000", "-cid_str", "%u-%p@%s"),
                *arguments,
            ),
            host=self._host,
            on_message=self._take,
            on_end=self._process_ended,
        )
        self._process = process
        self.calls = [Call(plan, process, end) for plan, end in zip(self._plans, ends, strict=True)]
        await process.start(wait_for_port=False)

    async def finished(self, timeout_s: float) -> None:
        """Waits until all calls are over. Raises TimeoutError."""
        if self._process is None:
            raise SippError("the callers have not been started")
        try:
            async with asyncio.timeout(timeout_s):
                await self._process.wait()
        except TimeoutError:
            going = [call for call in self.calls if call.end is None]
            stories = "\n".join(f"{call.title}:\n{call.story()}" for call in going[:STORIES_IN_ERROR])
            raise TimeoutError(f"{len(going)} calls are not over after {timeout_s} s, such as:\n{stories}") from None

    async def stop(self) -> None:
        """Hangs up what still goes on and ends SIPp."""
        if self._process is not None and self._process.running:
            going = [call.hang_up() for call in self.calls if call.messages and call.end is None]
            await asyncio.gather(*going, return_exceptions=True)
        for call in self.calls:
            await call.close()
        if self._process is not None:
            await self._process.stop()
        if self._nobody is not None:
            self._nobody.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    def _take(self, message: SipMessage) -> None:
        # The Call-ID begins with the number of the call, from 1 (-cid_str).
        number = message.call_id.partition("-")[0]
        if number.isdigit() and 1 <= int(number) <= len(self.calls):
            self.calls[int(number) - 1].take(message)

    def _process_ended(self, code: int) -> None:
        complaints = self._process.errors() if self._process is not None else ""
        for call in self.calls:
            call.fail(SippError(f"{call.title}: SIPp has ended with code {code}\n{call.story()}\n{complaints}"))


def _scenario_for(plans: Sequence[CallPlan], ports: Sequence[int]) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """The scenario, the files and the arguments that let one SIPp make all the calls."""
    if len(plans) == 1:
        plan = plans[0]
        values = (literal(plan.number), literal(plan.caller_number), literal(display_name(plan.caller_name)))
        return caller_scenario(*values, str(ports[0])), {}, ()
    rows = [(plan.number, plan.caller_number, display_name(plan.caller_name)) for plan in plans]
    for row in rows:
        if not all(_PLAIN.fullmatch(value) for value in row):
            raise SippError(f"{row} has characters that only a caller who calls alone may have")
    named = "[field2]" if any(plan.caller_name for plan in plans) else ""
    table = "\n".join(["SEQUENTIAL", *(";".join((*row, str(port))) for row, port in zip(rows, ports, strict=True)), ""])
    return caller_scenario("[field0]", "[field1]", named, "[field3]"), {"calls.csv": table}, ("-inf", "calls.csv")

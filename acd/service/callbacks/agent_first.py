"""The agent's side of a callback: on the phone that was picked up the agent hears what it is, then the customer rings.

Until the customer answers, the engine takes the agent for reserved and the call for one that nobody has answered yet.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

import structlog

from acd.service.agi_line import AgiLine, Sounds
from acd.service.call_state import CALLED_BACK_VARIABLE
from acd.service.callbacks.entries import Callback
from acd.service.callbacks.policy import QueueCallbacks
from acd.service.late_legs import LateLeg, LateLegs
from acd.service.outbound import Outbound
from ami_bridge.agi_session import AgiError
from ami_bridge.translation import ANSWERED
from ivr.line import LineHungUp
from ivr.speech import Digits, DigitStyle, Prompt

__all__ = ["AgentFirst", "AgentResult"]

log = structlog.get_logger(__name__)

LONGEST_CALL_S = 4 * 3600
_ACCEPT = "1"
_ACCEPT_WITHIN_S = 5.0
_ACCEPT_TRIES = 2


class AgentResult(Enum):
    """What came of it."""

    REACHED = "reached"
    """The customer has answered."""
    UNREACHED = "unreached"
    """The customer's phone was rung, or could not be; nobody answered."""
    DECLINED = "declined"
    """The agent did not accept."""
    DROPPED = "dropped"
    """The agent hung up before the customer was dialled."""


@dataclass(frozen=True, slots=True)
class AgentFirst:
    """``outbound``: what may be dialled now. ``language``: of the agents."""

    late: LateLegs
    outbound: Callable[[], Outbound]
    sounds: Sounds
    language: Callable[[], str]

    async def talk(
        self, leg: LateLeg, entry: Callback, how: QueueCallbacks, dialling: Callable[[], Awaitable[Callback]]
    ) -> AgentResult:
        """Serve the agent's line to the end of the talk. ``dialling`` is awaited before the customer's phone rings."""
        if leg.line is None:
            return AgentResult.DROPPED
        line = AgiLine(leg.line, self.sounds, _nowhere, answered=True)
        try:
            await line.set_language(self.language())
            if not await self._introduced(line, entry, how):
                return AgentResult.DECLINED
        except LineHungUp:
            return AgentResult.DROPPED
        attempt = await dialling()
        self.late.connecting(leg)
        try:
            return await self._dial(line, leg, attempt, how)
        except LineHungUp:
            return AgentResult.REACHED if leg.talked or await _was_answered(leg) else AgentResult.UNREACHED

    async def _introduced(self, line: AgiLine, entry: Callback, how: QueueCallbacks) -> bool:
        """Tell the agent what this is; False if the agent was to accept it and has not."""
        if not how.accept:
            await line.play((Prompt("callback-agent"),))
            return True
        said = (Prompt("callback-for"), Digits(entry.number, DigitStyle.PHONE), Prompt("callback-accept"))
        for _ in range(_ACCEPT_TRIES):
            await line.play(said, _ACCEPT)
            key = await line.read_digit(_ACCEPT_WITHIN_S)
            if key:
                return key == _ACCEPT
        return False

    async def _dial(self, line: AgiLine, leg: LateLeg, entry: Callback, how: QueueCallbacks) -> AgentResult:
        device = self.outbound().device(entry.number)
        if device is None:
            log.error("callback not dialled: outbound does not allow it", call_id=entry.id, number=entry.number)
            return AgentResult.UNREACHED
        site = entry.dialled if entry.dialled.lstrip("+").isdigit() else ""
        await line.set_variable("CALLERID(num)", site)
        await line.set_variable(f"_{CALLED_BACK_VARIABLE}", f"{entry.id}|{entry.queue}")  # _: for whom it dials, too
        log.info("customer is called back", call_id=entry.id, number=entry.number, attempt=entry.attempts)
        # No option lets either end transfer; g: the engine ends the call, as ever.
        await line.run_application("Dial", f"{device},{how.ring_s:g},grL({LONGEST_CALL_S * 1000})")
        (status,) = await line.read_variables(("DIALSTATUS",))
        if status == ANSWERED or leg.talked:
            return AgentResult.REACHED
        await line.play((Prompt("callback-not-reached"),))
        return AgentResult.UNREACHED


async def _was_answered(leg: LateLeg) -> bool:
    """The agent hung up first: ask the line, which still tells, whether the customer had answered."""
    if leg.line is None:
        return False
    try:
        reply = await leg.line.command("GET VARIABLE", "DIALSTATUS", timeout_s=2.0, even_if_dead=True)
    except AgiError:
        return False
    return reply.value == ANSWERED


async def _nowhere() -> None:
    """There is no place to be noted."""

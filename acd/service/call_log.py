"""A call's way in the log, a line for each step, so that an operator can follow it by its ``call_id``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from acd.core.calls import Call
from acd.core.commands import AddLeg, AgentStateChanged, CancelOffer, ChangeQueue, Command, OfferCall, Overflow
from acd.core.events import CallEnded, Event, LegFailed, OfferBridged, OfferEnded, TalkEnded

__all__ = ["CallLog"]

log = structlog.get_logger(__name__)


class CallLog:
    """Writes the steps. ``calls`` and ``ended`` are the engine's; ``observe`` is for ``EngineHost.observe``."""

    def __init__(self, calls: Mapping[str, Call], ended: Mapping[str, Call]) -> None:
        self._calls = calls
        self._ended = ended

    def observe(self, sequence: int, event: Event, now: float, commands: Sequence[Command]) -> None:  # noqa: ARG002
        """Log what the input means for its call, and what it led to."""
        self._log_event(event, now)
        for command in commands:
            self._log_command(command)

    def _log_event(self, event: Event, now: float) -> None:
        match event:
            case OfferBridged():
                call = self._calls.get(_call_of(event.offer_id))
                if call is not None and call.agent is not None and call.agent.id == event.agent_id:
                    waited_s = round(now - call.entered_at, 3)
                    log.info("call answered", call_id=call.id, agent=event.agent_id, waited_s=waited_s)
            case LegFailed():
                call_id = _call_of(event.offer_id)
                log.info("offer not taken", call_id=call_id, agent=event.agent_id, reason=event.reason.value)
            case OfferEnded():
                log.info("offer ended", call_id=_call_of(event.offer_id), reason=event.reason.value)
            case TalkEnded():
                log.info("talk ended", call_id=event.call_id)
            case CallEnded():
                self._log_end(event.call_id, now)

    def _log_end(self, call_id: str, now: float) -> None:
        call = self._ended.get(call_id)
        if call is not None and call.since == now:
            talked = call.answered_at is not None
            log.info("call ended", call_id=call_id, answered=talked, lasted_s=round(now - call.arrived_at, 3))

    @staticmethod
    def _log_command(command: Command) -> None:
        match command:
            case OfferCall():
                log.info("call offered", call_id=command.call_id, queue=command.queue, agents=command.agent_ids)
            case AddLeg():
                log.info("one more phone rings", call_id=command.call_id, agent=command.agent_id)
            case CancelOffer():
                log.info("offer taken back", call_id=command.call_id, reason=command.reason)
            case ChangeQueue():
                log.info("call overflows", call_id=command.call_id, to=f"queue {command.queue}", reason=command.reason)
            case Overflow():
                to = f"{command.action.kind} {command.action.target}".strip()
                log.info("call overflows", call_id=command.call_id, to=to, reason=command.reason)
            case AgentStateChanged(reason="missed-calls" | "login-limit" | "reconciled"):
                log.warning("agent", agent=command.agent_id, state=command.state, reason=command.reason)


def _call_of(offer_id: str) -> str:
    return offer_id.rpartition(".")[0]

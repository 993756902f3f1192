"""All callers' sessions, and the way of the engine's commands to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import structlog

from acd.core.commands import (
    AddLeg,
    AgentStateChanged,
    Announce,
    CancelLeg,
    CancelOffer,
    ChangeQueue,
    Command,
    FaultFound,
    OfferCall,
    Overflow,
    VerifyOffer,
)
from acd.core.events import CallEnded, CallLeftQueue, LegFailure, OfferEnded
from acd.service.call_session import CallSession
from acd.service.callbacks.desk import Callbacks
from acd.service.lookups.customers import Customer
from acd.service.queue_stay import QueueStay
from acd.service.session_tools import SessionTools
from ami_bridge.agi_session import AgiSession
from ivr.context import CallContext

__all__ = ["Sessions"]

log = structlog.get_logger(__name__)


class WithoutLine(Protocol):
    """Has calls of the engine without a caller's line to us."""

    def owns(self, call_id: str) -> bool:
        """Tell whether a call is one of these."""
        ...

    def take(self, command: Command, call_id: str) -> None:
        """Carry out a command for one of these."""

    def fault(self, command: FaultFound, call_id: str) -> None:
        """The engine has let go of one of these after a fault."""


class Sessions:
    """The live sessions, by call and by the caller's channel.

    ``ask_who_answered(session, offer)`` finds out through AMI which of several phones took a call.
    """

    def __init__(self, ask_who_answered: Callable[[CallSession, VerifyOffer], None]) -> None:
        self._ask_who_answered = ask_who_answered
        self._tools: SessionTools | None = None
        self._callbacks: Callbacks | None = None
        self._without_line: tuple[WithoutLine, ...] = ()
        self._by_call: dict[str, CallSession] = {}
        self._by_uniqueid: dict[str, CallSession] = {}
        self._releasing = False
        self._on_agent_state: Callable[[str], None] = _nothing
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            OfferCall: self._offer,
            AddLeg: lambda command: self._to_stay(command.call_id, QueueStay.add_leg, command),
            CancelLeg: lambda command: self._to_stay(command.call_id, QueueStay.cancel_leg, command),
            CancelOffer: lambda command: self._to_stay(command.call_id, QueueStay.cancel, command),
            Announce: lambda command: self._to_stay(command.call_id, QueueStay.announce, command),
            Overflow: lambda command: self._to_stay(command.call_id, QueueStay.overflowed, command),
            ChangeQueue: lambda command: self._to_stay(command.call_id, QueueStay.change_queue, command),
            VerifyOffer: self._verify,
            AgentStateChanged: lambda command: self._on_agent_state(command.agent_id),
            FaultFound: self._fault,
        }

    def connect(
        self,
        tools: SessionTools,
        on_agent_state: Callable[[str], None],
        callbacks: Callbacks,
        items: WithoutLine | None = None,
    ) -> None:
        """Give what sessions use, who hears that an agent's state has changed, and who has the calls without a line.

        Once, before the first caller.
        """
        self._tools = tools
        self._callbacks = callbacks
        self._without_line = (callbacks,) if items is None else (callbacks, items)
        self._on_agent_state = on_agent_state

    def __iter__(self) -> Iterator[CallSession]:
        return iter(self._by_call.values())

    def __len__(self) -> int:
        return len(self._by_call)

    def of_call(self, call_id: str) -> CallSession | None:
        """The session of a call, if its caller's line is with us."""
        return self._by_call.get(call_id)

    def of_uniqueid(self, uniqueid: str) -> CallSession | None:
        """The session on a channel."""
        return self._by_uniqueid.get(uniqueid)

    def context_of(self, call_id: str) -> CallContext | None:
        """What the menus know of a call, if its caller's line is with us."""
        session = self._by_call.get(call_id)
        return session.context if session is not None else None

    async def serve(self, agi: AgiSession) -> None:
        """Serve a caller who has come in, to the end."""
        if self._tools is None or self._releasing:
            return  # without ACD_DONE: the caller hears music and enters again
        await CallSession(agi, self._tools).run(self._begin, self._end)

    def let_go_waiting(self) -> int:
        """Give all callers who do not talk back to the dialplan, where they hear music and enter the next engine.

        Returns how many are left, talking or ringing.
        """
        self._releasing = True
        for session in list(self._by_call.values()):
            if session.stay is None or not session.stay.is_engaged:
                session.let_go()
                self._end(session)
        return len(self._by_call)

    def let_go_all(self) -> None:
        """Give up every line, whatever its caller does; a talk goes on in Asterisk."""
        for session in list(self._by_call.values()):
            session.let_go()
            self._end(session)

    def customer(self, call_id: str) -> Customer | None:
        """Who calls, if the line is with us."""
        session = self._by_call.get(call_id)
        return session.customer if session is not None else None

    async def wait_no_longer(self, call_id: str) -> None:
        """The caller has been promised a callback: the channel need not keep the place in the queue."""
        session = self._by_call.get(call_id)
        if session is not None:
            await session.waits_no_longer()

    def on_event(self, event: Mapping[str, str]) -> None:
        """Take an AMI event: a key that a caller has pressed."""
        if event.get("Event") == "DTMFEnd" and event.get("Direction") == "Received":
            session = self._by_uniqueid.get(event.get("Uniqueid", ""))
            if session is not None:
                session.key(event.get("Digit", ""))

    def dispatch(self, command: Command) -> None:
        """Hand a command of the engine to whom it is for."""
        kind, _, name = command.entity.partition(" ") if isinstance(command, FaultFound) else ("call", "", "")
        call_id = (name or getattr(command, "call_id", "")) if kind == "call" else ""
        for owner in self._without_line if call_id else ():
            if owner.owns(call_id):
                if isinstance(command, FaultFound):
                    owner.fault(command, call_id)
                else:
                    owner.take(command, call_id)
                return
        self._handlers[type(command)](command)

    def _begin(self, session: CallSession) -> None:
        older = self._by_call.get(session.call_id)
        if older is not None:
            log.info("caller came in again before the old line was given up", call_id=session.call_id)
            older.supersede()
            self._end(older)
        self._by_call[session.call_id] = session
        self._by_uniqueid[session.uniqueid] = session
        if self._callbacks is not None:
            self._callbacks.came_in(session.call_id)

    def _end(self, session: CallSession) -> None:
        if self._by_call.get(session.call_id) is session:
            del self._by_call[session.call_id]
        if self._by_uniqueid.get(session.uniqueid) is session:
            del self._by_uniqueid[session.uniqueid]

    def _stay(self, call_id: str) -> QueueStay | None:
        session = self._by_call.get(call_id)
        return session.stay if session is not None else None

    def _to_stay(self, call_id: str, action: Callable[[QueueStay, Any], None], command: Command) -> None:
        stay = self._stay(call_id)
        if stay is not None:
            action(stay, command)

    def _offer(self, command: OfferCall) -> None:
        stay = self._stay(command.call_id)
        if stay is not None:
            stay.offer(command)
        else:
            self._not_waiting(command.call_id)

    def _not_waiting(self, call_id: str) -> None:
        """The engine believes that a caller waits who does not: it must know before it makes the next offer."""
        if self._tools is None:
            return
        log.error("offer for a caller who does not wait", call_id=call_id)
        ended = CallEnded(call_id) if call_id not in self._by_call else CallLeftQueue(call_id, "does not wait")
        self._tools.post(ended)

    def _verify(self, command: VerifyOffer) -> None:
        """An offer outlived its time. While its dial is under way somebody has answered, or AMI would have told."""
        stay = self._stay(command.call_id)
        session = self._by_call.get(command.call_id)
        if self._tools is None:
            return
        if session is None or stay is None:
            self._not_waiting(command.call_id)
        elif stay.connecting is not None and stay.connecting.offer_id == command.offer_id:
            if stay.connecting.connecting:
                self._tools.stay.late.bridged(stay.connecting)
        elif stay.dialling is None or stay.dialling.offer_id != command.offer_id:
            stay.drop(command.offer_id)
            self._tools.stay.late.cancel_offer(command.offer_id)
            self._tools.post(OfferEnded(command.offer_id, LegFailure.CANCELLED))
        elif len(stay.dialling.agent_ids) == 1:
            self._tools.stay.tracker.connected_by_inquiry(command.offer_id, stay.dialling.agent_ids[0])
        else:
            self._ask_who_answered(session, command)

    def _fault(self, command: FaultFound) -> None:
        log.error("engine fault", entity=command.entity, fault=command.message, story=command.story)
        kind, _, call_id = command.entity.partition(" ")
        stay = self._stay(call_id) if kind == "call" else None
        if stay is not None:
            stay.lost()


def _nothing(_: object) -> None:
    """Nobody asked to be told."""

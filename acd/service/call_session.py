"""One caller's call: a coroutine over the caller's AGI socket, from the first entry to the end.

A caller enters with an empty ``ACD_CALL``. One who enters with it set was with an engine before, which died or let go:
the state on the channel tells where the caller was, and the caller goes on there, in the old place of the queue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import structlog
from structlog.typing import FilteringBoundLogger

from acd.core.calls import Call
from acd.core.commands import ChangeQueue, Overflow
from acd.core.events import CallArrived, CallEnded, CallQueued, Event, TalkEnded
from acd.core.specs import OverflowActionKind
from acd.core.transitions import CallState
from acd.service.agi_line import AgiLine, Sounds
from acd.service.call_state import (
    CALL_VARIABLE,
    STATE_VARIABLE,
    CallPhase,
    CallStateError,
    StoredCall,
    is_call_id,
)
from acd.service.callbacks.desk import Callback, Callbacks
from acd.service.clocks import Clocks
from acd.service.compile import Customer
from acd.service.overflow import After, OverflowActions
from acd.service.queue_stay import QueueStay, StayEnd, StayTools
from ami_bridge.agi_session import AgiSession
from ami_bridge.translation import ANSWERED
from ivr.context import CallContext
from ivr.interpreter import Interpreter
from ivr.line import LineHungUp
from ivr.outcome import Enqueue, NodeId, Outcome
from ivr.record import OnStep, StepRecord
from ivr.speech import Prompt

__all__ = ["CallSession", "SessionTools"]

log: FilteringBoundLogger = structlog.get_logger(__name__)

_RESUME = (STATE_VARIABLE, "DIALSTATUS", "ANSWEREDTIME", "DIALEDPEERNAME", "BLINDTRANSFER")
_MOST_REQUEUES = 3
"""So often a call is queued again that the engine let go of after a fault, or that could not go where it was sent."""
_LONGEST_CALLER_CHARS = 80
CALLBACK_BEGINS_S = 1.0
"""So long after the caller's own call has ended the callback begins to wait (seconds)."""
_NUMBER = re.compile(r"\+?[0-9]{3,24}")


@dataclass(frozen=True, slots=True)
class SessionTools:
    """What a session uses of the process around it."""

    post: Callable[[Event], None]
    calls: Mapping[str, Call]
    """The engine's live calls, to read."""
    clocks: Clocks
    new_call_id: Callable[[], str]
    interpreter: Callable[[OnStep], Interpreter]
    entry_node: Callable[[str], NodeId]
    """Where a caller who dialled this number enters the menus."""
    sounds: Sounds
    taken_over: Callable[[str], None]
    """Told when a caller (Uniqueid) comes in whose talk was being followed without a line to us."""
    stay: StayTools
    overflow: OverflowActions
    set_variable: Callable[[str, str, str], bool]
    """Set a variable (channel, name, value) beside the line, which may be busy; False: that cannot be done now."""
    can_set_variable: Callable[[], bool]
    callbacks: Callbacks
    call_later: Callable[[float, Callable[[], None]], object]
    customer: Callable[[str], Customer | None]
    """Who calls from this number, if it is known."""


@dataclass(slots=True)
class _Place:
    """Where the call is, as far as its channel must remember it."""

    arrived_at: float
    dialled: str
    node: str = ""
    saved: str = ""
    """The node that the channel remembers."""
    queued: Enqueue | None = None
    entered_at: float = 0.0
    """Wall-clock seconds."""
    data: dict[str, str] = field(default_factory=dict)


class CallSession:
    """See the module. ``run`` is the whole life; commands of the engine reach the stay in a queue by ``stay``."""

    def __init__(self, agi: AgiSession, tools: SessionTools) -> None:
        self._agi = agi
        self._tools = tools
        self._line = AgiLine(agi, tools.sounds, self._note_place)
        self._place = _Place(tools.clocks.wall(), _dialled(agi))
        self._context = CallContext(call_id="")
        self._ended = False
        self._requeues = 0
        self.call_id = ""
        self.stay: QueueStay | None = None
        """While the caller is in a queue, ringing and talking included."""

    @property
    def uniqueid(self) -> str:
        """Uniqueid of the caller's channel."""
        return self._agi.uniqueid

    @property
    def channel(self) -> str:
        """Name of the caller's channel."""
        return self._agi.channel

    async def run(self, begin: Callable[[CallSession], None], end: Callable[[CallSession], None]) -> None:
        """Serve the caller. ``begin`` is called once the call's id is known, ``end`` when the line is given up."""
        try:
            stored = await self._stored()
            self.call_id = self._agi.args[0] if stored is not None else self._tools.new_call_id()
            self._context = self._new_context()
            begin(self)
            self._agi.on_hangup(lambda: self._end(end))
            if not self._agi.ended:
                await self._serve(stored)
        except LineHungUp as reason:
            log.debug("caller gone", call_id=self.call_id, why=str(reason))
        finally:
            if self.call_id:
                self._end(end)

    def let_go(self) -> None:
        """Give the caller back to the dialplan, which enters again: the engine is told nothing."""
        self._ended = True
        self._tools.stay.late.let_go(self.call_id)
        self._agi.close()

    def supersede(self) -> None:
        """The caller has come in again on another line: give this one up, and tell the engine that it ended."""
        self._agi.abort()
        self._end(_nothing)

    def _end(self, end: Callable[[CallSession], None]) -> None:
        if not self._ended:
            self._ended = True
            self._tools.stay.tracker.caller_gone(self.uniqueid)
            self._tools.stay.late.call_gone(self.call_id)
            self._tools.post(CallEnded(self.call_id))
        end(self)

    # The way through.

    async def _serve(self, stored: StoredCall | None) -> None:
        arrived = CallArrived(self.call_id, self._context.caller, self._place.dialled)
        outcome: Outcome | None
        if stored is None:
            log.info("call arrived", call_id=self.call_id, caller=arrived.caller, dialled=arrived.dialled)
            self._tools.post(arrived)
            outcome = await self._walk(self._tools.entry_node(self._place.dialled))
        else:
            outcome = await self._resume(stored, arrived)
        while isinstance(outcome, Enqueue):
            outcome = await self._queue(outcome)
        if not self._line.released:
            await self._line.hangup("normal")

    async def _walk(self, node: NodeId) -> Outcome:
        self._place.queued = None
        self._place.node = node
        return await self._tools.interpreter(self._on_step).run(self._line, self._context, node)

    async def _queue(self, enqueue: Enqueue, entered_at: float | None = None) -> Outcome | None:
        """Let the caller wait and talk; returns what the menus make of the caller afterwards, None: nothing more."""
        clocks = self._tools.clocks
        place = self._place
        place.queued = enqueue
        place.entered_at = clocks.wall() if entered_at is None else entered_at
        await self._line.answer()
        # Who finds an agent idle is dialled for before anything else, and the channel told beside that; unless the dial
        # itself needs what the channel is told.
        needed = entered_at is not None or self._tools.stay.variables() or not self._tools.can_set_variable()
        if needed:
            await self._save()
        since = None if entered_at is None else clocks.to_monotonic(entered_at)
        end, overflow = await self._stay(since, saved=bool(needed))
        while end is not StayEnd.TALKED:
            if overflow is not None:
                if overflow.action.kind is OverflowActionKind.MENU:
                    self._line.forget_keys()
                    return await self._walk(NodeId(overflow.action.target))
                if await self._go_elsewhere(overflow) is After.OVER:
                    return None
                await self._save()
            self._requeues += 1
            if self._requeues > _MOST_REQUEUES:
                log.error("call goes to the dialplan's fall-back", call_id=self.call_id, why="it came back too often")
                await self._line.release("fallback")
                return None
            end, overflow = await self._stay(clocks.to_monotonic(place.entered_at))
        return await self._walk(enqueue.then) if enqueue.then is not None else None

    async def _stay(self, entered_at: float | None, *, saved: bool = True) -> tuple[StayEnd, Overflow | None]:
        """Let the caller wait where ``place`` says.

        ``entered_at``: on the engine's clock, None: from now on. ``saved``: the channel remembers the place already.
        """
        queued = self._place.queued
        if queued is None:
            raise LookupError(f"call {self.call_id} is in no queue")
        customer = self._customer()
        self.stay = stay = QueueStay(
            self._agi, self._line, self.call_id, queued.queue, self._tools.stay, self._queue_changed
        )
        try:
            self._tools.post(
                CallQueued(
                    self.call_id,
                    queued.queue,
                    priority=queued.priority + customer.priority,
                    requires=tuple(sorted(queued.requires.items())),
                    entered_at=entered_at,
                    customer=customer.id,
                    agent=customer.agent,
                    language=queued.language,
                )
            )
            log.info("call queued", call_id=self.call_id, queue=queued.queue)
            if not saved:
                await self._save_beside(stay)
            return await stay.run(), stay.overflow
        finally:
            self.stay = None

    async def _go_elsewhere(self, overflow: Overflow) -> After:
        if overflow.action.kind is OverflowActionKind.CALLBACK:
            return await self._promise_callback(overflow.action.target)
        return await self._tools.overflow.carry_out(overflow, self._line, self.call_id)

    async def _promise_callback(self, queue: str) -> After:
        """Let the caller hang up and keep the place in the queue, if there is a number that may be called back."""
        callbacks, customer, queued = self._tools.callbacks, self._customer(), self._place.queued
        promised = callbacks.promise(
            Callback(
                id="",
                number=self._context.caller,
                queue=queue,
                entered_at=self._place.entered_at,
                dialled=self._place.dialled,
                priority=customer.priority + (queued.priority if queued is not None else 0),
                requires=tuple(sorted(queued.requires.items())) if queued is not None else (),
                customer=customer.id,
                agent=customer.agent,
                language=self._context.language,
            )
        )
        if promised is None:
            log.warning("no callback: outbound does not allow the caller's number", call_id=self.call_id)
            return After.BACK
        try:
            await self._tools.overflow.let_go(self._line)
            await self._line.play((Prompt("callback-promised"),))
            await self._line.hangup("normal")
        finally:
            if promised.attempts == 0:
                # Not while the caller's own phone is still busy with this call.
                self._tools.call_later(CALLBACK_BEGINS_S, partial(callbacks.begin, promised))
        return After.OVER

    def _customer(self) -> Customer:
        """Who calls. A number that is not known is a customer of its own, if it is one that can be dialled."""
        number = self._context.caller
        known = self._tools.customer(number)
        return known or Customer(number if _NUMBER.fullmatch(number) else "")

    async def _queue_changed(self, change: ChangeQueue) -> None:
        """Let the channel remember that the engine has moved the call to another queue."""
        if self._place.queued is not None:
            self._place.queued = replace(self._place.queued, queue=change.queue)
            self._place.entered_at = self._tools.clocks.to_wall(change.entered_at)
            await self._save()

    # Resuming.

    async def _stored(self) -> StoredCall | None:
        """Read what an engine before us has left on the channel; None for a caller who is new to us."""
        call_id = self._agi.args[0] if self._agi.args else ""
        if not is_call_id(call_id):
            return None
        text, status, answered_s, peer, transferrer = await self._line.read_variables(_RESUME)
        log.debug("channel remembers", status=status, answered_s=answered_s, peer=peer, transferrer=transferrer)
        try:
            stored = StoredCall.decode(text)
        except CallStateError as error:
            log.warning("the state of a call on its channel cannot be used", call_id=call_id, why=str(error))
            return None
        answered = stored.phase is CallPhase.QUEUE and status == ANSWERED
        if answered and transferrer and transferrer == peer:
            return None  # the agent has transferred the caller to us (ANSWEREDTIME is not set then): a new call
        served = answered and answered_s != ""
        if served:
            return StoredCall(
                phase=CallPhase.SERVED,
                arrived_at=stored.arrived_at,
                node=stored.node,
                language=stored.language,
                dialled=stored.dialled,
                menus=stored.menus,
                data=stored.data,
            )
        return stored

    async def _resume(self, stored: StoredCall, arrived: CallArrived) -> Outcome | None:
        """Go on where the caller was."""
        clocks, post = self._tools.clocks, self._tools.post
        log.info("call resumed", call_id=self.call_id, phase=stored.phase, queue=stored.queue)
        self._line.answered = True
        self._place.arrived_at = min(stored.arrived_at, clocks.wall())
        self._place.dialled = stored.dialled
        self._context.answered = True
        self._context.dialled = stored.dialled
        self._context.data.update(stored.data)
        self._context.menus.extend(NodeId(menu) for menu in stored.menus)
        if stored.language:
            self._context.language = stored.language
            await self._line.set_language(stored.language)
        self._tools.taken_over(self.uniqueid)
        known = self._tools.calls.get(self.call_id)
        if known is not None and known.state is CallState.TALKING:
            post(TalkEnded(self.call_id))
        elif known is None:
            post(CallArrived(arrived.call_id, arrived.caller, stored.dialled))
        if stored.phase is CallPhase.QUEUE:
            enqueue = Enqueue(
                queue=stored.queue,
                priority=stored.priority,
                requires=stored.requires,
                then=NodeId(stored.node) if stored.node else None,
                language=stored.language,
            )
            return await self._queue(enqueue, min(stored.entered_at, clocks.wall()))
        if stored.phase is CallPhase.SERVED:
            return await self._walk(NodeId(stored.node)) if stored.node else None
        return await self._walk(NodeId(stored.node) if stored.node else self._tools.entry_node(stored.dialled))

    # What the channel remembers.

    def _on_step(self, step: StepRecord) -> None:
        self._place.node = step.to or self._place.node
        for problem in step.problems:
            log.warning("menu", call_id=self.call_id, node=step.node, problem=problem.kind, subject=problem.subject)

    async def _note_place(self) -> None:
        """Let the channel remember the node that the caller is at, if it does not yet."""
        if self._place.queued is None and self._place.node != self._place.saved:
            await self._save()

    async def _save_beside(self, stay: QueueStay) -> None:
        """Let the channel remember the place in the queue: by the line, or beside it if phones ring already."""
        if stay.dialling is None:
            await self._save()
            return
        for name, value in ((CALL_VARIABLE, self.call_id), (STATE_VARIABLE, self._state())):
            if not self._tools.set_variable(self._agi.channel, name, value):
                log.warning("the channel of a call does not know its place", call_id=self.call_id)

    async def _save(self) -> None:
        # DIALSTATUS is cleared so that it tells of our own dial, not of one before the caller came to us.
        await self._line.set_variables(
            (
                (CALL_VARIABLE, self.call_id),
                (STATE_VARIABLE, self._state()),
                ("DIALSTATUS", ""),
                *self._tools.stay.variables(),
            )
        )

    def _state(self) -> str:
        """What the channel is to remember, which is told so now."""
        place, context = self._place, self._context
        queued = place.queued
        state = StoredCall(
            phase=CallPhase.MENU if queued is None else CallPhase.QUEUE,
            arrived_at=place.arrived_at,
            node=place.node if queued is None else (queued.then or ""),
            language=context.language,
            dialled=place.dialled,
            queue="" if queued is None else queued.queue,
            entered_at=0.0 if queued is None else place.entered_at,
            priority=0 if queued is None else queued.priority,
            requires={} if queued is None else queued.requires,
            menus=tuple(context.menus),
            data=context.data,
        )
        place.saved = place.node if queued is None else ""
        return state.encode()

    def _new_context(self) -> CallContext:
        env = self._agi.env
        return CallContext(
            call_id=self.call_id,
            caller=_printable(env.get("agi_callerid", "")),
            caller_name=_printable(env.get("agi_calleridname", "")),
            dialled=self._place.dialled,
        )


def _dialled(agi: AgiSession) -> str:
    """The number that the caller dialled: the dialplan's extension, ``s`` for a line without numbers."""
    extension = agi.env.get("agi_extension", "")
    return _printable(agi.env.get("agi_dnid", "") if extension in ("", "s") else extension)


def _printable(text: str) -> str:
    """Make a text of the caller's harmless to logs and pages: no control characters, of bounded length."""
    if text == "unknown":
        return ""
    return "".join(char if char.isprintable() else " " for char in text[:_LONGEST_CALLER_CHARS])


def _nothing(_: CallSession) -> None:
    """Nobody is to be told."""

"""One caller's call: a coroutine over the caller's AGI socket, from the first entry to the end.

A caller enters with an empty ``ACD_CALL``. One who enters with it set was with an engine before, which died or let go:
the state on the channel tells where the caller was, and the caller goes on there, in the old place of the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog
from structlog.typing import FilteringBoundLogger

from acd.core.commands import ChangeQueue, Overflow
from acd.core.events import CallArrived, CallEnded, CallerIdentified, CallQueued, TalkEnded
from acd.core.specs import OverflowAction, OverflowActionKind
from acd.core.transitions import CallState
from acd.service.agi_line import AgiLine
from acd.service.call_entry import dialled_number, fitted, new_context, read_stored
from acd.service.call_memory import CallMemory
from acd.service.call_path import log_step, told_miss, told_step
from acd.service.call_place import CallPlace, Wait
from acd.service.call_state import CallPhase, StoredCall
from acd.service.lookups.customers import Customer
from acd.service.overflow import After
from acd.service.queue_stay import QueueStay, StayEnd
from acd.service.session_tools import SessionTools
from acd.service.waiting import WaitingCaller
from ami_bridge.agi_session import AgiSession
from ivr.context import CallContext
from ivr.line import LineHungUp
from ivr.outcome import AgentMiss, Enqueue, NodeId, Outcome, ToAgent, WaitOn
from ivr.record import StepRecord

__all__ = ["CallSession"]

log: FilteringBoundLogger = structlog.get_logger(__name__)

_CALLED_BACK = "callback-customer"
"""What a customer who was rung first hears as long as no agent's phone rings."""
_MOST_REQUEUES = 3
"""So often a call is queued again that the engine let go of after a fault, or that could not go where it was sent."""
_MUSIC = "default"


class CallSession:
    """See the module. ``run`` is the whole life; commands of the engine reach the stay in a queue by ``stay``."""

    def __init__(self, agi: AgiSession, tools: SessionTools) -> None:
        self._agi = agi
        self._tools = tools
        self._waiting = WaitingCaller(tools.calls, tools.clocks.monotonic, tools.call_later)
        self._place = CallPlace(tools.clocks.wall(), dialled_number(agi))
        self._memory = memory = CallMemory(agi.channel, self._place, tools)
        self._line = AgiLine(
            agi, tools.sounds, memory.note_place, around_dial=memory.note_dial, on_key=self._waiting.key_from_line
        )
        self._context = CallContext(call_id="")
        self._known: Customer | None = None
        self._ended = False
        self._given_up = False
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

    @property
    def context(self) -> CallContext:
        """What the menus know of the call."""
        return self._context

    @property
    def customer(self) -> Customer:
        """Who calls."""
        if self._place.caller:  # we have called: the priority is in the call's own
            return Customer(id=self._place.customer)
        return self._known or self._tools.customer(self._context.caller)

    async def run(self, begin: Callable[[CallSession], None], end: Callable[[CallSession], None]) -> None:
        """Serve the caller. ``begin`` is called once the call's id is known, ``end`` when the line is given up."""
        try:
            stored = await read_stored(self._agi, self._line)
            self.call_id = self._agi.args[0] if stored is not None else self._tools.new_call_id()
            self._context = new_context(self._agi, self.call_id, self._place.dialled)
            self._memory.begin(self._line, self._context)
            begin(self)
            self._agi.on_hangup(lambda: self._end(end))
            if not self._agi.ended:
                await self._serve(stored)
        except LineHungUp as reason:
            log.debug("caller gone", call_id=self.call_id, why=str(reason))
        finally:
            if self.call_id:
                self._end(end)

    def key(self, key: str) -> None:
        """Take a key of the caller's that AMI has told of."""
        self._waiting.key_from_ami(key)

    def let_go(self) -> None:
        """Give the caller back to the dialplan, which enters again: the engine is told nothing."""
        self._ended = self._given_up = True
        self._tools.stay.late.let_go(self.call_id)
        self._agi.close()

    async def waits_no_longer(self) -> None:
        """The caller has been promised a callback: let an engine after us not take the call for a waiting one."""
        if self._place.queued is not None:
            self._place.queued = None
            self._context.waiting_since = None
            await self._tools.overflow.let_go(self._line)

    def supersede(self) -> None:
        """The caller has come in again on another line: give this one up, and tell the engine that it ended."""
        self._given_up = True
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
            await self._identify()
            outcome = await self._walk(self._tools.entry_node(self._place.dialled))
        else:
            outcome = await self._resume(fitted(stored, self._tools.stay.queues, self._tools.nodes()), arrived)
        while isinstance(outcome, Enqueue | ToAgent):
            if isinstance(outcome, Enqueue):
                outcome = await self._queue(Wait.of(outcome))
            else:
                outcome = await self._to_agent(outcome)
        if not self._line.released:
            await self._line.hangup("normal")

    async def _walk(self, node: NodeId) -> Outcome:
        self._place.queued = None
        self._place.node = node
        return await self._tools.interpreter(self._on_step).run(self._line, self._context, node)

    async def _to_agent(self, wish: ToAgent) -> Outcome | None:
        """Let the caller wait for one agent alone, and go on."""
        miss = self._tools.one_agent.miss_before(wish)
        if miss is not None:
            return await self._missed(wish, miss)
        queue = self._tools.one_agent.queue_for(wish)
        return await self._queue(Wait.for_agent(wish, wish.agent, queue, self._context.priority))

    async def _missed(self, wish: ToAgent, miss: AgentMiss) -> Outcome | None:
        log.info("agent not reached", call_id=self.call_id, agent=wish.agent, why=miss.value)
        to = wish.on.get(miss) or wish.not_reached
        self._tools.post(told_miss(wish, miss, self.call_id, to))
        return await self._walk(to) if to is not None else None

    async def _queue(self, wait: Wait, entered_at: float | None = None) -> Outcome | None:
        """Let the caller wait and talk; returns what the menus make of the caller afterwards, None: nothing more."""
        clocks, place = self._tools.clocks, self._place
        place.queued = wait = self._as_promised(wait)
        kept = self._context.waiting_since if wait.keep_wait and entered_at is None else entered_at
        place.entered_at = clocks.wall() if kept is None else kept
        self._context.waiting_since = place.entered_at
        await self._line.answer()
        if self._line.released:
            await self._line.release("")
        # Who finds an agent idle is dialled for before anything else, and that dial tells the channel; unless it needs
        # other variables there.
        needed = entered_at is not None or self._tools.stay.variables()
        if needed:
            await self._memory.save()
        since = None if kept is None else clocks.to_monotonic(kept)
        end, stay = await self._stay(since, saved=bool(needed), returns=entered_at is not None)
        while end is not StayEnd.TALKED:
            if end is StayEnd.LEFT and wait.only is not None and self._waiting.miss is not None:
                return await self._missed(wait.only, self._waiting.miss)
            overflow = stay.overflow if end is StayEnd.OVERFLOWED else None
            action = overflow.action if overflow is not None else self._waiting.chosen
            queue = place.queued.queue
            if action is not None:
                reason = overflow.reason if overflow is not None else "key pressed while waiting"
                done, outcome = await self._go_elsewhere(action, reason)
                if done:
                    return outcome
                await self._memory.save()
            self._requeues += 0 if end is StayEnd.LEFT else 1
            if self._requeues > _MOST_REQUEUES and overflow is not None:
                log.warning("rules no longer move a call that keeps coming back", call_id=self.call_id, queue=queue)
                place.queued = replace(place.queued, lasts=True)
            elif self._requeues > _MOST_REQUEUES:
                log.error("call goes to the dialplan's fall-back", call_id=self.call_id, why="it came back too often")
                await self._line.release("fallback")
                return None
            returns = place.queued.queue == queue
            end, stay = await self._stay(clocks.to_monotonic(place.entered_at), returns=returns)
        self._context.waiting_since = None
        then = wait.then or self._place.survey(self._tools.survey)
        return await self._walk(then) if then is not None else None

    def _as_promised(self, wait: Wait) -> Wait:
        """Let who was promised a callback by this queue, and calls before, wait in that place, and as surely."""
        context = self._context
        since = self._tools.promised_since(self.call_id, context.caller, wait.queue) if wait.only is None else None
        if since is None:
            return wait
        context.waiting_since = min(since, since if context.waiting_since is None else context.waiting_since)
        return replace(wait, lasts=True)

    async def _stay(self, entered_at: float | None, *, returns: bool, saved: bool = True) -> tuple[StayEnd, QueueStay]:
        """Let the caller wait where ``place`` says.

        ``entered_at``: on the engine's clock, None: from now on. ``saved``: the channel remembers the place already.
        ``returns``: the caller had that place before.
        """
        queued = self._place.queued
        if queued is None:
            raise LookupError(f"call {self.call_id} is in no queue")
        customer = self.customer
        self.stay = stay = QueueStay(
            self._agi,
            self._line,
            self.call_id,
            queued.queue,
            self._tools.stay,
            self._queue_changed,
            None if saved else self._memory.to_remember,
        )
        self._waiting.begin(stay, queued, self._tools.one_agent, lambda: self._keys(queued))
        try:
            self._tools.post(
                CallQueued(
                    self.call_id,
                    queued.queue,
                    priority=queued.priority + customer.priority,
                    requires=tuple(sorted(queued.requires.items())),
                    entered_at=entered_at,
                    customer=customer.id,
                    agent=queued.agent or customer.agent,
                    language=queued.language,
                    stays=queued.only is not None or queued.lasts,
                    returns=returns,
                )
            )
            log.info("call queued", call_id=self.call_id, queue=queued.queue)
            self._waiting.queued()
            if self._place.caller and stay.dialling is None:
                stay.say(_CALLED_BACK)
            if not saved and stay.dialling is None:
                await self._memory.save()
            return await stay.run(), stay
        finally:
            self._waiting.end()
            self.stay = None
            self._tell_facts()

    def _keys(self, queued: Wait) -> Mapping[str, OverflowAction]:
        """What keys do now: in the queue that the call is in by now."""
        if self._place.caller:  # we have called
            return {}
        return self._tools.keys(self._place.queued.queue if self._place.queued is not None else queued.queue)

    def _tell_facts(self) -> None:
        """Let the menus know of the queue that the caller comes from."""
        if self._place.queued is None:
            return
        call = self._tools.calls.get(self.call_id)
        until = call.answered_at if call is not None else None
        wall_s = self._tools.clocks.wall() if until is None else self._tools.clocks.to_wall(until)
        self._context.facts["queue"] = self._place.queued.queue
        self._context.facts["waited_s"] = str(max(0, round(wall_s - self._place.entered_at)))

    async def _go_elsewhere(self, action: OverflowAction, reason: str) -> tuple[bool, Outcome | None]:
        """Let the caller go where a rule or a key leads. True: that is done, with what comes next; else: waits on."""
        place = self._place
        before = place.queued
        if action.kind is OverflowActionKind.QUEUE and before is not None:
            place.queued = replace(before, queue=action.target)
            if not action.keep_wait:
                place.entered_at = self._tools.clocks.wall()
                self._context.waiting_since = place.entered_at
            return False, None
        node = self._tools.overflow.node(action)
        if action.kind is OverflowActionKind.CLOSING and not action.target and not place.caller:
            node = self._tools.entry_node(place.dialled)  # the queue is no more: the menus as they are now know another
            self._context.waiting_since = place.entered_at
        if node is None:
            command = Overflow(0, self.call_id, action, reason)
            return await self._tools.overflow.carry_out(command, self._line, self.call_id) is After.OVER, None
        self._line.forget_keys()
        self._context.unread.clear()
        if not self._tools.overflow.comes_back(action):
            return True, await self._walk(node)
        # The channel goes on remembering the queue: there the caller is if the process ends meanwhile.
        outcome = await self._tools.interpreter(self._on_step).run(self._line, self._context, node)
        return not isinstance(outcome, WaitOn), outcome

    async def _identify(self) -> None:
        """Find out who calls, before anything else is heard; a caller whom that takes a moment hears ringing."""
        customers, context = self._tools.customers, self._context
        context.facts["caller_number"] = customers.normal(context.caller)
        found = customers.at_hand(context.caller)
        if found is None:
            asked = customers.ask(context.caller, context.lookup, self.call_id)
            found = (await self._line.wait_for(asked, _MUSIC)).result
        self._take_customer(found)
        self._tools.post(CallerIdentified(self.call_id, found.id, found.source, found.failure))
        if found.language:
            context.language = found.language
            await self._line.set_language(found.language)

    def _take_customer(self, customer: Customer) -> None:
        self._known = customer
        self._place.known = customer.stored()
        self._context.customer.update(customer.fields())

    async def _queue_changed(self, change: ChangeQueue) -> None:
        """Let the channel remember that the engine has moved the call to another queue."""
        if self._place.queued is not None:
            self._place.queued = replace(self._place.queued, queue=change.queue)
            self._place.entered_at = self._tools.clocks.to_wall(change.entered_at)
            self._context.waiting_since = self._place.entered_at
            await self._memory.save()

    # Resuming.

    async def _resume(self, stored: StoredCall, arrived: CallArrived) -> Outcome | None:
        """Go on where the caller was."""
        clocks, post = self._tools.clocks, self._tools.post
        log.info("call resumed", call_id=self.call_id, phase=stored.phase, queue=stored.queue)
        self._line.answered = True
        self._place.arrived_at = min(stored.arrived_at, clocks.wall())
        self._place.dialled = stored.dialled
        self._place.caller, self._place.customer = stored.caller, stored.customer
        self._context.answered = True
        self._context.dialled = stored.dialled
        self._context.data.update(stored.data)
        self._context.menus.extend(NodeId(menu) for menu in stored.menus)
        self._context.entry = self._tools.entry_node(stored.dialled)
        stored.walk.restore(self._context)
        self._context.facts["caller_number"] = self._tools.customers.normal(stored.caller or self._context.caller)
        self._take_customer(self._customer_of(stored))
        if stored.language:
            self._context.language = stored.language
            await self._line.set_language(stored.language)
        if stored.caller:
            self._context.caller = stored.caller
            await self._line.set_variable("CALLERID(num)", stored.caller)  # what the agent's phone shows
        self._tools.taken_over(self.uniqueid)
        self._tools.came_in(self.call_id)
        known = self._tools.calls.get(self.call_id)
        if known is not None and known.state is CallState.TALKING:
            post(TalkEnded(self.call_id))
        elif known is None:
            post(CallArrived(arrived.call_id, self._context.caller, stored.dialled, resumed=True))
        return await self._go_on(stored)

    def _customer_of(self, stored: StoredCall) -> Customer:
        """Who calls, as the channel tells if a look-up was asked: it is not asked again."""
        if stored.known:
            return Customer.restored(stored.known)
        return self._tools.customer(stored.caller or self._context.caller)

    async def _go_on(self, stored: StoredCall) -> Outcome | None:
        node = NodeId(stored.node) if stored.node else None
        if stored.phase is CallPhase.SERVED:
            return await self._walk(node) if node else None
        if stored.entered_at:
            self._context.waiting_since = min(stored.entered_at, self._tools.clocks.wall())
        if stored.again:  # a node that asked for an agent, or dialled, and nobody has answered
            return await self._walk(NodeId(stored.again))
        if stored.phase is CallPhase.QUEUE:
            return await self._queue(Wait.resumed(stored), min(stored.entered_at, self._tools.clocks.wall()))
        return await self._walk(node or self._tools.entry_node(stored.dialled))

    # What is told of it.

    def _on_step(self, step: StepRecord) -> None:
        self._place.node = step.to or self._place.node
        if not self._given_up:  # else a caller who is there would be called gone
            self._tools.post(told_step(step, self._context))
        log_step(step)


def _nothing(_: CallSession) -> None:
    """Nobody is to be told."""

"""All callbacks: promised, waiting for their time, in their queue, and brought together.

The place in the queue is a call of the engine like any other, only without a channel. When its turn has come the
agent's phone rings first (as a phone beside a dial does, see ``late_legs``), and picked up, dials the customer; or,
where the site wants it so, the customer's phone rings when an agent is expected to be free, and the customer comes into
the old place. Who is not reached is tried again, as the site has set. What was promised is kept in the state folder.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from acd.core.commands import AddLeg, CancelLeg, CancelOffer, Command, FaultFound, OfferCall, Overflow, VerifyOffer
from acd.core.events import (
    CallArrived,
    CallEnded,
    CallLeftQueue,
    CallQueued,
    Event,
    LegFailed,
    LegFailure,
    OfferBridged,
    OfferEnded,
)
from acd.core.transitions import CallState
from acd.service.callbacks.agent_first import AgentResult
from acd.service.callbacks.entries import Callback, Stage
from acd.service.callbacks.ledger import Ledger
from acd.service.callbacks.policy import QueueCallbacks
from acd.service.callbacks.promising import Promising
from acd.service.callbacks.showing import Shown, row_of
from acd.service.callbacks.tools import CallbackTools
from acd.service.late_legs import CallerId, LateLeg
from acd.web.backend import Json

__all__ = ["Callback", "CallbackTools", "Callbacks", "Shown"]

log = structlog.get_logger(__name__)

BEGINS_AFTER_S = 1.0
"""So long after the caller's own call has ended the callback begins to wait: not while that phone is still busy."""
_LOOK_AGAIN_S = 30.0
"""So often a callback is held against its hours and its end, which may be changed meanwhile (seconds)."""
_WHILE_RINGING_S = 5.0
_NO_LINE_PAUSE_S = 5.0
"""While no phone can be rung (seconds)."""
_STEP_ASIDE_S = 3.0
"""So long a callback lets others go first whose customer is being rung for the agent it was offered (seconds)."""


@dataclass(slots=True, eq=False)
class _Run:
    """What becomes of one callback at the moment."""

    stage: Stage
    caller: str = ""
    """The caller's own call, until it has ended."""
    timer: asyncio.TimerHandle | None = None
    leg: LateLeg | None = None
    cancelled: bool = False
    answered: bool = False
    """The customer was rung first and has answered; whether that was a silent answer is not known yet."""
    reached: Callback | None = None
    """What it was when the customer answered the agent's call; it is no longer open then."""


class Callbacks:
    """See the module. ``take`` gets the engine's commands for the calls that ``owns`` knows."""

    def __init__(self, path: Path, tools: CallbackTools) -> None:
        self._tools = tools
        self._ledger = Ledger(path, tools.clocks.wall)
        self._runs: dict[str, _Run] = {}
        self._parked: dict[str, list[str]] = {}
        """By the caller's own call."""
        self._talks: set[asyncio.Task[None]] = set()
        self._dials = tools.dials(self._not_answered)
        self.results: Counter[tuple[str, str]] = Counter()
        """What became of callbacks, by queue and result."""
        self.promising = Promising(tools, self._ledger, self._park, self.results)
        self._watchers: list[Callable[[Callback, str], None]] = []

    def __len__(self) -> int:
        return len(self._ledger)

    def __iter__(self) -> Iterator[Shown]:
        for entry in sorted(self._ledger, key=lambda entry: entry.entered_at):
            run = self._runs.get(entry.id)
            yield Shown(entry, run.stage if run is not None else Stage.SLEEPING, self._agents_of(entry.id, run))

    def shown(self) -> Iterator[Mapping[str, Json]]:
        """Tell of every open callback, who has waited longest first (see ``acd.web.callbacks.Desk``)."""
        return (row_of(one, self._how(one.entry.queue)) for one in self)

    def owns(self, call_id: str) -> bool:
        """Tell whether this call is one without a line."""
        run = self._runs.get(call_id)
        return run is not None and run.stage is not Stage.ON_LINE

    # What callers have been promised.

    def watch(self, told: Callable[[Callback, str], None]) -> None:
        """Let this be told of the end of each callback: what it was, and what became of it."""
        self._watchers.append(told)

    def _park(self, entry: Callback, caller: str) -> None:
        self._runs[entry.id] = _Run(Stage.PARKED, caller)
        if caller in self._tools.calls:
            self._parked.setdefault(caller, []).append(entry.id)
        else:
            self._wake(entry.id, BEGINS_AFTER_S)

    # The process.

    def restore(self) -> None:
        """Take over what was promised before a restart."""
        self._ledger.restore()
        for entry in self._ledger:
            self._runs[entry.id] = _Run(Stage.SLEEPING)
        for entry in list(self._ledger):
            self._begin(entry.id)

    async def run(self) -> None:
        """Keep the file, see ``KeptFile``."""
        await self._ledger.file.run()

    def observe(self, sequence: int, event: Event, now: float, commands: Sequence[Command]) -> None:  # noqa: ARG002
        """Take note of an input of the engine (see ``EngineHost.observe``)."""
        if isinstance(event, CallEnded):
            for call_id in self._parked.pop(event.call_id, ()):
                self._wake(call_id, BEGINS_AFTER_S)
            run = self._runs.get(event.call_id)
            if run is not None and run.stage is Stage.ON_LINE:
                self._left_line(event.call_id, run)
        elif isinstance(event, OfferBridged):
            call_id = event.offer_id.rpartition(".")[0]
            run = self._runs.get(call_id)
            if run is not None and run.stage is Stage.ON_LINE:
                self._got_agent(call_id, run)

    def on_event(self, event: Mapping[str, str]) -> None:
        """Take an AMI event."""
        self._dials.on_event(event)

    def take(self, command: Command, call_id: str) -> None:
        """Carry out a command of the engine for one of these calls."""
        late, post = self._tools.late, self._tools.post
        run = self._runs[call_id]
        match command:
            case OfferCall():
                self._offer(command, run)
            case AddLeg():
                if not self._ring(command.offer_id, call_id, command.agent_id, command.ring_timeout_s):
                    failed = LegFailed(command.offer_id, command.agent_id, LegFailure.CANCELLED)
                    self._tools.call_later(command.ring_timeout_s, lambda: post(failed))
            case CancelLeg():
                late.cancel_leg(command.offer_id, command.agent_id)
            case CancelOffer():
                late.cancel_offer(command.offer_id)
            case VerifyOffer():
                if run.leg is None or run.leg.offer_id != command.offer_id:
                    late.cancel_offer(command.offer_id)
                    post(OfferEnded(command.offer_id, LegFailure.CANCELLED))
            case Overflow():
                log.error("callback given up", call_id=call_id, why=command.reason)
                self._finish(call_id, "no-queue")
                post(CallEnded(call_id))

    def fault(self, command: FaultFound, call_id: str) -> None:
        """The engine has let go of the call after a fault: queue it again."""
        log.error("engine fault", entity=command.entity, fault=command.message, story=command.story)
        self._tools.late.call_gone(call_id)
        self._sleep(call_id, _NO_LINE_PAUSE_S)

    async def take_back(self, call_id: str) -> str:
        """Take a promise back, and have that on disk: an engine after us does not call this customer.

        Returns and raises as ``cancel``.
        """
        was = self.cancel(call_id)
        if was:
            await self._ledger.file.write_now()
        return was

    def cancel(self, call_id: str) -> str:
        """Take a promise back. Returns what it was doing; empty when there is no such callback.

        Raises:
            ValueError: the customer is on the line already.
        """
        entry, run = self._ledger.get(call_id), self._runs.get(call_id)
        if entry is None or run is None:
            return ""
        talks = run.leg is not None and run.leg.talked
        if run.stage is Stage.ON_LINE or talks:
            raise ValueError("the customer is on the line")
        stage: Stage = run.stage
        log.info("callback cancelled", call_id=call_id, number=entry.number)
        run.cancelled = True
        self._ledger.take_back(call_id)
        if stage is Stage.DIALLING:
            self._dials.cancel(call_id)
        elif stage is Stage.AGENT and run.leg is not None:
            self._tools.late.cancel_offer(run.leg.offer_id)
        else:
            self._leave_queue(call_id, "the callback was cancelled")
            self._finish(call_id, "cancelled")
        return str(stage.value)

    # Waiting.

    def _begin(self, call_id: str) -> None:
        """Let it wait in its queue from now on, in its old place, if this is the time for it."""
        entry, run = self._ledger.get(call_id), self._runs.get(call_id)
        if entry is None or run is None or run.stage not in (Stage.PARKED, Stage.SLEEPING):
            return
        if self._is_over(entry):
            return
        pause_s = self._pause_of(entry)
        if pause_s > 0:
            run.stage = Stage.SLEEPING
            self._wake(call_id, min(pause_s, _LOOK_AGAIN_S))
            return
        run.stage = Stage.WAITING
        self._wake(call_id, _LOOK_AGAIN_S)
        post, clocks = self._tools.post, self._tools.clocks
        if call_id not in self._tools.calls:
            post(CallArrived(call_id, entry.number, entry.dialled))
        post(
            CallQueued(
                call_id,
                entry.queue,
                priority=entry.priority,
                requires=entry.requires,
                entered_at=clocks.to_monotonic(entry.entered_at),
                customer=entry.customer,
                agent=entry.agent,
                language=entry.language,
                stays=True,
            )
        )
        if self._how(entry.queue).customer_first:
            self._tools.expecting.watch(entry, self._agent_expected)

    def _look_again(self, call_id: str) -> None:
        """Hold it against its hours and its end."""
        entry, run = self._ledger.get(call_id), self._runs.get(call_id)
        if entry is None or run is None:
            return
        run.timer = None
        if run.stage in (Stage.PARKED, Stage.SLEEPING):
            self._begin(call_id)
            return
        if run.stage is not Stage.WAITING:
            return
        call = self._tools.calls.get(call_id)
        if call is not None and call.state is not CallState.WAITING:
            self._wake(call_id, _WHILE_RINGING_S)  # a phone rings
        elif self._how(entry.queue).calendar and self._pause_of(entry) > 0:
            self._leave_queue(call_id, "customers are not called back at this time")
            self._sleep(call_id, 0.0)
        elif not self._is_over(entry):
            self._wake(call_id, _LOOK_AGAIN_S)

    def _is_over(self, entry: Callback) -> bool:
        """Give up what has expired."""
        if not entry.expires_at or self._tools.clocks.wall() < entry.expires_at:
            return False
        log.warning("callback given up: expired", call_id=entry.id, attempts=entry.attempts)
        self._leave_queue(entry.id, "the callback expired")
        self._finish(entry.id, "expired")
        return True

    def _pause_of(self, entry: Callback) -> float:
        """How long it is not to be tried (seconds)."""
        now = self._tools.clocks.wall()
        calendar = self._how(entry.queue).calendar
        is_open, until = self._tools.opening(calendar) if calendar else (True, None)
        closed_s = 0.0 if is_open else (until - now if until is not None else _LOOK_AGAIN_S)
        return max(entry.not_before - now, closed_s, 0.0)

    def _wake(self, call_id: str, seconds: float) -> None:
        run = self._runs[call_id]
        if run.timer is not None:
            run.timer.cancel()
        run.timer = self._tools.call_later(seconds, partial(self._look_again, call_id))

    def _sleep(self, call_id: str, seconds: float) -> None:
        run = self._runs.get(call_id)
        if run is not None:
            run.stage = Stage.SLEEPING
            run.leg = None
            self._wake(call_id, seconds)

    def _leave_queue(self, call_id: str, why: str) -> None:
        """Take it out of the engine: not as a caller who hung up, whose patience would count."""
        if call_id in self._tools.calls:
            self._tools.post(CallLeftQueue(call_id, why))
            self._tools.post(CallEnded(call_id))

    # The agent's side.

    def _offer(self, command: OfferCall, run: _Run) -> None:
        call_id = command.call_id
        entry = self._ledger.get(call_id)
        if entry is None:
            return
        if self._how(entry.queue).customer_first:
            if self._ring_customer(entry, run):
                return
            if self._tools.expecting.under_way(entry.queue):
                self._leave_queue(call_id, "a customer is being rung for this agent")
                self._sleep(call_id, _STEP_ASIDE_S)
                return
        rung = [
            self._ring(command.offer_id, call_id, agent_id, command.ring_timeout_s) for agent_id in command.agent_ids
        ]
        if all(rung):
            return
        # No phone can be rung now. To end the offer alone would have it made again at once, and again.
        self._tools.late.cancel_offer(command.offer_id)
        self._leave_queue(call_id, "no phone can be rung")
        self._sleep(call_id, _NO_LINE_PAUSE_S)

    def _ring(self, offer_id: str, call_id: str, agent_id: str, timeout_s: float) -> bool:
        entry = self._ledger.get(call_id)
        if entry is None:
            return False
        return self._tools.late.ring(
            (offer_id, call_id, agent_id),
            self._tools.phones[agent_id],
            timeout_s,
            CallerId(entry.number, entry.name),
            self._picked_up,
            self._tools.variables(),
        )

    def _picked_up(self, leg: LateLeg) -> None:
        """The agent has picked up, and has this call from now on."""
        entry, run = self._ledger.get(leg.call_id), self._runs.get(leg.call_id)
        if entry is None or run is None:
            return
        run.stage, run.leg = Stage.AGENT, leg
        leg.on_talk = partial(self._reached, entry.id)
        task = asyncio.get_running_loop().create_task(self._talk(leg, entry, run))
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    def _reached(self, call_id: str) -> None:
        """The customer is not to be called again, whatever becomes of us."""
        reached = self._ledger.drop(call_id)
        run = self._runs.get(call_id)
        if run is not None:
            run.reached = reached

    async def _talk(self, leg: LateLeg, entry: Callback, run: _Run) -> None:
        result = AgentResult.DROPPED
        try:
            result = await self._tools.agents_side.talk(
                leg, entry, self._how(entry.queue), partial(self._attempt, entry.id)
            )
        finally:
            self._after_agent(leg, entry, run, result)
            if leg.line is not None:
                leg.line.close()

    async def _attempt(self, call_id: str) -> Callback:
        """Note one more attempt, before the customer's phone rings: an engine after us must not ring it at once."""
        entry = self._ledger.get(call_id)
        if entry is None:
            raise LookupError(f"callback {call_id} is not open")
        pause_s = self._how(entry.queue).pause_s
        attempt = replace(entry, attempts=entry.attempts + 1, not_before=self._tools.clocks.wall() + pause_s)
        self._ledger.keep(attempt)
        await self._ledger.file.write_now()
        return attempt

    def _after_agent(self, leg: LateLeg, entry: Callback, run: _Run, result: AgentResult) -> None:
        run.leg = None
        late, post = self._tools.late, self._tools.post
        if result is AgentResult.REACHED:
            late.talk_ended(leg)
            post(CallEnded(entry.id))
            self._finish(entry.id, "reached", run.reached or entry)
        elif run.cancelled:
            self._leave_queue(entry.id, "the callback was cancelled")
            self._finish(entry.id, "cancelled")
        elif result is AgentResult.UNREACHED:
            self._leave_queue(entry.id, "the customer was not reached")
            self._unreached(entry.id)
        else:
            run.stage = Stage.WAITING
            self._wake(entry.id, _LOOK_AGAIN_S)
            late.declined(leg, LegFailure.REJECTED if result is AgentResult.DECLINED else LegFailure.DROPPED)

    # The customer's side.

    def _agent_expected(self, call_id: str) -> None:
        """An agent will be free soon: it is time to ring the customer."""
        entry, run = self._ledger.get(call_id), self._runs.get(call_id)
        call = self._tools.calls.get(call_id)
        waits = call is not None and call.state is CallState.WAITING
        if entry is not None and run is not None and run.stage is Stage.WAITING and waits:
            self._ring_customer(entry, run)

    def _ring_customer(self, entry: Callback, run: _Run) -> bool:
        """Ring the customer if that is allowed; the place in the queue is taken again when the customer answers."""
        how, now = self._how(entry.queue), self._tools.clocks.wall()
        under_way = self._tools.expecting.all_under_way
        device = self._tools.site().numbers.outbound.device(entry.number)
        answers = self._ledger.answers
        if device is None or not self._tools.expecting.agents_left(entry.queue):
            return False
        if not answers.one_more_is_allowed(now, how.silent_limit, under_way):
            return False
        if not self._tools.expecting.can_dial():
            return False
        run.stage = Stage.DIALLING
        self._tools.expecting.begins(entry)
        self._tools.post(CallLeftQueue(entry.id, "the customer is rung first"))
        task = asyncio.get_running_loop().create_task(self._dial_customer(entry.id, device, how, run))
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)
        return True

    async def _dial_customer(self, call_id: str, device: str, how: QueueCallbacks, run: _Run) -> None:
        entry = await self._attempt(call_id)
        log.info("customer is called back first", call_id=call_id, number=entry.number, attempt=entry.attempts)
        if run.cancelled or not self._dials.ring(entry, device, how.ring_s, self._tools.variables()):
            self._not_answered(call_id)

    def _not_answered(self, call_id: str) -> None:
        run = self._runs.get(call_id)
        if run is None or run.stage is not Stage.DIALLING:
            return
        self._tools.expecting.ends(call_id)
        if call_id in self._tools.calls:
            self._tools.post(CallEnded(call_id))
        if run.cancelled:
            self._finish(call_id, "cancelled")
        else:
            self._unreached(call_id)

    def came_in(self, call_id: str) -> None:
        """A caller has come in as this call: if it is a callback's, the customer has answered."""
        entry, run = self._ledger.get(call_id), self._runs.get(call_id)
        if entry is None or run is None or run.stage is Stage.ON_LINE:
            return
        run.stage, run.answered = Stage.ON_LINE, True
        if run.timer is not None:
            run.timer.cancel()
        self._dials.answered(call_id)
        self._tools.call_later(self._how(entry.queue).silent_after_s, partial(self._judge, call_id, silent=True))

    def _judge(self, call_id: str, *, silent: bool) -> None:
        """Count the answer, once."""
        run = self._runs.get(call_id)
        if run is not None and run.answered:
            run.answered = False
            self._ledger.note_answer(silent=silent)

    def _got_agent(self, call_id: str, run: _Run) -> None:
        self._judge(call_id, silent=False)
        self._tools.expecting.ends(call_id)
        entry = self._ledger.drop(call_id)
        if entry is not None:
            self._finish(call_id, "reached", entry)
            self._runs[call_id] = run  # until the line has ended, it is known to be no call without one

    def _left_line(self, call_id: str, run: _Run) -> None:
        """The customer, who was rung first, is gone: after the talk, or tired of waiting."""
        self._tools.expecting.ends(call_id)
        if self._ledger.get(call_id) is None:
            self._runs.pop(call_id, None)
            return
        self._judge(call_id, silent=True)
        run.stage = Stage.DIALLING
        self._unreached(call_id)

    # What follows.

    def _unreached(self, call_id: str) -> None:
        entry = self._ledger.get(call_id)
        if entry is None:
            self._runs.pop(call_id, None)
            return
        how, run = self._how(entry.queue), self._runs.get(call_id)
        if run is not None and run.cancelled:
            self._finish(call_id, "cancelled")
        elif entry.attempts >= how.attempts:
            log.warning("callback given up: customer not reached", call_id=call_id, attempts=entry.attempts)
            self._finish(call_id, "unreached")
        else:
            log.info("customer not reached", call_id=call_id, attempts=entry.attempts, again_in_s=how.pause_s)
            self.results[entry.queue, "tried"] += 1
            # From the end of the attempt: a customer may have waited on the line for longer than the pause.
            self._ledger.keep(replace(entry, not_before=self._tools.clocks.wall() + how.pause_s))
            self._sleep(call_id, min(how.pause_s, _LOOK_AGAIN_S))

    def _finish(self, call_id: str, result: str, reached: Callback | None = None) -> None:
        run = self._runs.pop(call_id, None)
        if run is not None and run.timer is not None:
            run.timer.cancel()
        self._tools.expecting.forget(call_id)
        entry = self._ledger.drop(call_id) or reached
        if entry is not None:
            self.results[entry.queue, result] += 1
            log.info("callback done", call_id=call_id, result=result, attempts=entry.attempts)
            for told in self._watchers:
                told(entry, result)

    def _how(self, queue: str) -> QueueCallbacks:
        return self._tools.site().of_queue(queue)

    def _agents_of(self, call_id: str, run: _Run | None) -> tuple[str, ...]:
        if run is not None and run.leg is not None:
            return (run.leg.agent_id,)
        call = self._tools.calls.get(call_id)
        if call is None:
            return ()
        if call.agent is not None:
            return (call.agent.id,)
        return tuple(call.offer.legs) if call.offer is not None else ()

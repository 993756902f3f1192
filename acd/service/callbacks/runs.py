"""What every open callback is doing: waiting in its queue, or until it may; and the end of each.

The place in the queue is a call of the engine like any other, only without a channel.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import structlog

from acd.core.events import CallArrived, CallEnded, CallLeftQueue, CallQueued, MenuStepped
from acd.core.transitions import CallState
from acd.service.callbacks.entries import Callback, Stage
from acd.service.callbacks.ledger import Ledger
from acd.service.callbacks.policy import QueueCallbacks
from acd.service.callbacks.tools import CallbackTools
from acd.service.late_legs import LateLeg

__all__ = ["Run", "Runs"]

log = structlog.get_logger(__name__)

LOOK_AGAIN_S = 30.0
"""So often a callback is held against its hours and its end, which may be changed meanwhile (seconds)."""
_WHILE_RINGING_S = 5.0


@dataclass(slots=True, eq=False)
class Run:
    """What becomes of one callback at the moment."""

    stage: Stage
    caller: str = ""
    """The caller's own call, until it has ended."""
    instead: str = ""
    """The call in which the customer waits on the line meanwhile, in the place of the callback."""
    timer: asyncio.TimerHandle | None = None
    leg: LateLeg | None = None
    withdrawn: str = ""
    """What its result will be (``cancelled``, ``called-in``) once what rings for it has stopped; empty: goes on."""
    answered: bool = False
    """The customer was rung first and has answered; whether that was a silent answer is not known yet."""
    reached: Callback | None = None
    """What it was when the customer answered the agent's call; it is no longer open then."""


class Runs:
    """See the module. ``results`` counts what became of callbacks, by queue and result."""

    def __init__(self, ledger: Ledger, tools: CallbackTools, results: Counter[tuple[str, str]]) -> None:
        self.ledger = ledger
        self._tools = tools
        self._results = results
        self._runs: dict[str, Run] = {}
        self._watchers: list[Callable[[Callback, str], None]] = []
        self.agent_expected: Callable[[str], None] = _nobody
        """Told of a callback that waits, for whose customer an agent will be free soon."""

    def get(self, call_id: str) -> Run | None:
        """What this callback is doing; None for no such."""
        return self._runs.get(call_id)

    def __getitem__(self, call_id: str) -> Run:
        """As ``get``. Raises KeyError."""
        return self._runs[call_id]

    def put(self, call_id: str, run: Run) -> None:
        """Take one up."""
        self._runs[call_id] = run

    def drop(self, call_id: str) -> None:
        """Know one no longer."""
        self._runs.pop(call_id, None)

    def watch(self, told: Callable[[Callback, str], None]) -> None:
        """Let this be told of the end of each callback: what it was, and what became of it."""
        self._watchers.append(told)

    def how(self, queue: str) -> QueueCallbacks:
        """What is set for the callbacks of a queue."""
        return self._tools.site().of_queue(queue)

    # Waiting.

    def begin(self, call_id: str) -> None:
        """Let it wait in its queue from now on, in its old place, if this is the time for it."""
        entry, run = self.ledger.get(call_id), self.get(call_id)
        if entry is None or run is None or run.stage not in (Stage.PARKED, Stage.SLEEPING):
            return
        if self._is_over(self._outside_hours(entry)):
            return
        pause_s = self.pause_of(entry)
        if pause_s > 0:
            run.stage = Stage.SLEEPING
            self.wake(call_id, min(pause_s, LOOK_AGAIN_S))
            return
        self.waits(call_id, run)
        post, clocks = self._tools.post, self._tools.clocks
        if call_id not in self._tools.calls:
            post(CallArrived(call_id, entry.number, entry.dialled, line=False))
            attempt = f"attempt {entry.attempts + 1}{f', promised in call {entry.call}' if entry.call else ''}"
            post(MenuStepped(call_id, "", "callback", detail=attempt))
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
        if self.how(entry.queue).customer_first:
            self._tools.expecting.watch(entry, self.agent_expected)

    def waits(self, call_id: str, run: Run) -> None:
        """It waits in its queue from now on, or again: look after it."""
        run.stage = Stage.WAITING
        self.wake(call_id, LOOK_AGAIN_S)

    def _look_again(self, call_id: str) -> None:
        """Hold it against its hours and its end."""
        entry, run = self.ledger.get(call_id), self.get(call_id)
        if entry is None or run is None:
            return
        run.timer = None
        if run.stage in (Stage.PARKED, Stage.SLEEPING):
            self.begin(call_id)
            return
        if run.stage is not Stage.WAITING:
            return
        call = self._tools.calls.get(call_id)
        if call is not None and call.state is not CallState.WAITING:
            self.wake(call_id, _WHILE_RINGING_S)  # a phone rings
        elif self.how(entry.queue).calendar and self.pause_of(entry) > 0:
            self.leave_queue(call_id, "customers are not called back at this time")
            self.sleep(call_id, 0.0)
        elif not self._is_over(entry):
            self.wake(call_id, LOOK_AGAIN_S)

    def _is_over(self, entry: Callback) -> bool:
        """Give up what has expired."""
        if not entry.expires_at or self._tools.clocks.wall() < entry.expires_at:
            return False
        log.warning("callback given up: expired", call_id=entry.id, attempts=entry.attempts)
        self.leave_queue(entry.id, "the callback expired")
        self.finish(entry.id, "expired")
        return True

    def _outside_hours(self, entry: Callback) -> Callback:
        """Add the time until the next opening to the time it has, if nobody may be rung now: promises made in closed
        hours are kept. Nothing is added while no opening is in sight."""
        is_open, until = self._hours(entry)
        if is_open or until is None or until <= entry.closed_until or not entry.expires_at:
            return entry
        closed_s = until - max(self._tools.clocks.wall(), entry.closed_until)
        longer = replace(entry, expires_at=entry.expires_at + max(closed_s, 0.0), closed_until=until)
        self.ledger.keep(longer)
        return longer

    def _hours(self, entry: Callback) -> tuple[bool, float | None]:
        """Whether customers may be rung now, and until when that holds (UNIX time), None if not for long."""
        calendar = self.how(entry.queue).calendar
        return self._tools.opening(calendar) if calendar else (True, None)

    def is_open(self, entry: Callback) -> bool:
        """Whether customers may be rung at this time."""
        return self._hours(entry)[0]

    def pause_of(self, entry: Callback) -> float:
        """How long it is not to be tried (seconds)."""
        now = self._tools.clocks.wall()
        is_open, until = self._hours(entry)
        closed_s = 0.0 if is_open else (until - now if until is not None else LOOK_AGAIN_S)
        return max(entry.not_before - now, closed_s, 0.0)

    def wake(self, call_id: str, seconds: float) -> None:
        """Look at it again so many seconds from now."""
        run = self._runs[call_id]
        if run.timer is not None:
            run.timer.cancel()
        run.timer = self._tools.call_later(seconds, partial(self._look_again, call_id))

    def sleep(self, call_id: str, seconds: float) -> None:
        """Let it wait, outside of its queue, for so many seconds."""
        run = self.get(call_id)
        if run is not None:
            run.stage = Stage.SLEEPING
            run.leg = None
            self.wake(call_id, seconds)

    def rest(self, call_id: str, instead: str) -> None:
        """Let it wait until the customer's call ``instead`` has ended."""
        run = self._runs[call_id]
        run.stage, run.instead = Stage.PARKED, instead
        if run.timer is not None:
            run.timer.cancel()

    def leave_queue(self, call_id: str, why: str) -> None:
        """Take it out of the engine: not as a caller who hung up, whose patience would count."""
        if call_id in self._tools.calls:
            self._tools.post(CallLeftQueue(call_id, why))
            self._tools.post(CallEnded(call_id))

    async def attempt(self, call_id: str) -> Callback:
        """Note one more attempt, before the customer's phone rings: an engine after us must not ring it at once."""
        entry = self.ledger.get(call_id)
        if entry is None:
            raise LookupError(f"callback {call_id} is not open")
        pause_s = self.how(entry.queue).pause_s
        attempt = replace(entry, attempts=entry.attempts + 1, not_before=self._tools.clocks.wall() + pause_s)
        self.ledger.keep(attempt)
        await self.ledger.file.write_now()
        return attempt

    # What follows an attempt.

    def unreached(self, call_id: str) -> None:
        """An attempt did not reach the customer: the next one follows, or it is given up."""
        entry = self.ledger.get(call_id)
        if entry is None:
            self._runs.pop(call_id, None)
            return
        how, run = self.how(entry.queue), self.get(call_id)
        if run is not None and run.withdrawn:
            self.finish(call_id, run.withdrawn)
        elif entry.attempts >= how.attempts:
            log.warning("callback given up: customer not reached", call_id=call_id, attempts=entry.attempts)
            self.finish(call_id, "unreached")
        else:
            log.info("customer not reached", call_id=call_id, attempts=entry.attempts, again_in_s=how.pause_s)
            self._results[entry.queue, "tried"] += 1
            # From the end of the attempt: a customer may have waited on the line for longer than the pause.
            self.ledger.keep(replace(entry, not_before=self._tools.clocks.wall() + how.pause_s))
            self.sleep(call_id, min(how.pause_s, LOOK_AGAIN_S))

    def finish(self, call_id: str, result: str, reached: Callback | None = None) -> None:
        """It is over; ``reached`` is what it was if it is open no longer."""
        run = self._runs.pop(call_id, None)
        if run is not None and run.timer is not None:
            run.timer.cancel()
        self._tools.expecting.forget(call_id)
        entry = self.ledger.drop(call_id) or reached
        if entry is not None:
            self._results[entry.queue, result] += 1
            log.info("callback done", call_id=call_id, result=result, attempts=entry.attempts)
            for told in self._watchers:
                told(entry, result)


def _nobody(_: str) -> None:
    """Nobody is to be told."""

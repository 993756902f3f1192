"""The customer's phone rings first, when an agent is idle or expected to be, and comes into the old place."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog

from acd.core.events import CallEnded, CallLeftQueue
from acd.core.transitions import CallState
from acd.service.callbacks.aside import Aside
from acd.service.callbacks.entries import Callback, Stage
from acd.service.callbacks.policy import QueueCallbacks
from acd.service.callbacks.runs import Run, Runs
from acd.service.callbacks.tools import CallbackTools

__all__ = ["CustomersTurn"]

log = structlog.get_logger(__name__)


class CustomersTurn:
    """See the module."""

    def __init__(self, runs: Runs, tools: CallbackTools) -> None:
        self._runs = runs
        self._tools = tools
        self._talks: set[asyncio.Task[None]] = set()
        self._dials = tools.dials(self._not_answered)
        self._aside = Aside(runs, tools.expecting, tools.call_later)
        runs.agent_expected = self._agent_expected

    def on_event(self, event: Mapping[str, str]) -> None:
        """Take an AMI event."""
        self._dials.on_event(event)

    def cancel(self, call_id: str) -> None:
        """Stop ringing."""
        self._dials.cancel(call_id)

    def _agent_expected(self, call_id: str) -> None:
        """An agent will be free soon: it is time to ring the customer."""
        entry, run = self._runs.ledger.get(call_id), self._runs.get(call_id)
        call = self._tools.calls.get(call_id)
        waits = call is not None and call.state is CallState.WAITING
        if entry is not None and run is not None and run.stage is Stage.WAITING and waits:
            if self._aside.one_before(entry):
                self._aside.recall(entry.queue)
            elif self._tools.expecting.agents_left(entry.queue):
                self._ring(entry, run)

    def takes(self, entry: Callback, run: Run, offered: int) -> bool:
        """The engine offers so many agents: ring the customer, or let the callback step aside.

        False: it is the agents' turn.
        """
        if not self._tools.expecting.agents_left(entry.queue, offered):
            self._aside.put(entry)
            return True
        if self._aside.one_before(entry):
            self._aside.recall(entry.queue, offered)  # before the agent is let go, who is offered to the first then
            self._aside.put(entry)
            return True
        return self._ring(entry, run)

    def _ring(self, entry: Callback, run: Run) -> bool:
        """Ring the customer if that is allowed; the place in the queue is taken again when the customer answers."""
        how, now = self._runs.how(entry.queue), self._tools.clocks.wall()
        under_way = self._tools.expecting.all_under_way
        device = self._tools.site().numbers.outbound.device(entry.number)
        answers = self._runs.ledger.answers
        if device is None or not self._tools.expecting.can_dial():
            return False
        if not answers.one_more_is_allowed(now, how.silent_limit, under_way):
            return False
        run.stage = Stage.DIALLING
        self._tools.expecting.begins(entry)
        self._tools.post(CallLeftQueue(entry.id, "the customer is rung first"))
        task = asyncio.get_running_loop().create_task(self._dial_customer(entry.id, device, how, run))
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)
        return True

    async def _dial_customer(self, call_id: str, device: str, how: QueueCallbacks, run: Run) -> None:
        entry = await self._runs.attempt(call_id)
        log.info("customer is called back first", call_id=call_id, number=entry.number, attempt=entry.attempts)
        if run.withdrawn or not self._dials.ring(entry, device, how.ring_s, self._tools.variables()):
            self._not_answered(call_id)

    def _not_answered(self, call_id: str) -> None:
        run = self._runs.get(call_id)
        if run is None or run.stage is not Stage.DIALLING:
            return
        self._not_under_way(call_id)
        if call_id in self._tools.calls:
            self._tools.post(CallEnded(call_id))
        if run.withdrawn:
            self._runs.finish(call_id, run.withdrawn)
        else:
            self._runs.unreached(call_id)

    def _not_under_way(self, call_id: str) -> None:
        """The customer has an agent, or was not reached: an agent may be left for another one."""
        queue = self._tools.expecting.ends(call_id)
        if queue:
            self._aside.recall(queue)

    def came_in(self, call_id: str) -> None:
        """A caller has come in as this call: if it is a callback's, the customer has answered."""
        entry, run = self._runs.ledger.get(call_id), self._runs.get(call_id)
        if entry is None or run is None or run.stage is Stage.ON_LINE:
            return
        run.stage, run.answered = Stage.ON_LINE, True
        if run.timer is not None:
            run.timer.cancel()
        self._dials.answered(call_id)
        self._tools.call_later(self._runs.how(entry.queue).silent_after_s, partial(self._judge, call_id, silent=True))

    def _judge(self, call_id: str, *, silent: bool) -> None:
        """Count the answer, once."""
        run = self._runs.get(call_id)
        if run is not None and run.answered:
            run.answered = False
            self._runs.ledger.note_answer(silent=silent)

    def got_agent(self, call_id: str, run: Run) -> None:
        """The customer, who was rung first, talks to an agent."""
        self._judge(call_id, silent=False)
        self._not_under_way(call_id)
        entry = self._runs.ledger.drop(call_id)
        if entry is not None:
            self._runs.finish(call_id, "reached", entry)
            self._runs.put(call_id, run)  # until the line has ended, it is known to be no call without one

    def left_line(self, call_id: str, run: Run) -> None:
        """The customer, who was rung first, is gone: after the talk, or tired of waiting."""
        self._not_under_way(call_id)
        if self._runs.ledger.get(call_id) is None:
            self._runs.drop(call_id)
            return
        self._judge(call_id, silent=True)
        run.stage = Stage.DIALLING
        self._runs.unreached(call_id)

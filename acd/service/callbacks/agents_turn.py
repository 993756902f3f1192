"""The agent's phone rings first: from the offer of the engine to the end of the talk, or of the attempt."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from acd.core.commands import OfferCall
from acd.core.events import CallEnded, LegFailure
from acd.service.callbacks.agent_first import AgentResult
from acd.service.callbacks.customers_turn import CustomersTurn
from acd.service.callbacks.entries import Callback, Stage
from acd.service.callbacks.runs import Run, Runs
from acd.service.callbacks.tools import CallbackTools
from acd.service.late_legs import CallerId, LateLeg

__all__ = ["NO_LINE_PAUSE_S", "AgentsTurn"]

log = structlog.get_logger(__name__)

NO_LINE_PAUSE_S = 5.0
"""While no phone can be rung (seconds)."""


class AgentsTurn:
    """See the module. Where the site wants it so, it is the customers' turn first."""

    def __init__(self, runs: Runs, tools: CallbackTools, customers: CustomersTurn) -> None:
        self._runs = runs
        self._tools = tools
        self._customers = customers
        self._talks: set[asyncio.Task[None]] = set()

    def offer(self, command: OfferCall, run: Run) -> None:
        """The engine offers this callback: ring the agents, or the customer."""
        call_id = command.call_id
        entry = self._runs.ledger.get(call_id)
        if entry is None:
            return
        customer_first = self._runs.how(entry.queue).customer_first
        if customer_first and self._customers.takes(entry, run, len(command.agent_ids)):
            return
        rung = [
            self.ring(command.offer_id, call_id, agent_id, command.ring_timeout_s) for agent_id in command.agent_ids
        ]
        if all(rung):
            return
        # No phone can be rung now. To end the offer alone would have it made again at once, and again.
        self._tools.late.cancel_offer(command.offer_id)
        self._runs.leave_queue(call_id, "no phone can be rung")
        self._runs.sleep(call_id, NO_LINE_PAUSE_S)

    def ring(self, offer_id: str, call_id: str, agent_id: str, timeout_s: float) -> bool:
        """Ring an agent's phone; False when that is not possible now."""
        entry = self._runs.ledger.get(call_id)
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
        entry, run = self._runs.ledger.get(leg.call_id), self._runs.get(leg.call_id)
        if entry is None or run is None:
            return
        run.stage, run.leg = Stage.AGENT, leg
        leg.on_talk = partial(self._reached, entry.id)
        task = asyncio.get_running_loop().create_task(self._talk(leg, entry, run))
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    def _reached(self, call_id: str) -> None:
        """The customer is not to be called again, whatever becomes of us."""
        reached = self._runs.ledger.drop(call_id)
        run = self._runs.get(call_id)
        if run is not None:
            run.reached = reached

    async def _talk(self, leg: LateLeg, entry: Callback, run: Run) -> None:
        result = AgentResult.DROPPED
        try:
            result = await self._tools.agents_side.talk(
                leg, entry, self._runs.how(entry.queue), partial(self._runs.attempt, entry.id)
            )
        finally:
            self._after_agent(leg, entry, run, result)
            if leg.line is not None:
                leg.line.close()

    def _after_agent(self, leg: LateLeg, entry: Callback, run: Run, result: AgentResult) -> None:
        run.leg = None
        late, post = self._tools.late, self._tools.post
        if result is AgentResult.REACHED:
            late.talk_ended(leg)
            post(CallEnded(entry.id))
            self._runs.finish(entry.id, "reached", run.reached or entry)
        elif run.withdrawn:
            self._runs.leave_queue(entry.id, f"the callback is over: {run.withdrawn}")
            self._runs.finish(entry.id, run.withdrawn)
        elif result is AgentResult.UNREACHED:
            self._runs.leave_queue(entry.id, "the customer was not reached")
            self._runs.unreached(entry.id)
        else:
            self._runs.waits(entry.id, run)
            late.declined(leg, LegFailure.REJECTED if result is AgentResult.DECLINED else LegFailure.DROPPED)

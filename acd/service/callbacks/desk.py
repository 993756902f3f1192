"""All callbacks: promised, waiting for their time, in their queue, and brought together.

The place in the queue is a call of the engine like any other, only without a channel. When its turn has come the
agent's phone rings first (as a phone beside a dial does, see ``late_legs``), and picked up, dials the customer; or,
where the site wants it so, the customer's phone rings when an agent is expected to be free, and the customer comes into
the old place. Who is not reached is tried again, as the site has set. What was promised is kept in the state folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import structlog

from acd.core.commands import AddLeg, CancelLeg, CancelOffer, Command, FaultFound, OfferCall, Overflow, VerifyOffer
from acd.core.events import CallEnded, Event, LegFailed, LegFailure, OfferBridged, OfferEnded, TalkRestored
from acd.service.callbacks.agents_turn import NO_LINE_PAUSE_S, AgentsTurn
from acd.service.callbacks.customers_turn import CustomersTurn
from acd.service.callbacks.entries import Callback, Stage
from acd.service.callbacks.ledger import Ledger
from acd.service.callbacks.promising import Promising
from acd.service.callbacks.runs import Run, Runs
from acd.service.callbacks.showing import Shown, row_of
from acd.service.callbacks.tools import CallbackTools
from acd.web.backend import Json

__all__ = ["Callback", "CallbackTools", "Callbacks", "Shown"]

log = structlog.get_logger(__name__)

BEGINS_AFTER_S = 1.0
"""So long after the caller's own call has ended the callback begins to wait: not while that phone is still busy."""


class Callbacks:
    """See the module. ``take`` gets the engine's commands for the calls that ``owns`` knows."""

    def __init__(self, path: Path, tools: CallbackTools) -> None:
        self._tools = tools
        self._ledger = Ledger(path, tools.clocks.wall)
        self.results: Counter[tuple[str, str]] = Counter()
        """What became of callbacks, by queue and result."""
        self._runs = Runs(self._ledger, tools, self.results)
        self._customers = CustomersTurn(self._runs, tools)
        self._agents = AgentsTurn(self._runs, tools, self._customers)
        self._parked: dict[str, list[str]] = {}
        """By the caller's own call."""
        self.promising = Promising(tools, self._ledger, self._park, self.results)

    def __len__(self) -> int:
        return len(self._ledger)

    def __iter__(self) -> Iterator[Shown]:
        for entry in sorted(self._ledger, key=lambda entry: entry.entered_at):
            run = self._runs.get(entry.id)
            stage = run.stage if run is not None else Stage.SLEEPING
            pause_s = self._runs.pause_of(entry) if stage is Stage.SLEEPING else 0.0
            next_at = self._tools.clocks.wall() + pause_s if pause_s > 0 else 0.0
            yield Shown(entry, stage, self._agents_of(entry.id, run), next_at)

    def shown(self) -> Iterator[Mapping[str, Json]]:
        """Tell of every open callback, who has waited longest first (see ``acd.web.callbacks.Desk``)."""
        return (row_of(one, self._runs.how(one.entry.queue)) for one in self)

    def owns(self, call_id: str) -> bool:
        """Tell whether this call is one without a line."""
        run = self._runs.get(call_id)
        return run is not None and run.stage is not Stage.ON_LINE

    # What callers have been promised.

    def watch(self, told: Callable[[Callback, str], None]) -> None:
        """Let this be told of the end of each callback: what it was, and what became of it."""
        self._runs.watch(told)

    def _park(self, entry: Callback, caller: str) -> None:
        self._runs.put(entry.id, Run(Stage.PARKED, caller))
        if caller in self._tools.calls:
            self._parked.setdefault(caller, []).append(entry.id)
        else:
            self._runs.wake(entry.id, BEGINS_AFTER_S)

    # The process.

    def restore(self) -> None:
        """Take over what was promised before a restart."""
        self._ledger.restore()
        for entry in self._ledger:
            self._runs.put(entry.id, Run(Stage.SLEEPING))
        for entry in list(self._ledger):
            self._runs.begin(entry.id)

    async def run(self) -> None:
        """Keep the file, see ``KeptFile``."""
        await self._ledger.file.run()

    def observe(self, sequence: int, event: Event, now: float, commands: Sequence[Command]) -> None:  # noqa: ARG002
        """Take note of an input of the engine (see ``EngineHost.observe``)."""
        if isinstance(event, CallEnded):
            for call_id in self._parked.pop(event.call_id, ()):
                if self._runs.get(call_id) is not None:  # else it is over already
                    self._runs.wake(call_id, BEGINS_AFTER_S)
            run = self._runs.get(event.call_id)
            if run is not None and run.stage is Stage.ON_LINE:
                self._customers.left_line(event.call_id, run)
        elif isinstance(event, OfferBridged):
            call_id = event.offer_id.rpartition(".")[0]
            run = self._runs.get(call_id)
            if run is None:
                self._got_agent(call_id)
            elif run.stage is Stage.ON_LINE:
                self._customers.got_agent(call_id, run)
        elif isinstance(event, TalkRestored):
            self._runs.finish(event.call_id, "reached")  # by an engine before us, which could not note it

    def promised_since(self, call_id: str, caller: str, queue: str) -> float | None:
        """A caller enters a queue: since when has this customer waited for a callback by it (UNIX time), if at all?

        The callback rests until this call has ended: it is over then if the caller has got an agent. Outside the hours
        of callbacks a caller is one as any other.
        """
        entry = self._of_caller(caller) if self._ledger else None
        if entry is None or entry.queue != queue or entry.id == call_id or not self._runs.is_open(entry):
            return None
        run = self._runs.get(entry.id)
        if run is not None and run.stage in (Stage.SLEEPING, Stage.WAITING):
            log.info("customer calls in before the callback", call_id=entry.id, caller_call_id=call_id)
            self._runs.leave_queue(entry.id, "the customer is on the line")
            self._runs.rest(entry.id, call_id)
            self._parked.setdefault(call_id, []).append(entry.id)
        return entry.entered_at

    def _got_agent(self, call_id: str) -> None:
        """A caller talks to an agent: who was to be called back by the same queue has what was promised."""
        call = self._tools.calls.get(call_id)
        if not self._ledger or call is None or call.queue is None or not self._tools.has_line(call_id):
            return
        entry = self._of_caller(call.caller)
        run = self._runs.get(entry.id) if entry is not None else None
        if entry is None or run is None or not self._may_withdraw(run):
            return
        if run.instead == call_id or entry.queue == call.queue.spec.id:
            self._withdraw(entry, "called-in")

    def _of_caller(self, caller: str) -> Callback | None:
        number = self._tools.site().numbers.check(caller).number
        return self._ledger.of_number(number) if number else None

    def came_in(self, call_id: str) -> None:
        """A caller has come in as this call: if it is a callback's, the customer has answered."""
        self._customers.came_in(call_id)

    def on_event(self, event: Mapping[str, str]) -> None:
        """Take an AMI event."""
        self._customers.on_event(event)

    def take(self, command: Command, call_id: str) -> None:
        """Carry out a command of the engine for one of these calls."""
        late, post = self._tools.late, self._tools.post
        run = self._runs[call_id]
        match command:
            case OfferCall():
                self._agents.offer(command, run)
            case AddLeg():
                if not self._agents.ring(command.offer_id, call_id, command.agent_id, command.ring_timeout_s):
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
                self._runs.finish(call_id, "no-queue")
                post(CallEnded(call_id))

    def fault(self, command: FaultFound, call_id: str) -> None:
        """The engine has let go of the call after a fault: queue it again."""
        log.error("engine fault", entity=command.entity, fault=command.message, story=command.story)
        self._tools.late.call_gone(call_id)
        self._runs.sleep(call_id, NO_LINE_PAUSE_S)

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
        if not self._may_withdraw(run):
            raise ValueError("the customer is on the line")
        stage: Stage = run.stage
        self._withdraw(entry, "cancelled")
        return str(stage.value)

    @staticmethod
    def _may_withdraw(run: Run) -> bool:
        return run.stage is not Stage.ON_LINE and not (run.leg is not None and run.leg.talked)

    def _withdraw(self, entry: Callback, result: str) -> None:
        """End one whose customer is not on the line; what rings for it is stopped first."""
        run = self._runs[entry.id]
        log.info("callback withdrawn", call_id=entry.id, number=entry.number, why=result)
        run.withdrawn = result
        self._ledger.take_back(entry.id)
        if run.stage is Stage.DIALLING:
            self._customers.cancel(entry.id)
        elif run.stage is Stage.AGENT and run.leg is not None:
            self._tools.late.cancel_offer(run.leg.offer_id)
        else:
            self._runs.leave_queue(entry.id, f"the callback is over: {result}")
            self._runs.finish(entry.id, result)

    def _agents_of(self, call_id: str, run: Run | None) -> tuple[str, ...]:
        if run is not None and run.leg is not None:
            return (run.leg.agent_id,)
        call = self._tools.calls.get(call_id)
        if call is None:
            return ()
        if call.agent is not None:
            return (call.agent.id,)
        return tuple(call.offer.legs) if call.offer is not None else ()

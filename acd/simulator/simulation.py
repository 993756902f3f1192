"""The engine in virtual time, with a simulated world of callers and phones around it.

It is the very engine that takes live calls: nothing is modelled of it. Time jumps from one happening to the next: a
call arrives, an agent answers, a talk ends, a caller's patience does, a deadline of the engine is due.

Warm-up: a simulation starts with empty queues and idle agents, which no real day does. So the first
``Scenario.warm_up_calls`` calls are served like all others and not measured. Afterwards no cool-down is needed: the
simulation goes on until every measured call is done, and where the traffic must not thin out meanwhile, more calls
may be given than are measured (``Scenario.measured_calls``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from random import Random
from typing import Any

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
from acd.core.engine import Engine
from acd.core.events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentReady,
    CallEnded,
    CallQueued,
    Event,
    LegAnswered,
    LegFailed,
    LegFailure,
    OfferBridged,
    OfferEnded,
    TimePassed,
    WrapUpDone,
)
from acd.core.specs import RoutingSpec
from acd.core.transitions import AgentState
from acd.simulator.arrivals import PlannedCall
from acd.simulator.figures import AgentTimes, QueueFigures, QueueTally
from acd.simulator.staff import AgentBehaviour, ShiftChange
from routing.strategies import STRATEGIES, Strategy

__all__ = ["Results", "Scenario", "Simulation", "Watcher"]

Watcher = Callable[[Event, float, list[Command]], None]
"""Is told every event with its time, and what the engine answered."""

_RUN_OUT_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is to be simulated.

    ``calls``: in order of time; may be a generator. ``lines``: at most so many callers at once, the rest finds the line
    busy; None: no limit. ``measured_calls``: so many after the warm-up are measured; None: all. Agents whose
    configuration says so are logged in from the start; ``shifts`` change that. ``run_out_s``: how long after the last
    arrival callers may still wait before the simulation gives up on them (for staff that never comes).
    """

    routing: RoutingSpec
    calls: Iterable[PlannedCall]
    seed: int = 1
    behaviour: Mapping[str, AgentBehaviour] = field(default_factory=dict)
    default_behaviour: AgentBehaviour = AgentBehaviour()
    shifts: tuple[ShiftChange, ...] = ()
    lines: int | None = None
    warm_up_calls: int = 0
    measured_calls: int | None = None
    run_out_s: float = _RUN_OUT_S


@dataclass(frozen=True, slots=True)
class Results:
    """What came of it. ``ended_at``: virtual seconds. ``events``: how many the engine has handled."""

    queues: Mapping[str, QueueFigures]
    calls: int
    ended_at: float
    events: int


class _Caller:
    """A caller on the line: the plan, since when, and the queue's tally when the call is measured."""

    __slots__ = ("answered", "at", "id", "offer_id", "plan", "tally")

    def __init__(self, call_id: str, plan: PlannedCall, at: float, tally: QueueTally | None) -> None:
        self.id = call_id
        self.plan = plan
        self.at = at
        self.tally = tally
        self.answered = False
        self.offer_id = ""


class Simulation:
    """One run of a scenario. ``strict``: check the engine's invariants after every event (slow; for tests)."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        strategies: Mapping[str, type[Strategy]] = STRATEGIES,
        strict: bool = False,
        watch: Watcher | None = None,
    ) -> None:
        self._scenario = scenario
        self._watch = watch
        self._rng = Random(f"{scenario.seed}/agents")  # noqa: S311 - a simulation, nothing to be kept secret
        self._now = 0.0
        chance = Random(f"{scenario.seed}/engine")  # noqa: S311
        self.engine = Engine(scenario.routing, chance, self._now, strategies=strategies, strict=strict)
        self._heap: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._pushed = 0
        self._events: deque[Event] = deque()
        self._callers: dict[str, _Caller] = {}
        self._ringing: dict[str, set[str]] = {}
        """Phones that ring for an offer."""
        self._tallies = {spec.id: QueueTally(spec.service_level_s) for spec in scenario.routing.queues.values()}
        self._times = AgentTimes()
        self._calls: Iterator[PlannedCall] = iter(scenario.calls)
        self._seen = 0
        last = scenario.measured_calls
        self._last_measured = inf if last is None else scenario.warm_up_calls + last
        self._last_arrival = 0.0
        self._reactions: dict[type, Callable[[Any], None]] = {
            OfferCall: self._ring_phones,
            AddLeg: self._ring_phone,
            CancelLeg: self._silence_phone,
            CancelOffer: self._silence_offer,
            VerifyOffer: self._verify,
            Announce: _ignore,
            ChangeQueue: _ignore,
            Overflow: self._overflow,
            AgentStateChanged: self._agent_changed,
            FaultFound: self._fault,
        }

    def run(self) -> Results:
        """Simulate to the end."""
        self._open()
        heap, engine = self._heap, self.engine
        while True:
            due = heap[0][0] if heap else inf
            deadline = engine.next_deadline()
            if deadline is not None and deadline <= due:
                if self._is_over(deadline):
                    break
                self._now = deadline
                self._tell(TimePassed())
            elif heap:
                self._now, _, action, subject = heappop(heap)
                action(subject)
            else:
                break
        return self._close()

    # The course of time.

    def _open(self) -> None:
        scenario = self._scenario
        for agent in scenario.routing.agents.values():
            self._times.change(agent.id, AgentState.LOGGED_OUT, self._now)
            if agent.start != "logged-out":
                self._tell(AgentLoggedIn(agent.id, agent.start == "ready"))
        for change in scenario.shifts:
            event = AgentLoggedIn(change.agent) if change.on else AgentLoggedOut(change.agent)
            self._later(change.at, self._tell, event)
        self._plan_next_arrival()

    def _close(self) -> Results:
        self._times.end(self._now)
        for caller in self._callers.values():
            if caller.tally is not None and not caller.answered:
                caller.tally.note_unfinished(self._now - caller.at)
        routing = self._scenario.routing
        figures = {
            queue_id: tally.figures(
                self._times.occupancy(agent.id for agent in routing.agents.values() if queue_id in agent.queues)
            )
            for queue_id, tally in self._tallies.items()
        }
        return Results(figures, self._seen, self._now, self.engine.inputs)

    def _is_over(self, deadline: float) -> bool:
        """Only the engine's own deadlines are left: do they still matter to anyone?"""
        if self._heap:
            return False
        return not self._callers or deadline > self._last_arrival + self._scenario.run_out_s

    def _later(self, at: float, action: Callable[[Any], None], subject: Any) -> None:
        self._pushed += 1
        heappush(self._heap, (at, self._pushed, action, subject))

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        self._settle()

    def _settle(self) -> None:
        """Tell the engine what happened and let the world react, until all is quiet at this instant."""
        events, reactions, engine = self._events, self._reactions, self.engine
        while events:
            event = events.popleft()
            commands = engine.handle(event, self._now)
            if self._watch is not None:
                self._watch(event, self._now, commands)
            for command in commands:
                reactions[type(command)](command)

    # Callers.

    def _plan_next_arrival(self) -> None:
        plan = next(self._calls, None)
        if plan is not None:
            self._later(plan.at, self._arrive, plan)
        else:
            self._times.end(self._now)

    def _arrive(self, plan: PlannedCall) -> None:
        if plan.at < self._last_arrival:
            raise ValueError(f"the calls are not in order of time: {plan.at} after {self._last_arrival}")
        self._last_arrival = plan.at
        self._seen += 1
        scenario = self._scenario
        tally = None
        if scenario.warm_up_calls < self._seen <= self._last_measured:
            tally = self._tallies[plan.queue]
            if self._seen == scenario.warm_up_calls + 1:
                self._times.begin(self._now)
        if scenario.lines is not None and len(self._callers) >= scenario.lines:
            if tally is not None:
                tally.blocked += 1
        else:
            self._enter(plan, tally)
        if self._seen == self._last_measured:
            self._times.end(self._now)
        self._plan_next_arrival()

    def _enter(self, plan: PlannedCall, tally: QueueTally | None) -> None:
        now = self._now
        caller = _Caller(f"c{self._seen}", plan, now, tally)
        self._callers[caller.id] = caller
        if tally is not None:
            tally.offered += 1
        if plan.patience_s < inf:
            self._later(now + plan.patience_s, self._lose_patience, caller)
        self._tell(
            CallQueued(caller.id, plan.queue, plan.priority, plan.skills, customer=plan.customer, agent=plan.agent)
        )

    def _lose_patience(self, caller: _Caller) -> None:
        if not caller.answered and caller.id in self._callers:
            del self._callers[caller.id]
            self._ringing.pop(caller.offer_id, None)
            if caller.tally is not None:
                caller.tally.note_abandoned(self._now - caller.at)
            self._tell(CallEnded(caller.id))

    def _end_talk(self, caller: _Caller) -> None:
        del self._callers[caller.id]
        self._tell(CallEnded(caller.id))

    def _overflow(self, command: Overflow) -> None:
        caller = self._callers.pop(command.call_id, None)
        if caller is not None:
            if caller.tally is not None:
                caller.tally.note_overflowed(self._now - caller.at)
            self._events.append(CallEnded(caller.id))

    # Phones.

    def _ring_phones(self, command: OfferCall) -> None:
        self._ringing[command.offer_id] = set(command.agent_ids)
        caller = self._callers.get(command.call_id)
        if caller is not None:
            caller.offer_id = command.offer_id
        for agent_id in command.agent_ids:
            self._ring(command.offer_id, command.call_id, agent_id, command.ring_timeout_s)

    def _ring_phone(self, command: AddLeg) -> None:
        phones = self._ringing.get(command.offer_id)
        if phones is not None:
            phones.add(command.agent_id)
            self._ring(command.offer_id, command.call_id, command.agent_id, command.ring_timeout_s)

    def _ring(self, offer_id: str, call_id: str, agent_id: str, ring_timeout_s: float) -> None:
        behaviour = self._behaviour(agent_id)
        delay_s, failure = behaviour.react(ring_timeout_s, self._rng)
        if delay_s <= 0.0:
            self._react((offer_id, call_id, agent_id, failure))
        else:
            self._later(self._now + delay_s, self._react_now, (offer_id, call_id, agent_id, failure))

    def _react_now(self, reaction: tuple[str, str, str, LegFailure | None]) -> None:
        self._react(reaction)
        self._settle()

    def _react(self, reaction: tuple[str, str, str, LegFailure | None]) -> None:
        """An agent answers or does not: the events are queued behind those that the engine is to be told first."""
        offer_id, call_id, agent_id, failure = reaction
        phones = self._ringing.get(offer_id)
        if phones is None or agent_id not in phones:
            return
        if failure is not None:
            phones.remove(agent_id)
            if not phones:
                del self._ringing[offer_id]
            self._events.append(LegFailed(offer_id, agent_id, failure))
            return
        caller = self._callers.get(call_id)
        del self._ringing[offer_id]
        if caller is None:
            return  # hung up at this very instant: the engine is being told
        if len(phones) > 1:
            self._events.append(LegAnswered(offer_id, agent_id))
        self._events.append(OfferBridged(offer_id, agent_id))
        caller.answered = True
        if caller.tally is not None:
            caller.tally.note_answered(self._now - caller.at)
        self._later(self._now + caller.plan.handle_s, self._end_talk, caller)

    def _silence_phone(self, command: CancelLeg) -> None:
        phones = self._ringing.get(command.offer_id)
        if phones is not None:
            phones.discard(command.agent_id)
            if not phones:
                del self._ringing[command.offer_id]

    def _silence_offer(self, command: CancelOffer) -> None:
        self._ringing.pop(command.offer_id, None)

    def _verify(self, command: VerifyOffer) -> None:
        if command.offer_id not in self._ringing:
            self._events.append(OfferEnded(command.offer_id))

    # Agents.

    def _behaviour(self, agent_id: str) -> AgentBehaviour:
        return self._scenario.behaviour.get(agent_id, self._scenario.default_behaviour)

    def _agent_changed(self, command: AgentStateChanged) -> None:
        agent_id, state = command.agent_id, command.state
        self._times.change(agent_id, state, self._now)
        if state == AgentState.WRAP_UP:
            if command.until is None:
                seconds = self._behaviour(agent_id).after_call.draw(self._rng)
                self._later(self._now + seconds, self._tell, WrapUpDone(agent_id))
        elif state == AgentState.NOT_READY and command.reason:
            self._later(self._now + self._behaviour(agent_id).break_s, self._tell, AgentReady(agent_id))

    def _fault(self, command: FaultFound) -> None:
        raise RuntimeError("\n  ".join((command.message, *command.story)))


def _ignore(command: Command) -> None:
    """Announcements do not concern the simulated world."""

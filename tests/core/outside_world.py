"""A world of callers and phones around the engine, with an unreliable wire in between.

The world keeps its own truth: who is on the line, which phones ring, who talks to whom. It obeys the engine's commands
and reports what happens. While ``faulty``, reports are lost, doubled or delayed, nonsense comes in between, and the
configuration changes. ``repair`` then does what the service does after a reconnect: it tells the engine the truth.
"""

from __future__ import annotations

from collections.abc import Callable
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
    AgentReady,
    CallEnded,
    CallQueued,
    ConfigurationChanged,
    DeviceChanged,
    DeviceState,
    Event,
    HoursChanged,
    LegAnswered,
    LegFailed,
    LegFailure,
    OfferBridged,
    OfferEnded,
    OffersResumed,
    TalkEnded,
    TalkRestored,
    TimePassed,
    WrapUpDone,
)
from acd.core.invariants import check
from acd.core.specs import RoutingSpec
from acd.core.transitions import AgentState, CallState
from tests.core.random_events import random_event
from tests.core.random_site import SKILLS, random_agent, random_site

_LOST, _TWICE, _LATE = 0.03, 0.05, 0.05


@dataclass
class Caller:
    """One on the line. ``agent``: whom he or she really talks to."""

    id: str
    queue: str
    patience_s: float
    agent: str = ""
    since: float = 0.0


@dataclass
class Ringing:
    """Phones that really ring for an offer."""

    call_id: str
    phones: set[str] = field(default_factory=set)
    winner: str = ""


class OutsideWorld:
    """Callers, phones, agents, and the wire to the engine. ``events`` counts what the engine has been told."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.now = 0.0
        self.faulty = True
        self.engine = Engine(random_site(self.chance), Random(seed), self.now)
        self.callers: dict[str, Caller] = {}
        self.ringing: dict[str, Ringing] = {}
        self.connected: dict[str, str] = {}
        """Offers that really came to a talk, and who took them."""
        self.calls = 0
        self.events = 0
        self.check_every = 50
        self._heap: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._pushed = 0
        self._obey: dict[type, Callable[[Any], None]] = {
            OfferCall: self._ring_phones,
            AddLeg: lambda command: self._ring(command.offer_id, command.agent_id, command.ring_timeout_s),
            CancelLeg: self._silence_phone,
            CancelOffer: lambda command: self._silence(command.offer_id),
            VerifyOffer: self._verify,
            Overflow: self._overflow,
            AgentStateChanged: self._agent_changed,
            Announce: lambda command: None,
            ChangeQueue: lambda command: None,
            FaultFound: self._fault,
        }
        for agent in list(self.engine.agents.values()):
            self._tell(AgentLoggedIn(agent.id, agent.spec.start == "ready"))

    # Phases.

    def run_faulty(self, events: int) -> None:
        """Callers come, agents work, the wire loses and doubles; for so many events."""
        until = self.events + events
        self._later(0.0, self._arrive, None)
        self._later(0.0, self._fidget, None)
        while self.events < until:
            self._step()

    def repair(self) -> None:
        """End the faults: what is on the wire is lost, and the engine is told the truth."""
        self.faulty = False
        ended = (self._arrive, self._fidget, self._tell_and_forget)
        self._heap = [entry for entry in self._heap if entry[2] not in ended]
        self._heap.sort()
        self._correct_engine()
        self._reveal_callers()
        self._tell(OffersResumed())
        for queue_id in list(self.engine.queues):
            self._tell(HoursChanged(queue_id, is_open=True))
        for agent_id in list(self.engine.agents):
            self._tell(DeviceChanged(agent_id, DeviceState.NOT_INUSE))
            self._tell(AgentReady(agent_id))

    def _correct_engine(self) -> None:
        """Tell it what is no longer so."""
        engine = self.engine
        for call in list(engine.calls.values()):
            caller = self.callers.get(call.id)
            if caller is None:
                self._tell(CallEnded(call.id))
            elif call.state is CallState.TALKING and (call.agent is None or caller.agent != call.agent.id):
                self._tell(TalkEnded(call.id))
        for offer_id in list(engine.offers):
            if offer_id not in self.ringing:
                self._tell(OfferEnded(offer_id))

    def _reveal_callers(self) -> None:
        """Tell it what it does not know."""
        engine = self.engine
        for caller in list(self.callers.values()):
            known = engine.calls.get(caller.id)
            if caller.agent in engine.agents and (known is None or known.state is not CallState.TALKING):
                self._tell(TalkRestored(caller.id, caller.agent, caller.queue, caller.since))
            elif not caller.agent and (known is None or known.state is CallState.MENU):
                self._tell(CallQueued(caller.id, self._some_queue()))

    def drain(self) -> None:
        """Nobody new comes: go on until nothing happens any more."""
        for _ in range(200_000):
            if not self._heap and not self.engine.calls:
                return
            self._step()
        raise AssertionError(f"does not drain: {self.engine.calls}, {self.engine.offers}")

    # The course of time.

    def _step(self) -> None:
        due = self._heap[0][0] if self._heap else inf
        deadline = self.engine.next_deadline()
        if deadline is not None and deadline <= due:
            if due == inf and not self.engine.calls:
                return
            self.now = max(self.now, deadline)
            self._tell(TimePassed())
            return
        self.now, _, action, subject = heappop(self._heap)
        action(subject)

    def _later(self, seconds: float, action: Callable[[Any], None], subject: Any) -> None:
        self._pushed += 1
        heappush(self._heap, (self.now + seconds, self._pushed, action, subject))

    def _tell(self, event: Event) -> None:
        commands = self.engine.handle(event, self.now)
        self.events += 1
        self._check_quickly(commands)
        if self.events % self.check_every == 0:
            check(self.engine.world, self.now)
        for command in commands:
            self._obey[type(command)](command)

    def _tell_and_forget(self, event: Event) -> None:
        self._tell(event)

    def _report(self, event: Event) -> None:
        """Put it on the wire."""
        if self.faulty:
            if self.chance.random() < _LOST:
                return
            if self.chance.random() < _TWICE:
                self._later(self.chance.choice([0.0, 1.0, 20.0]), self._tell_and_forget, event)
            if self.chance.random() < _LATE:
                self._later(self.chance.choice([0.5, 5.0]), self._tell_and_forget, event)
                return
        self._later(0.0, self._tell_and_forget if self.faulty else self._tell, event)

    def _check_quickly(self, commands: list[Command]) -> None:
        """The invariants that cost little, after every event."""
        engine = self.engine
        agents, calls = engine.agents.values(), engine.calls.values()
        reserved = sum(agent.state is AgentState.RESERVED for agent in agents)
        assert reserved == sum(len(offer.legs) for offer in engine.offers.values())
        talking = sum(agent.state is AgentState.TALKING for agent in agents)
        assert talking == sum(call.state is CallState.TALKING for call in calls)
        assert len(engine.offers) == sum(call.state is CallState.OFFERED for call in calls)
        if not engine.suspended:
            for agent in agents:
                if agent.is_idle:
                    assert not any(demand.line.size for demand in agent.demands), f"{agent} is idle"
        most = engine.world.routing.max_legs
        for command in commands:
            if isinstance(command, OfferCall):
                assert len(set(command.agent_ids)) == len(command.agent_ids) <= most
            elif isinstance(command, AddLeg) and command.offer_id in engine.offers:
                assert len(engine.offers[command.offer_id].legs) <= most

    # Callers.

    def _arrive(self, _: None) -> None:
        self._later(self.chance.expovariate(1.0 / 3.0), self._arrive, None)
        if len(self.callers) > 40:
            return
        self.calls += 1
        caller = Caller(f"c{self.calls}", self._some_queue(), self.chance.choice([5.0, 30.0, 120.0]))
        self.callers[caller.id] = caller
        self._later(caller.patience_s, self._lose_patience, caller)
        self._queue(caller)

    def _queue(self, caller: Caller) -> None:
        chance = self.chance
        requires = tuple((skill, chance.randint(1, 4)) for skill in SKILLS if chance.random() < 0.1)
        since = None if chance.random() < 0.9 else self.now - chance.choice([5.0, 100.0])
        customer = chance.choice(["", "", "ann", "bob"])
        wanted = chance.choice(["", "", "", *self.engine.agents])
        self._report(CallQueued(caller.id, caller.queue, chance.randint(0, 20), requires, since, customer, wanted))

    def _lose_patience(self, caller: Caller) -> None:
        if caller.id in self.callers and not caller.agent:
            self._leave(caller)

    def _leave(self, caller: Caller) -> None:
        if self.callers.pop(caller.id, None) is not None:
            for offer_id in [offer_id for offer_id, ringing in self.ringing.items() if ringing.call_id == caller.id]:
                self._silence(offer_id)
            self._report(CallEnded(caller.id))

    def _end_talk(self, caller: Caller) -> None:
        if caller.id not in self.callers:
            return
        if self.faulty and self.chance.random() < 0.3:
            caller.agent = ""
            caller.queue = self._some_queue()
            self._report(TalkEnded(caller.id))
            self._later(1.0, self._lose_patience, caller)
            self._queue(caller)
        else:
            self._leave(caller)

    def _overflow(self, command: Overflow) -> None:
        caller = self.callers.get(command.call_id)
        if caller is not None and not caller.agent:
            self._later(2.0, self._lose_patience, caller)

    def _some_queue(self) -> str:
        return self.chance.choice(list(self.engine.queues))

    # Phones.

    def _ring_phones(self, command: OfferCall) -> None:
        if command.call_id not in self.callers:
            self._report(CallEnded(command.call_id))
            return
        self.ringing[command.offer_id] = Ringing(command.call_id)
        for agent_id in command.agent_ids:
            self._ring(command.offer_id, agent_id, command.ring_timeout_s)

    def _ring(self, offer_id: str, agent_id: str, ring_timeout_s: float) -> None:
        ringing = self.ringing.get(offer_id)
        if ringing is None:
            return
        ringing.phones.add(agent_id)
        chance = self.chance
        busy = any(caller.agent == agent_id for caller in self.callers.values())
        failure = None
        delay_s = chance.uniform(0.1, ring_timeout_s * 1.2)
        if busy or chance.random() < 0.1:
            failure, delay_s = LegFailure.REJECTED, min(delay_s, 1.0)
        elif chance.random() < 0.05:
            failure, delay_s = LegFailure.UNREACHABLE, 0.0
        elif delay_s >= ring_timeout_s:
            failure, delay_s = LegFailure.MISSED, ring_timeout_s
        self._later(delay_s, self._react, (offer_id, agent_id, failure))

    def _react(self, reaction: tuple[str, str, LegFailure | None]) -> None:
        offer_id, agent_id, failure = reaction
        ringing = self.ringing.get(offer_id)
        if ringing is None or agent_id not in ringing.phones:
            return
        if failure is not None:
            ringing.phones.discard(agent_id)
            self._report(LegFailed(offer_id, agent_id, failure))
            if not ringing.phones:
                self._silence(offer_id)
                self._report(OfferEnded(offer_id, failure))
        elif not ringing.winner:
            ringing.winner = agent_id
            self._report(LegAnswered(offer_id, agent_id))
            self._later(self.chance.choice([0.0, 0.3]), self._connect, (offer_id, agent_id))

    def _connect(self, answer: tuple[str, str]) -> None:
        offer_id, agent_id = answer
        ringing = self.ringing.get(offer_id)
        if ringing is None or agent_id not in ringing.phones:
            return
        caller = self.callers.get(ringing.call_id)
        taken = any(other.agent == agent_id for other in self.callers.values())
        self._silence(offer_id)
        if caller is None or caller.agent or taken or self.chance.random() < 0.05:
            self._report(OfferEnded(offer_id, LegFailure.DROPPED))
            return
        caller.agent, caller.since = agent_id, self.now
        self.connected[offer_id] = agent_id
        self._report(OfferBridged(offer_id, agent_id))
        self._later(self.chance.expovariate(1.0 / 12.0), self._end_talk, caller)

    def _silence_phone(self, command: CancelLeg) -> None:
        ringing = self.ringing.get(command.offer_id)
        if ringing is not None:
            ringing.phones.discard(command.agent_id)
            if not ringing.phones:
                self._silence(command.offer_id)

    def _silence(self, offer_id: str) -> None:
        self.ringing.pop(offer_id, None)

    def _verify(self, command: VerifyOffer) -> None:
        if command.offer_id in self.ringing:
            return
        agent_id = self.connected.get(command.offer_id)
        caller = self.callers.get(command.call_id)
        if agent_id is not None and caller is not None and caller.agent == agent_id:
            self._report(OfferBridged(command.offer_id, agent_id))
        else:
            self._report(OfferEnded(command.offer_id))

    # Agents and the site.

    def _agent_changed(self, command: AgentStateChanged) -> None:
        if command.state == AgentState.WRAP_UP and command.until is None:
            self._later(self.chance.uniform(0.0, 5.0), self._report, WrapUpDone(command.agent_id))
        elif command.state == AgentState.NOT_READY and not self.faulty:
            self._later(1.0, self._report, AgentReady(command.agent_id))

    def _fidget(self, _: None) -> None:
        """Agents and the site do what they do, and at times nonsense comes over the wire."""
        self._later(self.chance.expovariate(1.0), self._fidget, None)
        if self.chance.random() < 0.03:
            self._reconfigure()
        else:
            self._report(random_event(self.chance, list(self.engine.agents), list(self.engine.queues), self.calls))

    def _reconfigure(self) -> None:
        """Another site; at times only one agent more or other skills."""
        routing = random_site(self.chance)
        if self.chance.random() < 0.5:
            old = self.engine.world.routing
            queue_ids = list(old.queues)
            agent = random_agent(self.chance, f"a{self.chance.randint(0, 16)}", queue_ids)
            routing = RoutingSpec(old.queues, {**old.agents, agent.id: agent}, old.back_off, max_legs=old.max_legs)
        self._tell(ConfigurationChanged(routing))

    def _fault(self, command: FaultFound) -> None:
        raise AssertionError("\n  ".join((command.message, *command.story)))

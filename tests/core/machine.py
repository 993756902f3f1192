"""The engine and the model, told the same at the same times: they must do the same, or the test has found something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from acd.core.commands import Command, OfferCall
from acd.core.engine import Engine
from acd.core.events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentNotReady,
    AgentReady,
    CallEnded,
    CallLeftQueue,
    CallQueued,
    CountsReset,
    DeviceChanged,
    DeviceState,
    Event,
    LegAnswered,
    LegFailed,
    LegFailure,
    OfferBridged,
    OfferEnded,
    OffersResumed,
    OffersSuspended,
    TalkEnded,
    TimePassed,
    WrapUpDone,
    WrapUpExtended,
)
from acd.core.specs import (
    AgentSpec,
    BackOffSpec,
    CountScope,
    QueueSpec,
    RelaxationStep,
    RoutingSpec,
    StickySpec,
    WrapUpMode,
    WrapUpSpec,
)
from routing.priority import PriorityRule
from routing.skills import Requirement
from routing.strategies import STRATEGIES
from tests.core.model_entities import Mismatch
from tests.core.model_events import EventModel

SKILLS = ("cards", "english", "loans")
SMALL = 2.0**-20
"""Added at each step, so that few deadlines fall on the same instant unless the test wants it. Exact in floats."""


def some_routing(chance: Random) -> RoutingSpec:
    """A site of one to three queues with any strategies, and one to nine agents."""
    queue_ids = [f"q{number}" for number in range(chance.randint(1, 3))]
    agent_ids = [f"a{number}" for number in range(chance.randint(1, 9))]
    return RoutingSpec(
        queues={queue_id: _queue(chance, queue_id) for queue_id in queue_ids},
        agents={agent_id: _agent(chance, agent_id, queue_ids) for agent_id in agent_ids},
        back_off=BackOffSpec(
            missed_s=chance.choice([0.0, 2.0, 5.0]),
            rejected_s=chance.choice([0.0, 2.0, 5.0]),
            unreachable_s=chance.choice([0.0, 2.0, 5.0]),
            missed_in_row_limit=chance.choice([0, 0, 2]),
        ),
        idle_scope=chance.choice(list(CountScope)),
        missed_resets_idle=chance.random() < 0.5,
        short_call_s=chance.choice([0.0, 4.0]),
        count_scope=chance.choice(list(CountScope)),
        lease_margin_s=chance.choice([2.0, 5.0]),
        max_legs=chance.choice([2, 30, 30]),
    )


def _queue(chance: Random, queue_id: str) -> QueueSpec:
    moments = sorted(chance.sample(range(1, 30), chance.choice([0, 0, 1, 2])))
    return QueueSpec(
        queue_id,
        strategy=chance.choice([*sorted(STRATEGIES), "ring-all"]),
        strategy_options={"step_s": chance.choice([1.0, 3.0, 5.0])},
        requirement=_requirement(chance) if chance.random() < 0.4 else Requirement(),
        relaxation=tuple(RelaxationStep(float(at), _requirement(chance), chance.random() < 0.7) for at in moments),
        priority=PriorityRule(
            base=chance.choice([0, 0, 5, 30]),
            points_per_minute=chance.choice([0.0, 30.0, 60.0]),
            ageing_cap=chance.choice([0.0, 4.0, 20.0]),
            starvation_limit_s=chance.choice([15.0, 60.0, 1800.0]),
        ),
        ring_timeout_s=chance.choice([6.0, 15.0]),
        wrap_up=WrapUpSpec(
            chance.choice(list(WrapUpMode)), chance.choice([0.0, 0.0, 2.0, 5.0]), chance.choice([0.0, 3.0])
        ),
        sticky=StickySpec(chance.choice([0.0, 10.0]), chance.choice([0.0, 3.0, 10.0]), chance.random() < 0.5),
    )


def _requirement(chance: Random) -> Requirement:
    skills = {skill: chance.randint(1, 4) for skill in SKILLS if chance.random() < 0.3}
    return Requirement.of(skills, chance.choice(["", "", "", "seniors"]))


def _agent(chance: Random, agent_id: str, queue_ids: Sequence[str]) -> AgentSpec:
    return AgentSpec(
        agent_id,
        queues={queue_id: chance.randint(0, 3) for queue_id in queue_ids if chance.random() < 0.8},
        skills={skill: chance.randint(1, 6) for skill in SKILLS if chance.random() < 0.8},
        groups=frozenset(["seniors"]) if chance.random() < 0.5 else frozenset(),
        weight=chance.choice([0.25, 1.0, 8.0]),
    )


_AGENT_EVENTS: tuple[Callable[[str], Event], ...] = (
    AgentReady,
    AgentReady,
    AgentReady,
    AgentReady,
    AgentLoggedIn,
    lambda agent_id: AgentLoggedIn(agent_id, ready=False, reason="meeting"),
    AgentLoggedOut,
    lambda agent_id: AgentNotReady(agent_id, "tea"),
    WrapUpDone,
    WrapUpDone,
    WrapUpDone,
    WrapUpExtended,
    lambda agent_id: DeviceChanged(agent_id, DeviceState.INUSE),
    lambda agent_id: DeviceChanged(agent_id, DeviceState.NOT_INUSE),
    lambda agent_id: DeviceChanged(agent_id, DeviceState.NOT_INUSE),
)
_SITE_EVENTS = (OffersSuspended("drain"), OffersResumed(), OffersResumed(), OffersResumed(), CountsReset())
_LEG_EVENTS = ("answered", "answered", "bridged", "bridged", "bridged", "bridged", *LegFailure, LegFailure.MISSED)
KINDS = (
    *["call arrives"] * 22,
    *["leg event"] * 28,
    *["talk ends"] * 14,
    *["agent event"] * 14,
    *["time passes"] * 12,
    *["call ends"] * 4,
    *["offer ends"] * 3,
    *["deadline comes late"] * 1,
    *["site event"] * 2,
)


class EngineAgainstModel(RuleBasedStateMachine):
    """Random events; after each, the commands and everybody's state must be what the model says.

    One rule with three small draws: Hypothesis bounds what a run may draw, and a run is to be hundreds of steps long.
    """

    strict = True
    """Whether the engine checks its own invariants, too."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.calls = 0
        self.steps = 0
        self.seen: Counter[str] = Counter()
        """What happened in the run, by name: what the test's reach is judged by."""

    @initialize(site=st.integers(0, (1 << 32) - 1))
    def begin(self, site: int) -> None:
        chance = Random(site)
        routing = some_routing(chance)
        self.most_waiting = chance.choice([1, 3, 12])
        self.engine = Engine(routing, chance, self.now, strict=self.strict)
        self.model = EventModel(routing)
        self.queue_ids = list(routing.queues)
        self.agent_ids = list(routing.agents)
        for agent_id in self.agent_ids:
            self.tell(AgentLoggedIn(agent_id))

    @rule(kind=st.sampled_from(KINDS), which=st.integers(0, 255), how=st.integers(0, 255))
    def step(self, kind: str, which: int, how: int) -> None:
        self.steps += 1
        if kind == "call arrives" and len(self.calls_in("waiting")) < self.most_waiting:
            self.call_arrives(which, how)
        elif kind == "leg event" and self.model.offers:
            self.leg_event(which, how)
        elif kind == "talk ends" and (talking := self.calls_in("talking")):
            self.happen((CallEnded if how % 3 else TalkEnded)(talking[which % len(talking)]))
        elif kind == "agent event":
            self.happen(_AGENT_EVENTS[how % len(_AGENT_EVENTS)](self.agent_ids[which % len(self.agent_ids)]))
        elif kind == "call ends" and (calls := self.calls_in("waiting", "offered", "menu")):
            self.happen((CallEnded if how % 2 else CallLeftQueue)(calls[which % len(calls)]))
        elif kind == "offer ends" and self.model.offers:
            reasons = (LegFailure.MISSED, LegFailure.REJECTED, LegFailure.UNREACHABLE)
            self.happen(OfferEnded(list(self.model.offers)[which % len(self.model.offers)], reasons[how % 3]))
        elif kind == "deadline comes late":
            self.deadline_comes_late()
        elif kind == "site event":
            self.happen(_SITE_EVENTS[how % len(_SITE_EVENTS)])
        else:
            self.time_passes((0.0, 1.0, 3.0, 7.0)[how % 4])

    def tell(self, event: Event) -> None:
        commands = self.engine.handle(event, self.now)
        self.note(event, commands)
        self.model.handle(event, self.now, commands)
        for agent in self.model.agents.values():
            state = self.engine.agents[agent.id].state.value
            if state != agent.state:
                raise Mismatch(f"after {event}: {agent.id} is {state}, not {agent.state}")
        states = {call_id: call.state.value for call_id, call in self.engine.calls.items()}
        if states != {call.id: call.state for call in self.model.calls.values()}:
            raise Mismatch(f"after {event}: calls are {states}, not {self.model.calls}")

    def note(self, event: Event, commands: Sequence[Command]) -> None:
        self.seen[type(event).__name__] += 1
        for command in commands:
            self.seen[type(command).__name__] += 1
            if isinstance(command, OfferCall) and len(command.agent_ids) > 1:
                self.seen["several phones"] += 1
        self.seen["held"] += any(call.held_for is not None for call in self.model.calls.values())

    def happen(self, event: Event) -> None:
        self.now += SMALL
        self.tell(event)

    def calls_in(self, *states: str) -> list[str]:
        return [call.id for call in self.model.calls.values() if call.state in states]

    def call_arrives(self, which: int, how: int) -> None:
        """A new call, or one that is back in the menus; what it asks for is drawn from a generator of its own."""
        chance = Random(which * 256 + how)
        queue = chance.choice(self.queue_ids)
        menu = self.calls_in("menu")
        if menu and chance.random() < 0.5:
            self.happen(CallQueued(chance.choice(menu), queue))
            return
        self.calls += 1
        self.now += chance.choice([0.0, SMALL])
        self.tell(
            CallQueued(
                f"c{self.calls}",
                queue,
                priority=chance.choice([0, 0, 0, 3, 20]),
                requires=tuple((skill, chance.randint(1, 5)) for skill in SKILLS if chance.random() < 0.1),
                entered_at=chance.choice([None, None, None, None, self.now - 7.0]),
                customer=chance.choice(["", "ann", "bob"]),
                agent=chance.choice(["", "", "", *self.agent_ids]),
            )
        )

    def leg_event(self, which: int, how: int) -> None:
        offer = list(self.model.offers.values())[which % len(self.model.offers)]
        agent_id = offer.legs[how // 16 % len(offer.legs)].id
        what = _LEG_EVENTS[how % len(_LEG_EVENTS)]
        if isinstance(what, LegFailure):
            self.happen(LegFailed(offer.id, agent_id, what))
        else:
            self.happen((LegAnswered if what == "answered" else OfferBridged)(offer.id, agent_id))

    def time_passes(self, seconds: float) -> None:
        """Deadlines are met on the way, as the engine's owner must."""
        until = self.now + seconds
        while (deadline := self.engine.next_deadline()) is not None and deadline <= until:
            if deadline > self.model.next_deadline():
                raise Mismatch(f"the engine sleeps till {deadline}, the model till {self.model.next_deadline()}")
            self.now = max(self.now, deadline)
            self.tell(TimePassed())
        if self.model.next_deadline() <= until:
            raise Mismatch(f"the engine has forgotten a deadline at {self.model.next_deadline()}")
        self.now = until

    def deadline_comes_late(self) -> None:
        """Whoever owns the engine was busy: the deadline is met after its time."""
        deadline = self.engine.next_deadline()
        if deadline is not None:
            self.now = max(self.now, deadline) + 1.0
            self.tell(TimePassed())

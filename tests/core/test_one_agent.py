"""Calls for one agent alone go to nobody else; a place kept without a line overtakes nobody and is not overtaken."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.core.commands import Command, OfferCall
from acd.core.engine import Engine
from acd.core.events import AgentReady, CallArrived, CallEnded, CallLeftQueue, CallQueued
from acd.core.specs import AgentSpec, QueueSpec, RelaxationStep, RoutingSpec
from routing.skills import ONE_AGENT, Requirement


def engine(*, relaxation: tuple[RelaxationStep, ...] = ()) -> Engine:
    queue = QueueSpec("cards", requirement=Requirement.of({"cards": 3}), relaxation=relaxation)
    agents = {
        "anna": AgentSpec("anna", queues={"cards": 0}, skills={f"{ONE_AGENT}anna": 10}),
        "bob": AgentSpec("bob", queues={"cards": 1}, skills={"cards": 5, f"{ONE_AGENT}bob": 10}),
    }
    return Engine(RoutingSpec({"cards": queue}, agents), random.Random(1), 0.0, strict=True)


def offered(made: Sequence[Command]) -> list[tuple[str, tuple[str, ...]]]:
    return [(command.call_id, command.agent_ids) for command in made if isinstance(command, OfferCall)]


def test_it_is_for_that_agent_whatever_the_queue_requires_and_however_long_it_waits() -> None:
    anybody = RelaxationStep(10.0, Requirement(), keep_call_skills=False)
    site = engine(relaxation=(anybody,))
    site.handle(AgentReady("bob"), 0.0)
    site.handle(CallArrived("c1"), 1.0)
    made = site.handle(CallQueued("c1", "cards", requires=((f"{ONE_AGENT}anna", 1),), stays=True), 1.0)
    assert offered(made) == []
    assert offered(site.handle(CallArrived("c2"), 30.0)) == [], "not for bob after the relaxation, either"
    made = site.handle(AgentReady("anna"), 31.0)
    assert offered(made) == [("c1", ("anna",))], "although she has not the queue's skill"


@given(
    st.lists(st.tuples(st.floats(0.1, 50), st.booleans()), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_a_place_kept_off_the_line_neither_overtakes_nor_is_overtaken(
    callers: list[tuple[float, bool]], chance: random.Random
) -> None:
    """Some leave the queue for a while and come back with their old time of entry: the order is that of entering."""
    queue = QueueSpec("cards")
    site = Engine(
        RoutingSpec({"cards": queue}, {"anna": AgentSpec("anna", queues={"cards": 0})}),
        random.Random(chance.random()),
        0.0,
        strict=True,
    )
    now = 0.0
    entered: dict[str, float] = {}
    back: list[str] = []
    for number, (gap_s, leaves) in enumerate(callers):
        now += gap_s
        call_id = f"c{number}"
        entered[call_id] = now
        site.handle(CallArrived(call_id), now)
        site.handle(CallQueued(call_id, "cards"), now)
        if leaves:
            site.handle(CallLeftQueue(call_id, "callback"), now + 0.01)
            site.handle(CallEnded(call_id), now + 0.02)
            back.append(call_id)
    now += 1.0
    for call_id in sorted(back, key=lambda call_id: chance.random()):
        now += 0.5
        site.handle(CallArrived(call_id), now)
        site.handle(CallQueued(call_id, "cards", entered_at=entered[call_id], stays=True), now)
    served: list[str] = []
    made = site.handle(AgentReady("anna"), now + 1.0)
    while found := offered(made):
        ((call_id, _),) = found
        served.append(call_id)
        now += 1.0
        made = site.handle(CallEnded(call_id), now + 1.0)
    assert served == sorted(entered, key=lambda call_id: entered[call_id])


def test_it_costs_the_same_however_many_agents_serve_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"a{number}" for number in range(500)]
    agents = {name: AgentSpec(name, queues={"cards": 0}, skills={f"{ONE_AGENT}{name}": 10}) for name in names}
    site = Engine(RoutingSpec({"cards": QueueSpec("cards")}, agents), random.Random(1), 0.0)
    for name in names:
        site.handle(AgentReady(name), 0.0)
    asked: list[Requirement] = []
    met_by = Requirement.met_by

    def counted(requirement: Requirement, skills: Mapping[str, int], groups: frozenset[str]) -> bool:
        asked.append(requirement)
        return met_by(requirement, skills, groups)

    monkeypatch.setattr(Requirement, "met_by", counted)
    made = site.handle(CallQueued("c1", "cards", requires=((f"{ONE_AGENT}a400", 1),)), 1.0)
    assert offered(made) == [("c1", ("a400",))]
    assert len(asked) == 1

"""Explanations: true, in order, complete and bounded, whatever a call has been through."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from acd.core.commands import Command, OfferCall
from acd.core.engine import Engine
from acd.core.events import (
    AgentLoggedIn,
    AgentNotReady,
    AgentReady,
    CallArrived,
    CallEnded,
    CallQueued,
    DeviceChanged,
    DeviceState,
    Event,
    MenuStepped,
    OfferBridged,
    OffersSuspended,
    TalkEnded,
)
from acd.core.specs import (
    AgentSpec,
    OverflowAction,
    OverflowActionKind,
    OverflowCondition,
    OverflowRule,
    QueueSpec,
    RoutingSpec,
    StickySpec,
)
from routing.skills import Requirement
from tests.core.outside_world import OutsideWorld


class Site:
    """Three queues, one after the other by overflow; anna serves the last."""

    def __init__(self) -> None:
        def on_to(queue: str, waiting_s: float) -> tuple[OverflowRule, ...]:
            action = OverflowAction(OverflowActionKind.QUEUE, queue)
            return (OverflowRule(OverflowCondition(waiting_s=waiting_s), action),)

        queues = {
            "first": QueueSpec("first", overflow=on_to("second", 10.0)),
            "second": QueueSpec("second", overflow=on_to("third", 20.0)),
            "third": QueueSpec("third", sticky=StickySpec(hold_s=60.0, wait_while_busy=True)),
        }
        agents = {name: AgentSpec(name, queues={"third": 0}) for name in ("anna", "bob")}
        self.engine = Engine(RoutingSpec(queues, agents), random.Random(1), 0.0, strict=True)
        self.now = 0.0

    def tell(self, *events: Event, after_s: float = 1.0) -> None:
        for event in events:
            self.now += after_s
            self.engine.handle(event, self.now)

    def explained(self, call_id: str = "c1") -> dict[str, Any]:
        explanation = self.engine.explain_call(call_id, self.now)
        assert explanation is not None
        return explanation

    def whats(self, call_id: str = "c1") -> list[str]:
        return [line["step"]["node"] if "step" in line else line["what"] for line in self.explained(call_id)["story"]]


def test_steps_in_the_menus_stand_where_they_came_between_what_the_queues_did() -> None:
    site = Site()
    site.tell(
        CallArrived("c1", "+4930", "100"),
        MenuStepped("c1", "main.choose", "invalid", key="7"),
        MenuStepped("c1", "main.choose", "choice", key="1", to="main.sales"),
        MenuStepped("c1", "main.sales", "enqueue"),
        CallQueued("c1", "third"),
        AgentLoggedIn("anna"),
        OfferBridged("c1.1", "anna"),
        TalkEnded("c1"),
        MenuStepped("c1", "main.survey", "answer"),
        CallEnded("c1"),
    )
    assert site.whats() == [
        "arrived", "main.choose", "main.choose", "main.sales", "waiting", "offered", "talking", "menu", "main.survey",
        "ended",
    ]  # fmt: skip
    story = site.explained()["story"]
    assert story[2]["step"] == {
        "node": "main.choose",
        "outcome": "choice",
        "key": "1",
        "to": "main.sales",
        "detail": "",
    }
    assert [line["input"] for line in story] == sorted(line["input"] for line in story)
    assert story[7]["detail"] == "the talk is over"


def test_who_goes_round_in_the_menus_pushes_nothing_out_that_a_queue_did() -> None:
    site = Site()
    site.tell(CallArrived("c1"), MenuStepped("c1", "main.in", "next"), CallQueued("c1", "first"))
    site.tell(*(MenuStepped("c1", "main.round", "choice", key="4", to="main.round") for _ in range(10_000)), after_s=0)
    explained = site.explained()
    assert site.whats()[:2] == ["arrived", "waiting"]
    assert explained["steps_cut"] + len(explained["story"]) - 2 == 10_001
    assert len(explained["story"]) <= 50
    assert explained["story_cut"] == 0


def test_a_step_that_comes_behind_the_end_is_told_and_one_of_nobody_is_stale() -> None:
    site = Site()
    site.tell(CallArrived("c1"), CallEnded("c1"), MenuStepped("c1", "main.message", "kept"))
    assert site.whats() == ["arrived", "ended", "main.message"]
    assert site.engine.stale_events == 0
    site.tell(MenuStepped("nobody", "main.message", "kept"))
    assert site.engine.stale_events == 1


def test_each_overflow_says_what_held() -> None:
    site = Site()
    site.tell(CallArrived("c1"), CallQueued("c1", "first"))
    site.tell(CallArrived("other"), after_s=30.0)
    overflows = [line["detail"] for line in site.explained()["story"] if line["what"] == "overflow"]
    assert overflows == [
        "overflow rule 1 of queue first, when waiting 10 s: queue second",
        "overflow rule 1 of queue second, when waiting 20 s: queue third",
    ]
    assert site.explained()["now"]["no_agent_because"] == [
        {"reason": "logged out", "count": 2, "agents": ["anna", "bob"]}
    ]


def test_a_call_that_an_engine_had_before_is_said_to_be_taken_over() -> None:
    site = Site()
    site.tell(CallArrived("c1", "+4930", "100", resumed=True))
    assert site.whats() == ["taken over"]


def test_why_a_ready_agent_does_not_get_a_call_that_waits() -> None:
    site = Site()
    site.tell(AgentLoggedIn("anna"), CallArrived("c0"), CallQueued("c0", "third"), OfferBridged("c0.1", "anna"))
    site.tell(CallArrived("c1"), CallQueued("c1", "third", agent="anna"), AgentLoggedIn("bob"))
    reasons = {line["reason"]: line["agents"] for line in site.explained()["now"]["no_agent_because"]}
    assert reasons == {"in a call": ["anna"], "ready, but the call is held for anna": ["bob"]}

    site = Site()
    site.tell(OffersSuspended("draining"), AgentLoggedIn("anna"), CallArrived("c1"), CallQueued("c1", "third"))
    reasons = {line["reason"]: line["agents"] for line in site.explained()["now"]["no_agent_because"]}
    assert reasons["ready, but no offers are made"] == ["anna"]


def test_the_attempts_of_a_callback_are_one_story() -> None:
    site = Site()
    site.tell(CallArrived("c1"), MenuStepped("c1", "main.call-back", "promised"), CallEnded("c1"))
    site.tell(CallArrived("c1"), CallQueued("c1", "third"), CallEnded("c1"), CallArrived("c1"))
    assert site.whats() == [
        "arrived", "main.call-back", "ended", "begins again", "waiting", "ended", "begins again",
    ]  # fmt: skip
    assert "c1" not in site.engine.world.ended


@pytest.mark.parametrize("seed", range(3))
def test_whoever_is_called_idle_was_idle_and_nobody_else(seed: int) -> None:
    """In a faulty world, at each decision: what is said of each agent is held against the agent."""
    outside = OutsideWorld(seed)
    engine, decide, seen = outside.engine, outside.engine.handle, Counter[bool]()

    def handle(event: Event, now: float) -> list[Command]:
        made = decide(event, now)
        for command in made:
            if isinstance(command, OfferCall) and command.offer_id in engine.offers:
                seen.update(_held_against_agents(engine, command, now))
        return made

    engine.handle = handle  # type: ignore[method-assign]
    outside.run_faulty(1500)
    assert seen[True] > 20
    assert seen[False] > 200


def _held_against_agents(engine: Engine, command: OfferCall, now: float) -> Iterator[bool]:
    explanation: Any = engine.explain_call(command.call_id, now)
    decisions = [line["decision"] for line in explanation["story"] if "decision" in line]
    decision = next(decision for decision in reversed(decisions) if decision["offer"] == command.offer_id)
    told = {name: line["reason"] for line in decision["ruled_out"] for name in line["agents"]}
    call, queue = engine.calls[command.call_id], engine.queues[command.queue]
    requirement = call.demand.requirement if call.demand is not None else Requirement()
    for agent in engine.agents.values():
        if agent.id in decision["offered_to"]:
            assert agent.id not in told
            continue
        able = agent.id in queue.members and requirement.met_by(agent.levels, agent.spec.groups)
        if told[agent.id] != "state then no longer known":
            yield (told[agent.id] == "idle, later in the order")
            assert (told[agent.id] == "idle, later in the order") is (able and agent.is_idle), told


def test_an_agents_past_is_told_as_far_as_it_is_known() -> None:
    site = Site()
    site.tell(AgentLoggedIn("anna"), AgentLoggedIn("bob"), DeviceChanged("bob", DeviceState.UNAVAILABLE))
    for _ in range(20):  # pushes out of the story that bob's phone has gone
        site.tell(AgentNotReady("bob", "tea"), AgentReady("bob"))
    site.tell(CallArrived("c1"), CallQueued("c1", "third"))
    (decision,) = [line["decision"] for line in site.explained()["story"] if "decision" in line]
    assert decision["ruled_out"] == [{"reason": "phone unavailable", "count": 1, "agents": ["bob"]}]
    for _ in range(20):
        site.tell(AgentNotReady("bob", "tea"), AgentReady("bob"))
    (decision,) = [line["decision"] for line in site.explained()["story"] if "decision" in line]
    assert decision["ruled_out"] == [{"reason": "state then no longer known", "count": 1, "agents": ["bob"]}]


def test_of_thousands_who_do_not_serve_the_queue_the_first_are_named() -> None:
    queues = {name: QueueSpec(name) for name in ("sales", "other")}
    agents = {f"a{n}": AgentSpec(f"a{n}", queues={"other" if n else "sales": 0}) for n in range(2001)}
    engine = Engine(RoutingSpec(queues, agents), random.Random(1), 0.0)
    engine.handle(CallQueued("c1", "sales"), 1.0)
    explanation: Any = engine.explain_call("c1", 1.0)
    others, logged_out = explanation["now"]["no_agent_because"]
    assert (others["reason"], others["count"], len(others["agents"])) == ("queue not assigned", 2000, 50)
    assert logged_out == {"reason": "logged out", "count": 1, "agents": ["a0"]}

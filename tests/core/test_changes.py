"""Differences between two configurations, as an operator reads them before taking one."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from acd.core.changes import describe_changes
from acd.core.specs import (
    AgentSpec,
    BackOffSpec,
    CountScope,
    OverflowAction,
    OverflowActionKind,
    OverflowCondition,
    OverflowRule,
    QueueSpec,
    RelaxationStep,
    RoutingSpec,
    StickySpec,
    WaitingMessage,
    WaitingMessageKind,
    WrapUpMode,
    WrapUpSpec,
)
from routing.priority import PriorityRule
from routing.skills import Requirement

CARDS = QueueSpec("cards", "Cards")
ANNA = AgentSpec("anna", "Anna", "PJSIP/anna", {"cards": 0}, {"cards": 5})
BOB = AgentSpec("bob", "Bob", "PJSIP/bob", {"cards": 1, "general": 0})
SITE = RoutingSpec({"cards": CARDS, "general": QueueSpec("general")}, {"anna": ANNA, "bob": BOB})


def queue_changes(before: QueueSpec = CARDS, **changed: Any) -> list[str]:
    """What is told of the queue cards."""
    old = replace(SITE, queues={**SITE.queues, "cards": before})
    new = replace(SITE, queues={**SITE.queues, "cards": replace(before, **changed)})
    return [line.removeprefix("queue cards: ") for line in describe_changes(old, new)]


def agent_changes(**changed: Any) -> list[str]:
    """What is told of the agent anna."""
    lines = describe_changes(SITE, replace(SITE, agents={**SITE.agents, "anna": replace(ANNA, **changed)}))
    return [line.removeprefix("agent anna: ") for line in lines]


def to_queue(name: str, *, keep_wait: bool = True) -> OverflowAction:
    return OverflowAction(OverflowActionKind.QUEUE, name, keep_wait)


def test_nothing() -> None:
    assert describe_changes(SITE, replace(SITE)) == []


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({"title": "Card services"}, ["title Cards -> Card services"]),
        ({"ring_timeout_s": 20.0}, ["ring time-out 15 s -> 20 s"]),
        ({"strategy": "hunt"}, ["strategy longest-idle -> hunt"]),
        ({"strategy_options": {"step_s": 7.5}}, ["strategy options none -> step_s=7.5"]),
        (
            {"music": "jazz", "while_ringing": "ringing"},
            ["music default -> jazz", "heard while ringing music -> ringing"],
        ),
        ({"service_level_s": 30}, ["service level threshold 20 s -> 30 s"]),
        (
            {"requirement": Requirement.of({"cards": 3}, "seniors")},
            ["requirement any agent of the queue -> cards>=3, group seniors"],
        ),
        (
            {"priority": PriorityRule(50, 2, 30, 900)},
            [
                "priority points 0 -> 50",
                "priority points per minute 0 -> 2",
                "priority cap of ageing 0 -> 30",
                "priority starvation limit 1800 s -> 900 s",
            ],
        ),
        (
            {"wrap_up": WrapUpSpec(WrapUpMode.FIXED, 20, 5)},
            ["wrap-up mode capped -> fixed", "wrap-up seconds 0 s -> 20 s", "wrap-up extension 0 s -> 5 s"],
        ),
        (
            {"sticky": StickySpec(20, 15, wait_while_busy=True)},
            ["sticky hold 0 s -> 20 s", "sticky wait for wrap-up 0 s -> 15 s", "sticky wait while busy no -> yes"],
        ),
    ],
)
def test_single_settings(changed: dict[str, Any], lines: list[str]) -> None:
    assert queue_changes(**changed) == lines


def test_relaxation() -> None:
    steps = (
        RelaxationStep(30, Requirement.of({"cards": 2})),
        RelaxationStep(60, Requirement.of({}, "seniors"), keep_call_skills=False),
    )
    assert queue_changes(relaxation=steps) == [
        "relaxation step 1 new: after 30 s cards>=2",
        "relaxation step 2 new: after 60 s group seniors, whatever the call itself asks for",
    ]


def test_messages() -> None:
    messages = (
        WaitingMessage(WaitingMessageKind.POSITION, 15, 60),
        WaitingMessage(WaitingMessageKind.ESTIMATED_WAIT, 20),
        WaitingMessage(WaitingMessageKind.PROMPT, 0, 90, "please-hold"),
    )
    assert queue_changes(messages=messages) == [
        "message 1 new: position after 15 s, every 60 s",
        "message 2 new: estimated wait after 20 s, once",
        "message 3 new: prompt please-hold after 0 s, every 90 s",
    ]


def test_rules() -> None:
    everything = OverflowCondition(60, 5, 600, 2.5, nobody_ready=True, nobody_logged_in=True, out_of_hours=True)
    rules = (
        OverflowRule(everything, to_queue("general")),
        OverflowRule(OverflowCondition(nobody_ready=True), to_queue("general", keep_wait=False), repeat=True),
    )
    conditions = (
        "waiting 60 s and 5 calls waiting and estimated wait 600 s and 2.5 calls per ready agent and nobody ready "
        "and nobody logged in and out of hours"
    )
    assert queue_changes(overflow=rules) == [
        f"overflow rule 1 new: when {conditions}: queue general",
        "overflow rule 2 new: when nobody ready: queue general, its wait starts anew, again and again",
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (OverflowActionKind.MENU, "menu x"),
        (OverflowActionKind.VOICEMAIL, "voicemail x"),
        (OverflowActionKind.NUMBER, "number x"),
        (OverflowActionKind.CALLBACK, "callback by queue x"),
        (OverflowActionKind.CLOSING, "closing message x"),
    ],
)
def test_actions(kind: OverflowActionKind, words: str) -> None:
    rule = OverflowRule(OverflowCondition(out_of_hours=True), OverflowAction(kind, "x"))
    assert queue_changes(join=(rule,)) == [f"join rule 1 new: when out of hours: {words}"]


def test_one_rule_of_several() -> None:
    """Only what differs is told; a rule that moved up because the one before it is gone has not changed."""
    first, second, third = (OverflowRule(OverflowCondition(waiting_s=s), to_queue("general")) for s in (10, 20, 30))
    queue = replace(CARDS, overflow=(first, second))
    assert queue_changes(queue, overflow=(second,)) == [
        "overflow rule 1 gone: when waiting 10 s: queue general",
    ]
    assert queue_changes(queue, overflow=(first, third)) == [
        "overflow rule 2 gone: when waiting 20 s: queue general",
        "overflow rule 2 new: when waiting 30 s: queue general",
    ]
    assert queue_changes(queue, overflow=(first, second, second)) == [
        "overflow rule 3 new: when waiting 20 s: queue general",
    ]
    assert queue_changes(queue, overflow=(second, first)) == [
        "overflow rules in another order: when waiting 20 s: queue general; when waiting 10 s: queue general",
    ]


def test_queues_come_and_go() -> None:
    new = replace(CARDS, id="letters", strategy="hunt", requirement=Requirement.of({"letters": 1}))
    after = replace(SITE, queues={"general": SITE.queues["general"], "letters": new})
    assert describe_changes(SITE, after) == [
        "queue letters: new, strategy hunt, asks for letters>=1",
        "queue cards: gone; whoever waits in it is still served, new calls are refused",
    ]


def test_agents_come_and_go() -> None:
    agents = {"bob": BOB, "cara": AgentSpec("cara", queues={"cards": 1, "general": 1}), "dan": AgentSpec("dan")}
    assert describe_changes(SITE, replace(SITE, agents=agents)) == [
        "agent cara: new, serves cards, general",
        "agent dan: new, serves no queue",
        "agent anna: gone; a call in progress goes on to its end",
    ]


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({"queues": {"general": 1}}, ["serves general now", "no longer serves cards"]),
        ({"skills": {"cards": 6, "mandarin": 3}}, ["skill cards 5 -> 6", "skill mandarin none -> 3"]),
        ({"skills": {}}, ["skill cards 5 -> none"]),
        ({"groups": frozenset({"seniors", "bank"})}, ["groups none -> bank, seniors"]),
        ({"name": "", "phone": "PJSIP/a"}, ["name Anna -> none", "phone PJSIP/anna -> PJSIP/a"]),
        ({"weight": 2.0, "start": "not-ready"}, ["weight 1 -> 2", "state at first start ready -> not-ready"]),
        ({"confirm": True, "auto_answer": True}, ["confirms with a key no -> yes", "auto-answer no -> yes"]),
        ({"max_login_s": 3600.0}, ["login limit 0 s -> 3600 s"]),
    ],
)
def test_agent(changed: dict[str, Any], lines: list[str]) -> None:
    assert agent_changes(**changed) == lines


def placed(*order: str) -> RoutingSpec:
    return replace(SITE, agents={name: AgentSpec(name, queues={"cards": n}) for n, name in enumerate(order)})


def test_places_are_told_of_those_who_were_moved() -> None:
    assert describe_changes(placed("anna", "bob", "cara"), placed("cara", "anna", "bob")) == [
        "agent anna: place in cards 1 -> 2",
        "agent bob: place in cards 2 -> 3",
        "agent cara: place in cards 3 -> 1",
    ]


def test_whoever_makes_room_for_somebody_new_has_not_been_moved() -> None:
    assert describe_changes(placed("anna", "bob"), placed("cara", "anna", "bob")) == ["agent cara: new, serves cards"]
    assert describe_changes(placed("cara", "anna", "bob"), placed("anna", "bob")) == [
        "agent cara: gone; a call in progress goes on to its end"
    ]


def test_site() -> None:
    after = replace(
        SITE,
        back_off=BackOffSpec(20, 5, 90, 3),
        idle_scope=CountScope.QUEUE,
        missed_resets_idle=True,
        short_call_s=5.0,
        count_scope=CountScope.QUEUE,
        lease_margin_s=4.0,
        max_legs=10,
    )
    assert describe_changes(SITE, after) == [
        "site: back-off missed 30 s -> 20 s",
        "site: back-off rejected 10 s -> 5 s",
        "site: back-off unreachable 60 s -> 90 s",
        "site: back-off missed calls in a row 0 -> 3",
        "site: idle time counted over all queues -> per queue",
        "site: missed call resets idle time no -> yes",
        "site: short calls 0 s -> 5 s",
        "site: calls counted over all queues -> per queue",
        "site: lease margin 5 s -> 4 s",
        "site: phones that ring at once 30 -> 10",
    ]


OTHER: dict[str, Any] = {
    "title": "x",
    "strategy": "hunt",
    "strategy_options": {"a": 1},
    "requirement": Requirement.of({"x": 1}),
    "relaxation": (RelaxationStep(1, Requirement()),),
    "priority": PriorityRule(1),
    "ring_timeout_s": 1.0,
    "wrap_up": WrapUpSpec(seconds=1.0),
    "music": "x",
    "while_ringing": "ringing",
    "service_level_s": 1.0,
    "sticky": StickySpec(1.0),
    "messages": (WaitingMessage(WaitingMessageKind.POSITION, 1.0),),
    "join": (OverflowRule(OverflowCondition(out_of_hours=True), to_queue("general")),),
    "overflow": (OverflowRule(OverflowCondition(waiting_s=1.0), to_queue("general")),),
}


def test_no_field_of_a_queue_is_forgotten() -> None:
    assert {field.name for field in fields(QueueSpec)} == {"id", *OTHER}
    for name, value in OTHER.items():
        assert len(queue_changes(**{name: value})) == 1, name

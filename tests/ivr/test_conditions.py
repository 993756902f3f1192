from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.conditions import (
    AllOf,
    AnyOf,
    Bounds,
    CalendarTest,
    Condition,
    FieldTest,
    NotOf,
    NumberWithheld,
    QueueTest,
    TimeTest,
)
from ivr.context import Frame
from ivr.opening import Opening
from ivr.outcome import NodeId
from ivr.patterns import Pattern
from tests.ivr.builders import call
from tests.ivr.nodes.deciding import MONDAY, FixedQueue, Visited, tools

BERLIN = ZoneInfo("Europe/Berlin")


class Never(Condition):
    def holds(self, visit: object) -> bool:
        raise AssertionError("looked at although the answer was known")


def of(**data: str) -> Visited:
    context = call(language="zh")
    context.data.update(data)
    context.frames.append(Frame(NodeId("main.x"), {"kind": "gold"}))
    return Visited(context)


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        (FieldTest(name="data.topic", equals="cards"), True),
        (FieldTest(name="data.topic", equals="Cards"), False),
        (FieldTest(name="data.topic", equals="CARDS", any_case=True), True),
        (FieldTest(name="data.tier", equals="{param.kind}"), True),
        (FieldTest(name="param.kind", equals="gold"), True),
        (FieldTest(name="data.nothing", equals=""), True),
        (FieldTest(name="data.topic", one_of=("a", "cards")), True),
        (FieldTest(name="data.topic", one_of=("a", "b")), False),
        (FieldTest(name="call.caller", prefix=("+4989", "+4930")), True),
        (FieldTest(name="call.caller", prefix=("+4989",)), False),
        (FieldTest(name="call.caller_name", prefix=("l",), any_case=True), True),
        (FieldTest(name="call.dialled", equals="100"), True),
        (FieldTest(name="call.language", equals="zh"), True),
        (FieldTest(name="call.caller", pattern=Pattern(r"\+49\d+")), True),
        (FieldTest(name="call.caller", pattern=Pattern(r"49\d+")), False),
        (FieldTest(name="data.topic", present=True), True),
        (FieldTest(name="data.nothing", present=True), False),
        (FieldTest(name="data.blank", present=False), True),
        (FieldTest(name="data.topic", present=False), False),
        (FieldTest(name="data.balance", number=Bounds(at_least=100)), True),
        (FieldTest(name="data.balance", number=Bounds(above=100, below=101)), True),
        (FieldTest(name="data.balance", number=Bounds(at_most=100)), False),
        (FieldTest(name="data.balance", number=Bounds(equals=100.5)), True),
        (FieldTest(name="data.balance", number=Bounds(equals=100)), False),
        (FieldTest(name="data.nothing", number=Bounds(at_most=5)), False),
        (FieldTest(name="data.topic", prefix=("c",), one_of=("cards",), pattern=Pattern("[a-z]+")), True),
        (FieldTest(name="data.topic", prefix=("c",), one_of=("loans",)), False),
    ],
)
def test_fields(test: FieldTest, holds: bool) -> None:
    visited = of(topic="cards", tier="gold", blank=" ", balance="100.50")
    visit = visited.visit()
    assert test.holds(visit) is holds
    assert visited.problems(visit) == []


def test_a_value_that_is_no_number_is_told() -> None:
    visited = of(balance="1,000")
    visit = visited.visit()
    assert not FieldTest(name="data.balance", number=Bounds(at_least=0)).holds(visit)
    assert visited.problems(visit) == ["not-a-number data.balance"]


def test_a_value_of_ten_thousand_characters_is_cut() -> None:
    visit = of(topic="a" * 10_000).visit()
    assert FieldTest(name="data.topic", pattern=Pattern("a{100}a{100}")).holds(visit)


def test_all_any_not() -> None:
    visit = of(topic="cards").visit()
    yes, no = FieldTest(name="data.topic", present=True), FieldTest(name="data.topic", present=False)
    assert AllOf((yes, yes)).holds(visit)
    assert not AllOf((no, Never())).holds(visit)
    assert AnyOf((no, yes, Never())).holds(visit)
    assert not AnyOf((no, no)).holds(visit)
    assert NotOf(no).holds(visit)
    assert not NotOf(AllOf((yes, NotOf(no)))).holds(visit)


@pytest.mark.parametrize(("number", "withheld"), [("+4930", False), ("", True), ("anonymous", True), ("unknown", True)])
def test_a_number_that_was_not_told(number: str, withheld: bool) -> None:
    context = call()
    context.caller = number
    assert NumberWithheld().holds(Visited(context).visit()) is withheld


DAY = ((time(9), time(17)),)
NIGHT = ((time(22), time(6)),)
TO_MIDNIGHT = ((time(18), time(0)),)
WORKDAYS = frozenset(range(5))


@pytest.mark.parametrize(
    ("between", "days", "at", "holds"),
    [
        (DAY, frozenset(), (23, 9, 0), True),
        (DAY, frozenset(), (23, 8, 59), False),
        (DAY, frozenset(), (23, 17, 0), False),
        (DAY, WORKDAYS, (22, 10, 0), False),
        ((), WORKDAYS, (22, 10, 0), False),
        ((), WORKDAYS, (23, 0, 0), True),
        (NIGHT, frozenset(), (23, 23, 0), True),
        (NIGHT, frozenset(), (23, 5, 59), True),
        (NIGHT, frozenset(), (23, 6, 0), False),
        (NIGHT, frozenset({4}), (28, 5, 0), True),  # Saturday morning belongs to Friday's night
        (NIGHT, frozenset({4}), (27, 5, 0), False),
        (NIGHT, frozenset({5}), (28, 5, 0), False),
        (TO_MIDNIGHT, frozenset({0}), (23, 23, 59), True),
        (TO_MIDNIGHT, frozenset({0}), (24, 0, 0), False),
        (DAY + NIGHT, frozenset(), (23, 5, 0), True),
        (DAY + NIGHT, frozenset(), (23, 19, 0), False),
    ],
)
def test_times(
    between: tuple[tuple[time, time], ...], days: frozenset[int], at: tuple[int, int, int], holds: bool
) -> None:
    now = datetime(2026, 11, *at, tzinfo=BERLIN).astimezone(UTC)
    visit = Visited(tools=tools(now)).visit()
    assert TimeTest(zone=BERLIN, between=between, days=days).holds(visit) is holds


@pytest.mark.parametrize(
    ("zone", "holds"),
    [("Pacific/Kiritimati", True), ("Asia/Shanghai", True), ("Europe/Berlin", False), ("Pacific/Pago_Pago", False)],
)
def test_the_day_is_that_of_the_zone(zone: str, holds: bool) -> None:
    """Sunday evening in Europe is Monday in the far east, and Sunday morning in the far west."""
    sunday = datetime(2026, 11, 22, 18, tzinfo=UTC)
    assert TimeTest(zone=ZoneInfo(zone), days=frozenset({0})).holds(Visited(tools=tools(sunday)).visit()) is holds


def test_the_hour_that_comes_twice_is_both_times_that_hour() -> None:
    test = TimeTest(zone=BERLIN, between=((time(2), time(3)),))
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    for now, holds in ((first, True), (first + timedelta(hours=1), True), (first + timedelta(hours=2), False)):
        assert test.holds(Visited(tools=tools(now)).visit()) is holds


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        (QueueTest(queue="q", calls_waiting=Bounds(at_least=3)), True),
        (QueueTest(queue="q", calls_waiting=Bounds(at_least=4)), False),
        (QueueTest(queue="q", estimated_wait_s=Bounds(above=60)), True),
        (QueueTest(queue="empty", estimated_wait_s=Bounds(at_least=0)), False),
        (QueueTest(queue="q", ready_agents=Bounds(at_most=0)), True),
        (QueueTest(queue="empty", ready_agents=Bounds(at_least=1)), True),
        (QueueTest(queue="q", nobody_ready=True), True),
        (QueueTest(queue="empty", nobody_ready=True), False),
        (QueueTest(queue="q", nobody_logged_in=True), False),
        (QueueTest(queue="q", out_of_hours=True), True),
        (QueueTest(queue="empty", out_of_hours=True), False),
        (QueueTest(queue="q", nobody_ready=True, out_of_hours=True, calls_waiting=Bounds(below=3)), False),
    ],
)
def test_queues(test: QueueTest, holds: bool) -> None:
    queues = {
        "q": FixedQueue(calls_waiting=3, estimated_wait_s=90, nobody_ready=True, is_open=False),
        "empty": FixedQueue(ready_agents=2),
    }
    assert test.holds(Visited(tools=tools(queues=queues)).visit()) is holds


def test_nothing_holds_of_a_queue_that_is_gone() -> None:
    visited = Visited()
    visit = visited.visit()
    assert not QueueTest(queue="q", nobody_ready=True).holds(visit)
    assert visited.problems(visit) == ["no-such-queue q"]


def test_calendars() -> None:
    calendars = {"office": Opening(True, "opening hours", MONDAY, "hours", UTC)}
    visited = Visited(tools=tools(calendars=calendars))
    visit = visited.visit()
    assert CalendarTest("office", is_open=True).holds(visit)
    assert not CalendarTest("office", is_open=False).holds(visit)
    assert CalendarTest("gone", is_open=True).holds(visit), "as a queue without opening hours"
    assert visited.problems(visit) == ["no-such-calendar gone"]

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ivr.interpreter import Interpreter
from ivr.nodes import Hours, Say, SayKind
from ivr.opening import Opening
from ivr.outcome import NodeId
from ivr.record import StepRecord
from ivr.tools import Tools
from tests.ivr.builders import at, call, end, forest
from tests.ivr.nodes.deciding import MONDAY, tools
from tests.ivr.scripted_line import ScriptedLine

BERLIN = ZoneInfo("Europe/Berlin")
LATER = datetime(2026, 11, 24, 9, tzinfo=BERLIN)


def hours(holiday: NodeId | None = None, override: NodeId | None = None) -> Hours:
    return Hours(
        id=at("start"), calendar="office", open=at("open"), closed=at("closed"), holiday=holiday, override=override
    )


async def walked(node: Hours, world: Tools, context_hours: dict[str, str] | None = None) -> list[StepRecord]:
    records: list[StepRecord] = []
    trees = forest(node, *(end(name) for name in ("open", "closed", "holiday", "override")))
    context = call()
    await Interpreter(trees, on_step=records.append, tools=world).run(ScriptedLine(), context, at("start"))
    if context_hours is not None:
        context_hours.update(context.hours)
    return records


@pytest.mark.parametrize(
    ("is_open", "cause", "outcome"),
    [
        (True, "hours", "open"),
        (False, "hours", "closed"),
        (False, "exception", "closed"),
        (False, "holiday", "holiday"),
        (True, "holiday", "open"),
        (False, "override", "override"),
        (True, "override", "open"),
    ],
)
async def test_each_way(is_open: bool, cause: str, outcome: str) -> None:
    world = tools(calendars={"office": Opening(is_open, "some reason", LATER, cause, BERLIN)})
    records = await walked(hours(at("holiday"), at("override")), world)
    assert (records[0].outcome, records[0].to) == (outcome, at(outcome))
    plain = "open" if is_open else "closed"
    records = await walked(hours(), world)
    assert (records[0].outcome, records[0].to) == (plain, at(plain))


async def test_what_is_known_afterwards() -> None:
    found: dict[str, str] = {}
    world = tools(calendars={"office": Opening(False, "Christmas", LATER, "holiday", BERLIN)})
    await walked(hours(), world, found)
    assert found == {
        "calendar": "office",
        "state": "closed",
        "cause": "holiday",
        "why": "Christmas",
        "until": "2026-11-24T09:00+01:00",
        "until_date": "2026-11-24",
        "until_time": "09:00",
        "until_days": "1",
    }


async def test_an_end_that_is_not_in_sight_is_empty() -> None:
    found: dict[str, str] = {}
    await walked(hours(), tools(calendars={"office": Opening(True, "opening hours", None, "hours", UTC)}), found)
    assert [found[name] for name in ("until", "until_date", "until_time", "until_days")] == [""] * 4


async def test_days_are_counted_by_the_calendar_s_zone() -> None:
    zone = ZoneInfo("Pacific/Auckland")  # 23 November, 23:00 there
    opening = Opening(False, "", datetime(2026, 11, 24, 1, tzinfo=zone), "hours", zone)
    found: dict[str, str] = {}
    await walked(hours(), tools(MONDAY, {"office": opening}), found)
    assert (found["until_time"], found["until_days"]) == ("01:00", "1")


async def test_a_calendar_that_is_gone_counts_as_open() -> None:
    records = await walked(hours(), tools())
    assert records[0].to == at("open")
    assert [str(problem.kind) for problem in records[0].problems] == ["no-such-calendar"]


async def test_it_can_be_said() -> None:
    say = Say(id=at("closed"), kind=SayKind.TEXT, value="{hours.why} until {hours.until_time}")
    trees = forest(hours(), end("open"), say)
    world = tools(calendars={"office": Opening(False, "Fire drill", LATER, "override", BERLIN)})
    line = ScriptedLine()
    await Interpreter(trees, on_step=lambda _: None, tools=world).run(line, call(), at("start"))
    assert line.heard_parts == ['"Fire drill until 09:00"']


async def test_a_reason_that_nobody_has_written_is_said_in_the_caller_s_language() -> None:
    say = Say(id=at("closed"), kind=SayKind.TEXT, value="{hours.why}")
    trees = forest(hours(), end("open"), say)
    world = tools(calendars={"office": Opening(False, "outside opening hours", LATER, "hours", BERLIN)})
    for language, said in (("en", "outside opening hours"), ("zh", "非营业时间")):
        line, context = ScriptedLine(), call()
        context.language = language
        await Interpreter(trees, on_step=lambda _: None, tools=world).run(line, context, at("start"))
        assert line.heard_parts == [f'"{said}"']
        assert context.hours["why"] == "outside opening hours"


async def test_a_reason_given_per_language_is_said_in_the_caller_s() -> None:
    say = Say(id=at("closed"), kind=SayKind.TEXT, value="{hours.why}")
    trees = forest(hours(), end("open"), say)
    why_in = {"en": "stock-taking", "zh": "盘点"}
    world = tools(calendars={"office": Opening(False, "stock-taking", LATER, "exception", BERLIN, why_in)})
    for language, said in (("en", "stock-taking"), ("zh", "盘点"), ("", "stock-taking")):
        line, context = ScriptedLine(), call()
        context.language = language
        await Interpreter(trees, on_step=lambda _: None, tools=world).run(line, context, at("start"))
        assert line.heard_parts == [f'"{said}"']

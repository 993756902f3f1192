from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from ivr.nodes import Say, SayKind
from ivr.outcome import EndReason, HangUp
from ivr.speech import Digits, DigitStyle, Number, Speech, Text
from ivr.values import to_speech
from tests.ivr.builders import Walk, at, call, end, forest, menu
from tests.ivr.scripted_line import ScriptedLine


async def said(
    kind: str, value: str | Mapping[str, str], language: str = "en", **data: str
) -> tuple[Walk, Speech | None]:
    node = Say(id=at("start"), kind=SayKind(kind), value=value, next=at("bye"))
    walk = Walk(forest(node, end("bye"), language=language))
    context = call()
    context.data.update(data)
    context.facts["position"] = "3"
    await walk.run(ScriptedLine(), context)
    assert walk.story == ["start next -> bye", "bye hang-up"]
    heard = walk.records[0].heard
    return walk, heard[0] if heard else None


@pytest.mark.parametrize(
    ("kind", "value", "speech"),
    [
        ("text", "You are at {call.position}.", Text("You are at 3.")),
        ("number", "{call.position}", Number(3)),
        ("number", "-42", Number(-42)),
        ("number", " 1 000 ", Number(1000)),
        ("number", "1,250,000", Number(1_250_000)),
        ("number", "-0.50", Number(Decimal("-0.5"))),
        ("number", "4.00", Number(4)),
        ("digits", "42", Digits("42")),
        ("digits", "4*2#", Digits("4*2#")),
        ("phone", "{call.caller}", Digits("+49301234567", DigitStyle.PHONE)),
        ("phone", "+49 (30) 123-45", Digits("+493012345", DigitStyle.PHONE)),
    ],
)
async def test_values_are_said_by_their_kind(kind: str, value: str, speech: Speech) -> None:
    walk, heard = await said(kind, value)

    assert heard == speech
    assert walk.records[0].problems == ()


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("number", "many", "not-a-number"),
        ("number", "1.5.2", "not-a-number"),
        ("number", "1,5", "not-a-number"),
        ("number", "1e6", "not-a-number"),
        ("number", "٣", "not-a-number"),
        ("number", "9" * 19, "not-a-number"),
        ("digits", "none", "not-digits"),
        ("phone", "+", "not-digits"),
        ("text", "  ", "no-text"),
        ("number", "{data.nothing}", "unknown-field"),
    ],
)
async def test_a_value_that_does_not_suit_is_left_out_and_reported(kind: str, value: str, problem: str) -> None:
    walk, heard = await said(kind, value)

    assert heard is None
    assert walk.records[0].problems[0].kind == problem


async def test_each_language_has_its_own_text() -> None:
    value = {"en": "Hello {data.name}.", "zh": "您好，{data.name}。"}

    assert (await said("text", value, "en", name="Li"))[1] == Text("Hello Li.", "en")
    assert (await said("text", value, "zh", name="Li"))[1] == Text("您好，Li。", "zh")


async def test_a_caller_without_a_text_of_the_own_language_hears_the_first_in_its_language() -> None:
    assert (await said("text", {"en": "Hello.", "de": "Hallo."}, "zh"))[1] == Text("Hello.", "en")


async def test_what_a_caller_sends_cannot_reach_into_the_program() -> None:
    walk, heard = await said(
        "text", "Hi {data.name}{call.__class__}", name="{call.caller} {0.__class__}\r\n${SHELL(id)}"
    )

    assert heard == Text("Hi {call.caller} {0.__class__}  ${SHELL(id)}")
    assert [problem.subject for problem in walk.records[0].problems] == ["call.__class__"]


async def test_a_very_long_value_is_cut() -> None:
    _, heard = await said("text", "{data.name}", name="x" * 10_000)

    assert heard == Text("x" * 200)


async def test_a_key_stops_it_and_counts_for_the_next_menu() -> None:
    node = Say(id=at("start"), kind=SayKind.TEXT, value="Hello.", next=at("choose"))
    line = ScriptedLine([(0.5, "1")])

    await Walk(forest(node, menu({"1": "bye"}, name="choose"), end("bye"))).run(line)

    assert line.heard_parts == ['"Hello."…', "bye"]


async def test_without_barge_in_nothing_stops_it() -> None:
    node = Say(id=at("start"), kind=SayKind.TEXT, value="Hello.", barge_in=False)
    line = ScriptedLine([(0.5, "1")])

    outcome = await Walk(forest(node)).run(line)

    assert line.heard_parts == ['"Hello."']
    assert outcome == HangUp(reason=EndReason.END_OF_TREE)


def test_only_what_is_known_beforehand_is_told_beforehand() -> None:
    node = Say(id=at("start"), kind=SayKind.TEXT, value={"en": "It is {{so}}.", "zh": "{data.x}"}, next=at("bye"))

    assert node.speech() == (Text("It is {so}.", "en"),)
    assert node.targets() == (at("bye"),)


def test_prepared_and_said_speech_are_the_same() -> None:
    node = Say(id=at("start"), kind=SayKind.DIGITS, value="+1 2")

    assert node.speech() == (to_speech(SayKind.DIGITS, "+1 2", ""),) == (Digits("+12"),)


async def test_what_is_not_known_of_a_customer_is_empty_and_no_trouble() -> None:
    walk, heard = await said("text", "From {customer.city}?")
    assert heard == Text("From ?")
    assert walk.records[0].problems == ()

from __future__ import annotations

import pytest

from ivr.conditions import FieldTest
from ivr.nodes import Branch, Case
from ivr.outcome import Go
from tests.ivr.builders import Walk as Walked
from tests.ivr.builders import at, call, end, forest
from tests.ivr.scripted_line import ScriptedLine

TOPIC = Branch(
    id=at("start"),
    cases=(
        Case(FieldTest(name="data.topic", prefix=("c",)), at("a")),
        Case(FieldTest(name="data.topic", equals="cards"), at("b")),
        Case(FieldTest(name="data.topic", equals="loans"), at("b")),
    ),
    default=at("c"),
)


@pytest.mark.parametrize(
    ("topic", "story"),
    [("cards", "start case-1 -> a"), ("loans", "start case-3 -> b"), ("", "start default -> c")],
)
async def test_the_first_case_that_holds_counts(topic: str, story: str) -> None:
    walk = Walked(forest(TOPIC, end("a"), end("b"), end("c")))
    context = call()
    context.data["topic"] = topic
    line = ScriptedLine()
    await walk.run(line, context)
    assert walk.story[0] == story
    assert walk.records[0].heard == ()


async def test_it_neither_answers_nor_says_anything() -> None:
    walk = Walked(forest(TOPIC, end("a"), end("b")))
    line = ScriptedLine()
    context = call()
    context.data["topic"] = "x"
    await walk.run(line, context)
    assert line.answered_at_s == 0.0, "the goodbye of a node that does not exist answers"
    assert TOPIC.targets() == (at("a"), at("b"), at("c"))
    assert Go(at("a"), "case-1").why == "case-1"

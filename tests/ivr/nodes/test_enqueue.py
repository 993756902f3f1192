from __future__ import annotations

from ivr.nodes import EnqueueNode, LanguageNode
from ivr.outcome import Enqueue, HangUp
from tests.ivr.builders import Walk, at, call, end, forest, prompts
from tests.ivr.scripted_line import ScriptedLine


async def test_all_that_the_queue_needs_comes_out() -> None:
    node = EnqueueNode(
        id=at("start"),
        queue="cards",
        priority=50,
        requires={"mandarin": 3},
        data={"topic": "card-loss", "from": "{call.caller}"},
        next=at("bye"),
    )
    line = ScriptedLine()
    context = call()
    walk = Walk(forest(node, end("bye"), language="zh"))

    outcome = await walk.run(line, context)

    assert outcome == Enqueue(
        queue="cards",
        priority=50,
        requires={"mandarin": 3},
        data={"topic": "card-loss", "from": "+49301234567"},
        then=at("bye"),
        language="zh",
    )
    assert context.data == {"topic": "card-loss", "from": "+49301234567"}
    assert line.answered_at_s == 0
    assert line.hung_up_with is None
    assert walk.story == ["start enqueue"]


async def test_prompts_are_heard_first_and_a_key_stops_them() -> None:
    line = ScriptedLine([(0.5, "5")])

    await Walk(forest(EnqueueNode(id=at("start"), queue="cards", prompts=prompts("connecting")))).run(line)

    assert line.heard_parts == ["connecting…"]


async def test_a_call_that_comes_back_goes_on_at_the_next_node() -> None:
    walk = Walk(
        forest(
            LanguageNode(id=at("start"), language="zh", next=at("queue")),
            EnqueueNode(id=at("queue"), queue="cards", next=at("bye")),
            end("bye"),
        )
    )
    line, context = ScriptedLine(), call()

    first = await walk.run(line, context)
    assert isinstance(first, Enqueue)
    assert first.then is not None
    second = await walk.interpreter.run(line, context, first.then)

    assert second == HangUp()
    assert [(heard.part, heard.language) for heard in line.heard] == [("bye", "zh")]
    assert [record.number for record in walk.records] == [1, 2, 3]


async def test_an_unknown_field_is_empty_and_reported() -> None:
    walk = Walk(forest(EnqueueNode(id=at("start"), queue="cards", data={"topic": "x{data.nothing}y"})))

    outcome = await walk.run(ScriptedLine())

    assert isinstance(outcome, Enqueue)
    assert outcome.data == {"topic": "xy"}
    assert [(problem.kind, problem.subject) for problem in walk.records[0].problems] == [
        ("unknown-field", "data.nothing")
    ]

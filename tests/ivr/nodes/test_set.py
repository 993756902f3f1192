from __future__ import annotations

import pytest

from ivr.context import CallContext
from ivr.nodes import EnqueueNode, SetNode
from ivr.outcome import EndReason, Enqueue, HangUp
from tests.ivr.builders import Walk, at, call, end, forest
from tests.ivr.scripted_line import ScriptedLine


async def after(node: SetNode, context: CallContext | None = None, *problems: str) -> CallContext:
    context = context or call()
    walk = Walk(forest(node, end("next")))
    await walk.run(ScriptedLine(), context)
    assert [f"{problem.kind} {problem.subject}" for problem in walk.records[0].problems] == list(problems)
    return context


def node(**more: object) -> SetNode:
    return SetNode(id=at("start"), next=at("next"), **more)  # type: ignore[arg-type]


async def test_call_data() -> None:
    context = call()
    context.data.update(old="1", kept="2", a="x", b="y")
    await after(
        node(
            unset=("old", "never"),
            data={"topic": "cards", "who": "{call.caller_name}", "a": "{data.b}", "b": "{data.a}"},
        ),
        context,
    )
    assert context.data == {"kept": "2", "topic": "cards", "who": "Li", "a": "y", "b": "x"}


async def test_a_value_does_not_grow_without_end() -> None:
    context = call()
    context.data["a"] = "x" * 150
    for _ in range(5):
        context.answered = False
        await after(node(data={"a": "{data.a}{data.a}"}), context)
    assert len(context.data["a"]) == 200


@pytest.mark.parametrize(
    ("before", "add", "now", "problems"),
    [
        (None, 1, "1", ()),
        ("2", 1, "3", ()),
        ("-1", -4, "-5", ()),
        ("", 2, "2", ()),
        ("many", 1, "1", ("not-a-number many",)),
        ("1.5", 1, "1", ("not-a-number 1.5",)),
        ("9" * 15, 1_000_000, str(10**15), ()),
    ],
)
async def test_counting(before: str | None, add: int, now: str, problems: tuple[str, ...]) -> None:
    context = call()
    if before is not None:
        context.data["tries"] = before
    await after(node(add={"tries": add}), context, *problems)
    assert context.data["tries"] == now


async def test_language() -> None:
    assert (await after(node(language="zh"))).language == "zh"
    assert (await after(node())).language == "en"


@pytest.mark.parametrize(
    ("text", "points", "problems"),
    [
        ("70", 70, ()),
        ("-1000", -1000, ()),
        ("{data.vip}", 300, ()),
        ("{data.nothing}", 5, ("unknown-field data.nothing", "not-a-number ")),
        ("1001", 5, ("out-of-range 1001",)),
        ("many", 5, ("not-a-number many",)),
    ],
)
async def test_points(text: str, points: int, problems: tuple[str, ...]) -> None:
    context = call()
    context.priority = 5
    context.data["vip"] = "300"
    await after(node(priority=text), context, *sorted(problems, key=lambda problem: "unknown" not in problem))
    assert context.priority == points


async def test_what_holds_for_the_queues_that_follow() -> None:
    trees = forest(
        SetNode(id=at("start"), priority="50", requires={"english": 2}, agent="{data.last}", next=at("more")),
        SetNode(id=at("more"), requires={"cards": 3}, next=at("queue")),
        EnqueueNode(id=at("queue"), queue="q", priority=5, requires={"english": 4}),
    )
    context = call()
    context.data["last"] = "anna"
    outcome = await Walk(trees).run(ScriptedLine(), context)
    assert isinstance(outcome, Enqueue)
    assert (outcome.priority, outcome.agent) == (55, "anna")
    assert outcome.requires == {"english": 4, "cards": 3}


async def test_an_agent_can_be_taken_away() -> None:
    context = call()
    context.agent = "anna"
    assert (await after(node(agent=""), context)).agent == ""


async def test_without_a_next_node_the_call_ends() -> None:
    walk = Walk(forest(SetNode(id=at("start"), data={"a": "b"})))
    assert await walk.run(ScriptedLine()) == HangUp(reason=EndReason.END_OF_TREE)

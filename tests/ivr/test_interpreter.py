from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from ivr.interpreter import Limits
from ivr.line import LineHungUp
from ivr.nodes import EnqueueNode, LanguageNode, Retries, Say, SayKind
from ivr.outcome import Back, CallerGone, EndReason, Enqueue, Go, HangUp, Move, NodeId, Repeat, Top
from ivr.record import StepRecord
from ivr.speech import Prompt
from ivr.tree import Forest, Node
from ivr.visit import Visit
from tests.ivr.builders import Walk, at, call, end, forest, menu, play, prompts
from tests.ivr.scripted_line import ScriptedLine


async def test_a_step_is_reported_with_all_that_happened() -> None:
    walk = Walk(forest(menu({"1": "bye"}), end("bye"), language="zh"))

    await walk.run(ScriptedLine([(0.5, "1")]))

    assert walk.records == [
        StepRecord(
            call_id="c1",
            number=1,
            node=at("start"),
            type="menu",
            language="zh",
            outcome="choice",
            heard=(Prompt("start"),),
            interrupted=True,
            key="1",
            to=at("bye"),
        ),
        StepRecord(
            call_id="c1",
            number=2,
            node=at("bye"),
            type="hangup",
            language="zh",
            outcome="hang-up",
            heard=(Prompt("bye"),),
        ),
    ]


async def test_one_interpreter_serves_many_calls() -> None:
    walk = Walk(forest(menu({"1": "bye"}), end("bye")))
    first, second = call(), call()
    second.call_id = "c2"

    await walk.run(ScriptedLine([(0.5, "1")]), first)
    await walk.run(ScriptedLine([(0.5, "1")]), second)

    assert [(record.call_id, record.number) for record in walk.records] == [("c1", 1), ("c1", 2), ("c2", 1), ("c2", 2)]


async def test_a_ring_of_nodes_ends_at_the_bound_with_a_goodbye() -> None:
    walk = Walk(forest(play("start", "other"), play("other", "start")), Limits(steps=10, steps_without_key=7))
    line = ScriptedLine()

    outcome = await walk.run(line)

    assert outcome == HangUp(reason=EndReason.STEP_LIMIT)
    assert len(walk.records) == 8
    assert walk.story[-1] == "other step-limit"
    assert line.heard_parts[-1] == "goodbye"
    assert line.hung_up_with == "normal"


async def test_a_ring_that_plays_nothing_ends_too() -> None:
    node = LanguageNode(id=at("start"), language="en", next=at("start"))

    outcome = await Walk(forest(node)).run(ScriptedLine())

    assert outcome == HangUp(reason=EndReason.STEP_LIMIT)


async def test_keys_hold_off_the_bound_for_silent_callers_but_not_the_other() -> None:
    walk = Walk(forest(menu({"1": "start"})), Limits(steps=20, steps_without_key=5))
    line = ScriptedLine(reactions={"start": [[(0.5, "1")]] * 100})

    outcome = await walk.run(line)

    assert outcome == HangUp(reason=EndReason.STEP_LIMIT)
    assert len(walk.records) == 21


async def test_the_bound_is_the_calls_and_not_the_walks() -> None:
    node = EnqueueNode(id=at("start"), queue="cards", next=at("start"))
    walk = Walk(forest(node), Limits(steps=3))
    line, context = ScriptedLine(), call()

    outcomes = [await walk.run(line, context) for _ in range(4)]

    assert [type(outcome) for outcome in outcomes] == [Enqueue, Enqueue, Enqueue, HangUp]


@pytest.mark.parametrize("limits", [{"steps": 0}, {"steps_without_key": 0}])
def test_a_bound_below_one_is_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Limits(**limits)  # type: ignore[arg-type]


async def test_a_node_that_does_not_exist_ends_the_call_with_a_goodbye() -> None:
    walk = Walk(forest(play("start", "nowhere")))
    line = ScriptedLine()

    outcome = await walk.run(line)

    assert outcome == HangUp(reason=EndReason.NO_SUCH_NODE)
    assert line.heard_parts == ["start", "goodbye"]
    assert walk.story == ["start next -> nowhere", "nowhere no-such-node"]


async def test_a_forest_without_trees_ends_the_call() -> None:
    line = ScriptedLine()

    outcome = await Walk(Forest([])).run(line)

    assert outcome == HangUp(reason=EndReason.NO_SUCH_NODE)
    assert line.language == "en"


async def test_without_a_goodbye_prompt_nothing_is_said() -> None:
    line = ScriptedLine()

    await Walk(forest(play("start", "nowhere")), goodbye="").run(line)

    assert line.heard_parts == ["start"]


async def test_when_every_prompt_is_missing_calls_still_come_through() -> None:
    walk = Walk(
        forest(
            play("start", "say"),
            Say(id=at("say"), kind=SayKind.NUMBER, value="42", next=at("choose")),
            menu(
                {"1": "queue"},
                name="choose",
                no_input=Retries(prompts=prompts("no-input"), retries=0),
                on_failure="queue",
            ),
            EnqueueNode(id=at("queue"), queue="cards", prompts=prompts("connecting")),
        )
    )
    line = ScriptedLine(missing={"start", "number 42", "choose", "no-input", "connecting", "goodbye"})

    outcome = await walk.run(line)

    assert isinstance(outcome, Enqueue)
    assert line.heard == []
    missing = [problem.subject for record in walk.records for problem in record.problems]
    assert missing == ["start", "number 42", "choose", "no-input", "connecting"]


def every_node_type() -> Forest:
    return forest(
        play("start", "chinese"),
        LanguageNode(id=at("chinese"), language="zh", next=at("say")),
        Say(id=at("say"), kind=SayKind.NUMBER, value="42", next=at("choose")),
        menu({"1": "queue"}, name="choose"),
        EnqueueNode(id=at("queue"), queue="cards", prompts=prompts("connecting")),
    )


async def test_the_caller_may_go_at_every_single_operation() -> None:
    # set language, answer, play, set language, play, play, read, play, read, play
    operations = 10
    for gone_after in range(1, operations + 1):
        walk = Walk(every_node_type())
        line = ScriptedLine(reactions={"choose": [[], [(0.5, "1")]]}, gone_after=gone_after)

        outcome = await walk.run(line)

        assert isinstance(outcome, CallerGone)
        assert walk.records[-1].outcome == "caller-gone"
        assert walk.records[-1].node == outcome.at
        assert line.operations == gone_after, "the line was used after the caller had gone"

    line = ScriptedLine(reactions={"choose": [[], [(0.5, "1")]]})
    assert isinstance(await Walk(every_node_type()).run(line), Enqueue)
    assert line.operations == operations


async def test_a_caller_who_goes_during_the_goodbye_of_a_given_up_call_is_gone() -> None:
    walk = Walk(forest(play("start", "nowhere")))

    # set language, answer, play, play
    outcome = await walk.run(ScriptedLine(gone_after=4))

    assert outcome == CallerGone(at=at("nowhere"))


async def test_other_errors_of_a_line_pass_through() -> None:
    class BrokenLine(ScriptedLine):
        async def read_digit(self, timeout_s: float) -> str:
            raise OSError("socket torn")

    with pytest.raises(OSError, match="socket torn"):
        await Walk(forest(menu({"1": "start"}))).run(BrokenLine())


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveNode(Node):
    """A node type of a site's own, which makes one move."""

    type: ClassVar[str] = "move"
    move: Move

    async def step(self, visit: Visit) -> Move:
        return self.move


@pytest.mark.parametrize(
    ("move", "story"),
    [
        (Back(), "mover back -> start"),
        (Top(), "mover top -> start"),
        (Go(at("start"), "jumped"), "mover jumped -> start"),
    ],
)
async def test_further_node_types_move_like_the_shipped_ones(move: Move, story: str) -> None:
    walk = Walk(forest(menu({"1": "mover", "2": "bye"}), MoveNode(id=at("mover"), move=move), end("bye")))

    await walk.run(ScriptedLine([(0.0, "1"), (0.0, "2")]))

    assert walk.story[1] == story
    assert walk.story[-1] == "bye hang-up"


@pytest.mark.parametrize("move", [Repeat(), Back(), Top()])
async def test_moves_without_a_menu_before_them_stay_and_end_at_the_bound(move: Move) -> None:
    walk = Walk(forest(MoveNode(id=at("start"), move=move)))

    assert await walk.run(ScriptedLine()) == HangUp(reason=EndReason.STEP_LIMIT)


async def test_a_line_that_is_gone_from_the_start() -> None:
    walk = Walk(forest(end("start")))
    line = ScriptedLine()
    line.gone = True

    assert await walk.run(line) == CallerGone(at=NodeId("main.start"))
    with pytest.raises(LineHungUp):
        await line.answer()

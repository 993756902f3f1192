from __future__ import annotations

from ivr.nodes import Play
from ivr.outcome import EndReason, HangUp
from tests.ivr.builders import Walk, at, end, forest, menu, play, prompts
from tests.ivr.scripted_line import ScriptedLine


async def test_all_prompts_are_heard_in_order_and_the_call_goes_on() -> None:
    walk = Walk(forest(Play(id=at("start"), prompts=prompts("welcome", "news"), next=at("bye")), end("bye")))
    line = ScriptedLine()

    outcome = await walk.run(line)

    assert line.heard_parts == ["welcome", "news", "bye"]
    assert outcome == HangUp()
    assert walk.story == ["start next -> bye", "bye hang-up"]


async def test_a_key_stops_all_prompts_and_counts_for_the_next_menu() -> None:
    trees = forest(
        Play(id=at("start"), prompts=prompts("welcome", "news"), next=at("choose")),
        menu({"1": "bye"}, name="choose"),
        end("bye"),
    )
    line = ScriptedLine([(0.5, "1")])

    await Walk(trees).run(line)

    assert line.heard_parts == ["welcome…", "bye"]


async def test_without_barge_in_nothing_stops_it_and_the_key_still_counts() -> None:
    trees = forest(play("start", "choose", barge_in=False), menu({"1": "bye"}, name="choose"), end("bye"))
    line = ScriptedLine([(0.5, "1")])

    await Walk(trees).run(line)

    assert line.heard_parts == ["start", "bye"]


async def test_without_a_next_node_the_call_ends() -> None:
    line = ScriptedLine()

    outcome = await Walk(forest(play("start"))).run(line)

    assert outcome == HangUp(reason=EndReason.END_OF_TREE)
    assert line.hung_up_with == "normal"
    assert line.heard_parts == ["start"]


async def test_a_missing_prompt_is_reported_and_the_others_are_heard() -> None:
    walk = Walk(forest(Play(id=at("start"), prompts=prompts("welcome", "gone", "news"), next=at("bye")), end("bye")))
    line = ScriptedLine(missing={"gone"})

    await walk.run(line)

    assert line.heard_parts == ["welcome", "news", "bye"]
    assert [(problem.kind, problem.subject) for problem in walk.records[0].problems] == [("speech-missing", "gone")]
    assert walk.records[1].problems == ()


async def test_the_call_is_answered_once_before_the_first_prompt() -> None:
    line = ScriptedLine()

    await Walk(forest(play("start", "bye"), end("bye"))).run(line)

    assert line.answered_at_s == 0

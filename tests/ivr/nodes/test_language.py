from __future__ import annotations

from ivr.nodes import LanguageNode, Play
from ivr.outcome import EndReason, HangUp
from ivr.tree import Forest, Tree, node_id
from tests.ivr.builders import Walk, at, call, end, forest, menu, play, prompts
from tests.ivr.scripted_line import ScriptedLine


async def test_the_trees_language_is_spoken_until_another_is_set() -> None:
    trees = forest(
        play("start", "chinese"),
        LanguageNode(id=at("chinese"), language="zh", next=at("bye")),
        end("bye"),
        language="en",
    )
    line, context = ScriptedLine(), call()

    await Walk(trees).run(line, context)

    assert [(heard.part, heard.language) for heard in line.heard] == [("start", "en"), ("bye", "zh")]
    assert context.language == "zh"


async def test_a_language_set_before_the_tree_is_kept() -> None:
    line = ScriptedLine()
    line.language = "zh"

    await Walk(forest(play("start"), language="en")).run(line, call(language="zh"))

    assert line.heard[0].language == "zh"


async def test_a_callers_language_is_kept_from_tree_to_tree() -> None:
    to_other = LanguageNode(id=at("zh"), language="zh", next=node_id("other", "start"))
    trees = Forest(
        [
            Tree(name="main", start=at("start"), nodes=(menu({"1": "zh"}), to_other), language="en"),
            Tree(
                name="other",
                start=node_id("other", "start"),
                nodes=(Play(id=node_id("other", "start"), prompts=prompts("start")),),
                language="en",
            ),
        ]
    )
    line = ScriptedLine([(0.5, "1")])

    await Walk(trees).run(line)

    assert [(heard.part, heard.language) for heard in line.heard] == [("start", "en"), ("start", "zh")]


async def test_without_a_next_node_the_call_ends() -> None:
    outcome = await Walk(forest(LanguageNode(id=at("start"), language="zh"))).run(ScriptedLine())

    assert outcome == HangUp(reason=EndReason.END_OF_TREE)

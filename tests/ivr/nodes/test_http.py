"""The node that asks another system: a branch for each outcome, music meanwhile, nothing left of who hangs up."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest

from ivr.conditions import Bounds, FieldTest
from ivr.line import LineHungUp
from ivr.lookups import FieldValue, LookUpAnswer, LookUpOutcome
from ivr.nodes import HttpCase, HttpNode, Say, SayKind
from ivr.outcome import CallerGone, EndReason, HangUp, NodeId
from ivr.record import Problem, ProblemKind
from ivr.tools import Tools
from tests.ivr.builders import Walk, at, call, end, forest, menu, prompts
from tests.ivr.scripted_line import HANG_UP, ScriptedLine


class Answers:
    """Look-ups that answer as told, and note what they are asked with."""

    def __init__(self, *answers: LookUpAnswer, wants: tuple[str, ...] = ()) -> None:
        self.answers = list(answers)
        self.wants = wants
        self.asked: list[tuple[str, dict[str, str | None]]] = []

    def ask(self, lookup: str, value: FieldValue) -> Coroutine[Any, Any, LookUpAnswer]:
        # Not a coroutine itself: what is asked is noted even if nobody waits for the answer to the end.
        self.asked.append((lookup, {name: value(name) for name in self.wants}))
        return self._answer(self.answers.pop(0))

    async def _answer(self, answer: LookUpAnswer) -> LookUpAnswer:
        return answer


def answered(**values: str) -> LookUpAnswer:
    return LookUpAnswer(outcome=LookUpOutcome.OK, status=200, values=values)


def failed(outcome: str, status: int = 0) -> LookUpAnswer:
    return LookUpAnswer(outcome=LookUpOutcome(outcome), status=status, why="in words")


def node(**more: object) -> HttpNode:
    settings: dict[str, object] = {
        "lookup": "account",
        "next": at("fine"),
        "branches": {LookUpOutcome(name): at(name) for name in ("not-found", "error", "timeout", "bad-answer")},
        "prompts": prompts("moment"),
        **more,
    }
    return HttpNode(id=at("start"), **settings)  # type: ignore[arg-type]


def walk(asking: Answers, *nodes: HttpNode | Say) -> Walk:
    ends = [end(name) for name in ("fine", "not-found", "error", "timeout", "bad-answer", "last", "case")]
    trees = forest(*nodes, menu({"1": "fine"}, name="choose", on_failure="last"), *ends)
    return Walk(trees, tools=Tools(lookups=asking))


@pytest.mark.parametrize("outcome", ["not-found", "error", "timeout", "bad-answer"])
async def test_each_outcome_has_its_branch(outcome: str) -> None:
    there = walk(Answers(failed(outcome)), node())
    await there.run(ScriptedLine())
    assert there.story[0] == f"start {outcome} -> {outcome}"
    assert there.records[0].problems == (Problem(ProblemKind.LOOK_UP, "account: in words"),)


@pytest.mark.parametrize("outcome", ["not-found", "error", "timeout", "bad-answer"])
async def test_what_has_no_branch_goes_to_on_failure_or_ends(outcome: str) -> None:
    there = walk(Answers(failed(outcome)), node(branches={}, on_failure=at("last")))
    await there.run(ScriptedLine())
    assert there.story[0] == f"start {outcome} -> last"
    line = ScriptedLine()
    ended = await walk(Answers(failed(outcome)), node(branches={})).run(line)
    assert ended == HangUp(reason=EndReason.LOOK_UP_FAILED)
    assert line.heard_parts == ["moment", "goodbye"]


async def test_an_answer_becomes_call_data_and_is_said() -> None:
    context = call()
    say = Say(id=at("say"), kind=SayKind.TEXT, value="You have {data.balance}.", next=at("fine"))
    asking = Answers(answered(balance="12.50"), wants=("call.caller", "data.account", "secret.pin", "secret.token"))
    context.data["account"] = " 47\n11 "
    context.secrets["pin"] = "1234"
    line = ScriptedLine()
    await walk(asking, node(next=at("say")), say).run(line, context)
    assert context.data["balance"] == "12.50"
    assert '"You have 12.50."' in line.heard_parts
    fields = {"call.caller": "+49301234567", "data.account": "47 11", "secret.pin": "1234", "secret.token": None}
    assert asking.asked == [("account", fields)]


async def test_a_field_that_is_not_known_is_noted() -> None:
    there = walk(Answers(answered(), wants=("data.nothing",)), node())
    await there.run(ScriptedLine())
    assert there.records[0].problems == (Problem(ProblemKind.UNKNOWN_FIELD, "data.nothing"),)


@pytest.mark.parametrize(
    ("answer", "goes_to"),
    [
        (answered(balance="2000"), "case-1 -> case"),
        (answered(balance="1000"), "ok -> fine"),
        (failed("not-found", 409), "case-2 -> last"),
        (failed("not-found", 404), "not-found -> not-found"),
    ],
)
async def test_cases_by_value_and_by_status_go_first(answer: LookUpAnswer, goes_to: str) -> None:
    rich = FieldTest(name="data.balance", number=Bounds(above=1000.0))
    cases = (HttpCase(next=at("case"), when=rich), HttpCase(next=at("last"), status=((402, 403), (409, 409))))
    there = walk(Answers(answer), node(cases=cases))
    await there.run(ScriptedLine())
    assert there.story[0] == f"start {goes_to}"


async def test_a_value_of_an_earlier_answer_does_not_speak_for_one_that_failed() -> None:
    context = call()
    context.data["state"] = "blocked"
    blocked = HttpCase(next=at("case"), when=FieldTest(name="data.state", equals="blocked"))
    there = walk(Answers(failed("timeout")), node(cases=(blocked,)))
    await there.run(ScriptedLine(), context)
    assert there.story[0] == "start timeout -> timeout"


async def test_a_prompt_and_then_music_while_it_takes() -> None:
    line = ScriptedLine(work_s=[5.0])
    await walk(Answers(answered()), node(music="jazz")).run(line)
    assert line.heard_parts == ["moment", "fine"]
    assert line.music == [("jazz", 2.0, 5.0)]


async def test_a_call_that_is_not_answered_stays_so() -> None:
    line = ScriptedLine(work_s=[3.0])
    there = Walk(forest(node(prompts=()), end("fine")), tools=Tools(lookups=Answers(answered())))
    await there.run(line)
    assert line.music == [("ringing", 0.0, 3.0)]
    assert line.answered_at_s == 3.0, "by what follows"


async def test_keys_pressed_meanwhile_are_kept() -> None:
    line = ScriptedLine(keys=[(3.0, "1")], work_s=[5.0])
    there = walk(Answers(answered()), node(next=at("choose")))
    await there.run(line)
    assert there.story[:2] == ["start ok -> choose", "choose choice 1 -> fine"]


@pytest.mark.parametrize("at_s", [1.0, 4.0])
async def test_who_hangs_up_meanwhile_is_gone(at_s: float) -> None:
    """No coroutine is left unawaited: that would be a warning, and so an error."""
    line = ScriptedLine(keys=[(at_s, HANG_UP)], work_s=[5.0])
    there = walk(Answers(answered()), node())
    assert await there.run(line) == CallerGone(at=NodeId("main.start"))
    assert there.story == ["start caller-gone"]
    with pytest.raises(LineHungUp):
        await line.play(())


async def test_without_any_look_ups_it_is_an_error() -> None:
    there = Walk(forest(node(), end("error")))
    await there.run(ScriptedLine())
    assert there.story[0] == "start error -> error"


def test_all_it_leads_to_and_says() -> None:
    cases = (HttpCase(next=at("case"), status=((409, 409),)),)
    targets = node(cases=cases, on_failure=at("last")).targets()
    assert set(targets) == {
        at(name) for name in ("case", "fine", "not-found", "error", "timeout", "bad-answer", "last")
    }
    assert node().speech() == prompts("moment")

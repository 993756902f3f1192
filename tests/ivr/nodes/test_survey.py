from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from ivr.context import CallContext
from ivr.interpreter import Interpreter
from ivr.line import Recorded, RecordEnd, RecordLimits
from ivr.nodes import Retries
from ivr.nodes.survey import Comment, OptIn, Question, Survey
from ivr.outcome import CallerGone, EndReason, HangUp, Outcome
from ivr.record import StepRecord
from ivr.recordings import Draft, RecordingImpossible
from ivr.surveys import SurveyOutcome, SurveyResult
from ivr.tools import Tools
from tests.ivr.builders import at, call, end, forest, prompts
from tests.ivr.scripted_line import HANG_UP, ScriptedLine


@dataclass
class Office:
    """Draws as told, and keeps what it is given."""

    drawn: bool = True
    shares: list[float] = field(default_factory=list)
    results: list[SurveyResult] = field(default_factory=list)

    def chosen(self, share_percent: float) -> bool:
        self.shares.append(share_percent)
        return self.drawn

    def keep(self, result: SurveyResult) -> None:
        self.results.append(result)


@dataclass
class Tapes:
    fails: bool = False
    kept: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    async def open(self, call: CallContext, node: str) -> Draft:
        if self.fails:
            raise RecordingImpossible("the disk is full")
        return Draft(id=f"{call.call_id}-{node}", path="/tape")

    async def keep(self, draft: Draft) -> None:
        self.kept.append(draft.id)

    async def discard(self, draft: Draft) -> None:
        self.gone.append(draft.id)

    def leave(self, draft: Draft) -> None:
        self.left.append(draft.id)


def survey(**more: object) -> Survey:
    settings: dict[str, object] = {
        "questions": {
            "friendly": Question(prompts=prompts("friendly")),
            "solved": Question(prompts=prompts("solved"), least=0, most=1),
        },
        "invalid": Retries(prompts=prompts("not-valid"), retries=1),
        "no_input": Retries(prompts=prompts("no-input"), retries=1),
        "thanks": prompts("thanks"),
        "next": at("bye"),
    } | more
    return Survey(id=at("start"), **settings)  # type: ignore[arg-type]


@dataclass
class Run:
    office: Office = field(default_factory=Office)
    tapes: Tapes = field(default_factory=Tapes)
    records: list[StepRecord] = field(default_factory=list)
    context: CallContext = field(default_factory=call)

    async def __call__(self, node: Survey, line: ScriptedLine) -> Outcome:
        self.context.facts.update(agent="anna", queue="cards")
        tools = Tools(surveys=self.office, recordings=self.tapes)
        trees = forest(node, end("bye"))
        interpreter = Interpreter(trees, on_step=self.records.append, tools=tools)
        return await interpreter.run(line, self.context, at("start"))

    @property
    def outcomes(self) -> list[str]:
        return [record.outcome for record in self.records if record.node == at("start")]

    @property
    def result(self) -> SurveyResult:
        (result,) = self.office.results
        return result


def pressing(**keys: str) -> ScriptedLine:
    """A caller who presses these keys half a second into the prompts of these names, one for each time."""
    reactions: dict[str, Sequence[Sequence[tuple[float, str]]]] = {
        name: [[(0.5 + 0.1 * place, key) for place, key in enumerate(each)] for each in pressed.split(",")]
        for name, pressed in keys.items()
    }
    return ScriptedLine(reactions=reactions)


async def test_all_questions_answered() -> None:
    run = Run()
    line = pressing(friendly="4", solved="0")
    assert await run(survey(), line) == HangUp()
    assert line.heard_parts == ["friendly…", "solved…", "thanks", "bye"]
    assert run.outcomes == ["answer", "answer", "done"]
    assert run.result == SurveyResult(
        survey="main.start",
        outcome=SurveyOutcome.COMPLETE,
        call_id="c1",
        agent="anna",
        queue="cards",
        language="en",
        answers={"friendly": 4, "solved": 0},
    )
    assert run.context.data == {"friendly": "4", "solved": "0"}


async def test_a_wrong_key_and_none_have_retries_of_their_own_and_the_question_is_skipped() -> None:
    run = Run()
    line = pressing(friendly="9,", solved=",,1")
    await run(survey(no_input=Retries(prompts=prompts("no-input"), retries=2)), line)
    assert line.heard_parts[:5] == ["friendly…", "not-valid", "friendly", "no-input", "friendly"]
    assert run.outcomes == ["invalid", "no-input", "no-input", "skipped", "no-input", "no-input", "answer", "done"]
    assert run.result.answers == {"solved": 1}
    assert run.result.outcome is SurveyOutcome.COMPLETE


@pytest.mark.parametrize(("said_s", "outcome"), [(0, SurveyOutcome.UNANSWERED), (5, SurveyOutcome.COMPLETE)])
async def test_who_hears_all_questions_and_answers_none_has_answered_only_by_a_comment(
    said_s: int, outcome: SurveyOutcome
) -> None:
    run = Run()
    comment = Comment(prompts=prompts("comment"), limits=RecordLimits(longest_s=30))
    await run(survey(comment=comment), ScriptedLine(talks_s=[said_s]))
    assert run.outcomes[-1] == "done"
    assert run.result.answers == {}
    assert run.result.outcome is outcome


async def test_hanging_up_in_the_middle_keeps_what_was_answered() -> None:
    run = Run()
    line = ScriptedLine(reactions={"friendly": [[(0.5, "5")]], "solved": [[(0.5, HANG_UP)]]})
    assert await run(survey(), line) == CallerGone(at=at("start"))
    assert run.result.outcome is SurveyOutcome.PARTIAL
    assert run.result.answers == {"friendly": 5}


@pytest.mark.parametrize("operations", range(1, 9))
async def test_hanging_up_anywhere_gives_one_result_at_most(operations: int) -> None:
    run = Run()
    comment = Comment(prompts=prompts("comment"), limits=RecordLimits(longest_s=30))
    line = ScriptedLine(gone_after=operations, talks_s=[5])
    assert await run(survey(opt_in=OptIn.AFTER, invitation=prompts("invite"), comment=comment), line) is not None
    assert len(run.office.results) <= 1
    assert len(run.tapes.kept) + len(run.tapes.gone) + len(run.tapes.left) <= 1


async def test_not_among_the_chosen_calls_nothing_is_heard_or_kept() -> None:
    run = Run(Office(drawn=False))
    line = ScriptedLine()
    await run(survey(share_percent=20.0), line)
    assert run.office == Office(drawn=False, shares=[20.0])
    assert line.heard_parts == ["bye"]
    assert run.outcomes == ["not-asked"]


@pytest.mark.parametrize(("said", "asked"), [("yes", True), ("YES", True), ("no", False), ("", False)])
async def test_consent_before_the_talk(said: str, asked: bool) -> None:
    run = Run()
    run.context.data["survey"] = said
    line = pressing(friendly="4", solved="1")
    await run(survey(opt_in=OptIn.BEFORE), line)
    assert bool(run.office.results) is asked
    assert ("friendly…" in line.heard_parts) is asked


@pytest.mark.parametrize(("key", "asked"), [("1", True), ("2", False), ("", False)])
async def test_consent_when_invited(key: str, asked: bool) -> None:
    run = Run()
    line = pressing(invite=key, friendly="4", solved="1")
    await run(survey(opt_in=OptIn.AFTER, invitation=prompts("invite")), line)
    assert run.result.outcome is (SurveyOutcome.COMPLETE if asked else SurveyOutcome.DECLINED)
    assert line.heard_parts[-1] == "bye"
    assert ("friendly…" in line.heard_parts) is asked


@pytest.mark.parametrize(
    ("keys", "answer"), [("10", 10), ("7", 7), ("1", 1), ("1#", 1), ("0", 0), ("05", 0), ("11", None), ("*", None)]
)
async def test_answers_of_two_digits(keys: str, answer: int | None) -> None:
    run = Run()
    line = ScriptedLine(reactions={"likely": [[(0.5 + 0.1 * place, key) for place, key in enumerate(keys)]]})
    node = survey(
        questions={"likely": Question(prompts=prompts("likely"), least=0, most=10)}, invalid=Retries(retries=0)
    )
    await run(node, line)
    assert run.result.answers.get("likely") == answer


async def test_a_spoken_comment() -> None:
    run = Run()
    comment = Comment(prompts=prompts("comment"), limits=RecordLimits(longest_s=30, silence_s=4))
    line = ScriptedLine(reactions={"friendly": [[(0.5, "4")]], "solved": [[(0.5, "1")]]}, talks_s=[12])
    await run(survey(comment=comment), line)
    assert run.tapes.kept == ["c1-main.start"]
    assert run.result.comment == "c1-main.start"
    assert run.result.comment_s > 10
    assert run.outcomes[-2:] == ["comment", "done"]


async def test_a_comment_that_cannot_be_recorded_or_is_none_leaves_the_answers() -> None:
    comment = Comment(prompts=prompts("comment"), limits=RecordLimits(longest_s=30))
    for tapes, talks_s, gone in ((Tapes(fails=True), 5, []), (Tapes(), 0.2, ["c1-main.start"])):
        run = Run(tapes=tapes)
        line = ScriptedLine(reactions={"friendly": [[(0.5, "4")]], "solved": [[(0.5, "1")]]}, talks_s=[talks_s])
        await run(survey(comment=comment), line)
        assert run.result.answers == {"friendly": 4, "solved": 1}
        assert run.result.comment == ""
        assert tapes.kept == []
        assert tapes.gone == gone


async def test_a_silent_comment_is_none() -> None:
    class Silent(ScriptedLine):
        async def record(self, path: str, limits: RecordLimits) -> Recorded:
            return Recorded(RecordEnd.SILENCE, 6.0, silence_s=6.0)

    run = Run()
    line = Silent(reactions={"friendly": [[(0.5, "4")]], "solved": [[(0.5, "1")]]})
    await run(survey(comment=Comment(prompts=prompts("comment"), limits=RecordLimits(longest_s=30))), line)
    assert (run.result.comment, run.tapes.kept, run.tapes.gone) == ("", [], ["c1-main.start"])


async def test_without_a_next_node_the_call_ends() -> None:
    run = Run()
    assert await run(survey(next=None), pressing(friendly="1", solved="1")) == HangUp(reason=EndReason.END_OF_TREE)


def test_what_cannot_be() -> None:
    for least, most in ((5, 5), (-1, 5), (1, 100)):
        with pytest.raises(ValueError, match="answers must be"):
            Question(prompts=(), least=least, most=most)
    with pytest.raises(ValueError, match="share_percent"):
        survey(share_percent=101.0)

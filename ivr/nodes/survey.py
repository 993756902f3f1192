"""`survey`: ask the caller how it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from ivr.line import LineHungUp, RecordEnd, RecordLimits
from ivr.nodes.menu import TIMEOUT_S_MAX, Retries
from ivr.nodes.play import go_or_end
from ivr.outcome import Go, Move, NodeId
from ivr.record import ProblemKind, StepOutcome
from ivr.recordings import RecordingImpossible
from ivr.speech import Speech
from ivr.surveys import SurveyOutcome, SurveyResult
from ivr.tree import Node
from ivr.visit import Visit

HIGHEST_ANSWER = 99
_BETWEEN_DIGITS_S = 2.0
"""After the first digit of an answer that may have two, the second is waited for so long (seconds)."""


class OptIn(StrEnum):
    """How a caller comes to be asked."""

    NONE = "none"
    """Without being asked for consent."""
    BEFORE = "before"
    """Who has agreed before the talk: a field of the call data says yes."""
    AFTER = "after"
    """Who presses 1 when invited now."""


class SurveyStep(StrEnum):
    """Words of this node in the records of steps."""

    NOT_ASKED = "not-asked"
    """Not among the chosen calls, or no consent before."""
    DECLINED = "declined"
    ANSWER = "answer"
    SKIPPED = "skipped"
    """No usable answer to a question."""
    COMMENT = "comment"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question: an answer is a number from `least` to `most`, keyed in."""

    prompts: tuple[Speech, ...]
    least: int = 1
    most: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.least < self.most <= HIGHEST_ANSWER:
            raise ValueError(f"answers must be 0 to {HIGHEST_ANSWER}, the least below the most")

    def is_answer(self, keys: str) -> bool:
        """Whether this was keyed in for an answer."""
        return keys.isdecimal() and self.least <= int(keys) <= self.most

    def may_go_on(self, keys: str) -> bool:
        """Whether another digit can follow."""
        return keys.isdecimal() and int(keys) * 10 <= self.most and int(keys) > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment spoken at the end."""

    prompts: tuple[Speech, ...]
    limits: RecordLimits
    shortest_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey(Node):
    """Asks `questions` one after the other, then for a spoken comment, and goes to `next`.

    Only `share_percent` of the calls are asked, by chance, and of those only who opts in. A question that gets no
    usable answer within its retries is skipped. Who hangs up in the middle has answered what was answered. Answers
    also become call data, by the names of their questions.
    """

    type: ClassVar[str] = "survey"
    asks: ClassVar[bool] = True

    questions: Mapping[str, Question]
    share_percent: float = 100.0
    opt_in: OptIn = OptIn.NONE
    opt_in_data: str = "survey"
    """With `OptIn.BEFORE`: the call data that must be `yes`."""
    opt_in_key: str = "1"
    invitation: tuple[Speech, ...] = ()
    comment: Comment | None = None
    thanks: tuple[Speech, ...] = ()
    timeout_s: float = 5.0
    invalid: Retries = field(default_factory=Retries)
    no_input: Retries = field(default_factory=lambda: Retries(retries=1))
    next: NodeId | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.timeout_s <= TIMEOUT_S_MAX:
            raise ValueError(f"timeout_s must be 0 to {TIMEOUT_S_MAX:g}, not {self.timeout_s:g}")
        if not 0 <= self.share_percent <= 100:
            raise ValueError("share_percent must be 0 to 100")

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        before = self.opt_in is OptIn.BEFORE and visit.call.data.get(self.opt_in_data, "").lower() != "yes"
        if before or not visit.tools.surveys.chosen(self.share_percent):
            return self._on(SurveyStep.NOT_ASKED)
        if self.opt_in is OptIn.AFTER and not await self._agrees(visit):
            visit.tools.surveys.keep(self._result(visit, SurveyOutcome.DECLINED, {}))
            return self._on(SurveyStep.DECLINED)
        answers: dict[str, int] = {}
        comment, comment_s = "", 0.0
        outcome = SurveyOutcome.PARTIAL
        try:
            for name, question in self.questions.items():
                answer = await self._ask(visit, question)
                if answer is not None:
                    answers[name] = answer
                    visit.call.data[name] = str(answer)
            outcome = SurveyOutcome.COMPLETE if answers else SurveyOutcome.UNANSWERED
            if self.comment is not None:
                comment, comment_s = await self._listen(visit, self.comment)
                outcome = SurveyOutcome.COMPLETE if comment else outcome
        finally:
            visit.tools.surveys.keep(self._result(visit, outcome, answers, comment, comment_s))
        await visit.play(self.thanks, barge_in=False)
        return self._on(SurveyStep.DONE)

    def own_keys(self) -> str:
        """See `Node.own_keys`: every digit may be an answer, and there is no way back in a survey."""
        return Node.own_keys(self)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next,) if self.next else ()

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        asked = tuple(part for question in self.questions.values() for part in question.prompts)
        comment = self.comment.prompts if self.comment is not None else ()
        return (*self.invitation, *asked, *comment, *self.thanks, *self.invalid.prompts, *self.no_input.prompts)

    async def _agrees(self, visit: Visit) -> bool:
        await visit.play(self.invitation, barge_in=True)
        return await visit.read_digit(self.timeout_s) == self.opt_in_key

    async def _ask(self, visit: Visit, question: Question) -> int | None:
        """Ask one question; None when the retries are used up without an answer."""
        left = {StepOutcome.INVALID: self.invalid.retries, StepOutcome.NO_INPUT: self.no_input.retries}
        feedback: tuple[Speech, ...] = ()
        while True:
            await visit.play((*feedback, *question.prompts), barge_in=True)
            keys = await self._keys(visit, question)
            if question.is_answer(keys):
                visit.tried(SurveyStep.ANSWER)
                return int(keys)
            fault, retries = (StepOutcome.INVALID, self.invalid) if keys else (StepOutcome.NO_INPUT, self.no_input)
            if left[fault] == 0:
                visit.tried(SurveyStep.SKIPPED)
                return None
            visit.tried(fault)
            left[fault] -= 1
            feedback = retries.prompts

    async def _keys(self, visit: Visit, question: Question) -> str:
        """Read an answer: its digits, up to `#`, a pause, or as many as there can be."""
        keys = await visit.read_digit(self.timeout_s)
        while question.may_go_on(keys):
            further = await visit.read_digit(_BETWEEN_DIGITS_S)
            if further in ("", "#"):
                break
            keys += further
        return keys

    async def _listen(self, visit: Visit, comment: Comment) -> tuple[str, float]:
        """Record what the caller has to say; the recording's id and its length, empty for none."""
        recordings = visit.tools.recordings
        try:
            draft = await recordings.open(visit.call, self.id)
        except RecordingImpossible as error:
            visit.problem(ProblemKind.CANNOT_RECORD, str(error))
            return "", 0.0
        if draft.is_kept:  # the call's former line was lost meanwhile, and what was said has been taken care of
            return draft.id, draft.seconds
        try:
            await visit.play(comment.prompts, barge_in=False)
        except LineHungUp:
            await recordings.discard(draft)
            raise
        try:
            recorded = await visit.record(draft.path, comment.limits)
        except LineHungUp:
            recordings.leave(draft)
            raise
        if recorded.end is RecordEnd.FAILED or recorded.seconds - recorded.silence_s < comment.shortest_s:
            await recordings.discard(draft)
            return "", 0.0
        try:
            await recordings.keep(draft)
        except RecordingImpossible as error:
            visit.problem(ProblemKind.CANNOT_RECORD, str(error))
            return "", 0.0
        visit.tried(SurveyStep.COMMENT)
        return draft.id, recorded.seconds

    def _result(
        self,
        visit: Visit,
        outcome: SurveyOutcome,
        answers: Mapping[str, int],
        comment: str = "",
        comment_s: float = 0.0,
    ) -> SurveyResult:
        facts = visit.call.facts
        return SurveyResult(
            survey=self.id,
            outcome=outcome,
            call_id=visit.call.call_id,
            agent=facts.get("agent", ""),
            queue=facts.get("queue", ""),
            language=visit.call.language,
            answers=dict(answers),
            comment=comment,
            comment_s=comment_s,
        )

    def _on(self, why: SurveyStep) -> Move:
        return Go(self.next, why) if self.next is not None else go_or_end(None)

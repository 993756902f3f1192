"""Nodes that ask the caller for an opinion: survey."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from config.schema.ivr.values import PromptNames, Retry
from config.schema.references import DatumName, Reference
from config.schema.shared import FrozenMap, Model, Name, Number, WholeNumber, refused

__all__ = ["Survey", "SurveyComment", "SurveyQuestion"]


class SurveyQuestion(Model):
    """One question of a survey: the caller answers with a number."""

    indivisible: ClassVar[bool] = True

    prompt: PromptNames = Field(examples=["how-friendly"])
    """The question, with what its answers mean (or list of prompts)."""

    least: Annotated[int, WholeNumber(0, 98)] = 1
    """The lowest answer."""

    most: Annotated[int, WholeNumber(1, 99)] = 5
    """The highest answer; from 10 on, an answer may have two digits."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least >= self.most:
            raise refused(f"'least' ({self.least}) is not below 'most' ({self.most}); give answers to choose from")
        return self


class SurveyComment(Model):
    """What the caller may say at the end of a survey."""

    prompt: PromptNames = Field(examples=["say-more"])
    """Prompt (or list of prompts) before the tone."""

    longest_s: Annotated[float, Number(1, 600, "seconds")] = 60.0
    """The comment ends after so long."""

    silence_s: Annotated[int, WholeNumber(0, 60)] = 5
    """The comment ends after so many seconds of silence; 0: it does not."""


class Survey(Model):
    """Asks the caller for an opinion, mostly after the talk: see also ``survey`` of a queue."""

    type: Literal["survey"]
    """Kind of node."""

    questions: FrozenMap[DatumName, SurveyQuestion] = Field(
        examples=[{"friendly": {"prompt": "how-friendly"}}], json_schema_extra={"minProperties": 1, "maxProperties": 20}
    )
    """The questions in order, each by its name. Answers become call data of that name."""

    share_percent: Annotated[float, Number(0, 100)] = 100.0
    """So many in a hundred calls are asked, chosen by chance."""

    opt_in: Literal["none", "before", "after"] = "none"
    """before: asked only if the call data (opt_in_data) say yes; after: invited, and asked on pressing 1."""

    opt_in_data: Name = "survey"
    """With opt_in before: which call data must be yes."""

    invitation: PromptNames = ()
    """With opt_in after: the prompt (or list of prompts) that says to press 1 to take part."""

    comment: SurveyComment | None = None
    """A spoken comment after the questions."""

    thanks: PromptNames = ()
    """Prompt (or list of prompts) at the end."""

    timeout_s: Annotated[float, Number(0.5, 60, "seconds")] = 5.0
    """How long the caller has for a key after each question."""

    invalid: Retry = Field(default_factory=Retry)
    """After a key that is no answer; the question is skipped when the retries are used up."""

    no_input: Retry = Field(default_factory=lambda: Retry(retries=1))
    """After no key at all; the question is skipped when the retries are used up."""

    next: Reference | None = None
    """Where the caller goes afterwards, asked or not; the call ends if left out."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.questions:
            raise refused("'questions' is empty; give at least one question")
        if len(self.questions) > 20:
            raise refused("more than 20 questions; nobody answers so many")
        if (self.opt_in == "after") != bool(self.invitation):
            missing = "is missing; give the prompt that says to press 1" if self.opt_in == "after" else "is never heard"
            raise refused(f"'invitation' {missing}" + ("" if self.opt_in == "after" else "; set opt_in: after"))
        return self

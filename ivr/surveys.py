"""Surveys: who is asked, and where the answers go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

__all__ = ["NoSurveys", "SurveyOutcome", "SurveyResult", "Surveys"]


class SurveyOutcome(StrEnum):
    """How a survey went."""

    COMPLETE = "complete"
    """The caller heard all questions and answered some, or left a comment; those without an answer were skipped."""
    UNANSWERED = "unanswered"
    """The caller heard all questions, answered none and left no comment."""
    PARTIAL = "partial"
    """The caller hung up before the end; what was answered counts."""
    DECLINED = "declined"
    """The caller did not want to take part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyResult:
    """What came of one survey in one call."""

    survey: str
    """The node's id."""
    outcome: SurveyOutcome
    call_id: str
    agent: str = ""
    """Who talked to the caller last; empty when nobody did."""
    queue: str = ""
    """The queue of that talk."""
    language: str = ""
    answers: Mapping[str, int] = field(default_factory=dict)
    """By question."""
    comment: str = ""
    """The recording of what the caller said at the end; empty for none."""
    comment_s: float = 0.0


class Surveys(Protocol):
    """Chance, and the place for results."""

    def chosen(self, share_percent: float) -> bool:
        """Draw whether this call is among so many percent of the calls."""
        ...

    def keep(self, result: SurveyResult) -> None:
        """Take a result, and return at once. Keeping it is not the call's affair."""


@dataclass(frozen=True, slots=True)
class NoSurveys:
    """Where nobody keeps anything: every call is chosen unless the share is none."""

    def chosen(self, share_percent: float) -> bool:
        """See `Surveys`."""
        return share_percent > 0

    def keep(self, result: SurveyResult) -> None:
        """See `Surveys`."""

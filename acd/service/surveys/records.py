"""One kept survey, as a line of JSON and as a line of CSV, and what is asked for when they are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from acd.service.moments import utc_text
from ivr.surveys import SurveyResult

__all__ = ["SurveyFilter", "SurveyRecord", "as_csv", "decode", "encode"]

_COLUMNS: Final = ("at", "call", "survey", "queue", "agent", "language", "outcome", "comment", "comment_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRecord:
    """A result with its time."""

    at: datetime
    """When the survey was over, in UTC."""
    call: str
    survey: str
    queue: str
    agent: str
    language: str
    outcome: str
    answers: Mapping[str, int] = field(default_factory=dict)
    comment: str = ""
    comment_s: float = 0.0

    @classmethod
    def of(cls, result: SurveyResult, at: datetime) -> SurveyRecord:
        """Make the record of a result."""
        return cls(
            at=at,
            call=result.call_id,
            survey=result.survey,
            queue=result.queue,
            agent=result.agent,
            language=result.language,
            outcome=result.outcome.value,
            answers=dict(result.answers),
            comment=result.comment,
            comment_s=round(result.comment_s, 1),
        )

    def shown(self) -> dict[str, Any]:
        """Return what programs are told."""
        return {
            "at": utc_text(self.at),
            "call": self.call,
            "survey": self.survey,
            "queue": self.queue,
            "agent": self.agent,
            "language": self.language,
            "outcome": self.outcome,
            "answers": dict(self.answers),
            "comment": self.comment,
            "comment_s": self.comment_s,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFilter:
    """Which records are wanted. Empty texts and None ask for all; times are from (included) and to (not included)."""

    queue: str = ""
    agent: str = ""
    survey: str = ""
    call: str = ""
    since: datetime | None = None
    before: datetime | None = None

    def takes(self, record: SurveyRecord) -> bool:
        """Tell whether a record is wanted."""
        return (
            self.queue in ("", record.queue)
            and self.agent in ("", record.agent)
            and self.survey in ("", record.survey)
            and self.call in ("", record.call)
            and (self.since is None or record.at >= self.since)
            and (self.before is None or record.at < self.before)
        )


def encode(record: SurveyRecord) -> bytes:
    """Write a record as a line of JSON."""
    return orjson.dumps(record.shown()) + b"\n"


def decode(line: bytes) -> SurveyRecord:
    """Read a line of JSON.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is not a record, such as a line torn by a power cut.
    """
    found: Any = orjson.loads(line)
    return SurveyRecord(
        at=datetime.fromisoformat(str(found["at"])).astimezone(UTC),
        call=str(found["call"]),
        survey=str(found["survey"]),
        queue=str(found["queue"]),
        agent=str(found["agent"]),
        language=str(found["language"]),
        outcome=str(found["outcome"]),
        answers={str(name): int(answer) for name, answer in found["answers"].items()},
        comment=str(found["comment"]),
        comment_s=float(found["comment_s"]),
    )


def as_csv(records: Sequence[SurveyRecord]) -> str:
    """Write records as CSV (RFC 4180), a column for each question that any of them answers."""
    questions = list(dict.fromkeys(name for record in records for name in record.answers))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, *questions])
    writer.writerows(_row(record, questions) for record in records)
    return text.getvalue()


def _row(record: SurveyRecord, questions: Iterable[str]) -> list[str]:
    shown = record.shown()
    # All cells are names and numbers of our own making: none can be taken for a formula by a spreadsheet.
    return [*(str(shown[name]) for name in _COLUMNS), *(str(record.answers.get(name, "")) for name in questions)]

"""What look-ups answer in a walk: outcomes given in a file, in place of the systems that would be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from acd.service.lookups.specs import LookUpSpec
from config.suggest import suggestion
from ivr.lookups import FieldValue, LookUpAnswer, LookUpOutcome

__all__ = ["AnswersError", "FakedLookUps", "answers_of", "read_answers"]

FILE_BYTES_MAX = 1_000_000


class AnswersError(ValueError):
    """A file of answers cannot be used; the text says why."""


def read_answers(path: Path) -> dict[str, tuple[LookUpAnswer, ...]]:
    """Read answers by look-up from a YAML or JSON file.

    Each is an outcome (`ok`, `not-found`, `error`, `timeout`, `bad-answer`), or an object with `outcome` and, if
    wanted, `status` and `values` (call data by name), or a list of these: one for each time, the last one for all
    further.

    Raises:
        AnswersError: it cannot be read, or is something else.
    """
    try:
        with path.open("rb") as file:
            # Every scalar is a text: `0123` and `no` mean what they say.
            written = yaml.load(file.read(FILE_BYTES_MAX), Loader=yaml.BaseLoader)  # noqa: S506 - it makes texts only
    except OSError as error:
        raise AnswersError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise AnswersError(f"{path} is neither YAML nor JSON: {error}") from error
    if written in (None, ""):
        return {}
    if not isinstance(written, dict):
        raise AnswersError(f"{path} must hold look-ups by name")
    return {name: _answers(name, value) for name, value in written.items()}


def answers_of(
    specs: Mapping[str, LookUpSpec], given: Mapping[str, Sequence[LookUpAnswer]]
) -> dict[str, tuple[LookUpAnswer, ...]]:
    """Return the answers as the look-ups would give them: a value that is left out is its default.

    Raises:
        AnswersError: there is no such look-up, or it takes no such value from its answer.
    """
    for name, answers in given.items():
        if name not in specs:
            raise AnswersError(f"unknown look-up '{name}'; {suggestion(name, specs)}")
        known = specs[name].answer
        for value in (value for answer in answers for value in answer.values if value not in known):
            raise AnswersError(f"look-up '{name}' takes no value '{value}' from its answer; {suggestion(value, known)}")
    return {
        name: tuple(replace(answer, values={**_defaults(specs[name], answer), **answer.values}) for answer in answers)
        for name, answers in given.items()
    }


def _defaults(spec: LookUpSpec, answer: LookUpAnswer) -> dict[str, str]:
    if answer.outcome is not LookUpOutcome.OK:
        return {}
    return {name: field.default for name, field in spec.answer.items() if field.default is not None}


def _answers(name: str, written: Any) -> tuple[LookUpAnswer, ...]:
    listed = written if isinstance(written, list) else [written]
    if not listed:
        raise AnswersError(f"{name}: give at least one answer")
    return tuple(_answer(name, each) for each in listed)


def _answer(name: str, written: Any) -> LookUpAnswer:
    given = {"outcome": written} if isinstance(written, str) else written
    if not isinstance(given, dict) or set(given) - {"outcome", "status", "values"}:
        raise AnswersError(f"{name}: give an outcome, or outcome, status and values")
    values = given.get("values", {})
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise AnswersError(f"{name}: values are texts by name")
    try:
        outcome = LookUpOutcome(given.get("outcome", LookUpOutcome.OK.value))
    except ValueError:
        known = ", ".join(each.value for each in LookUpOutcome)
        raise AnswersError(f"{name}: {given['outcome']!r} is no outcome; known: {known}") from None
    status = given.get("status", "200" if outcome is LookUpOutcome.OK else "0")
    if not isinstance(status, str) or not status.isdigit():
        raise AnswersError(f"{name}: the status is a whole number")
    why = "" if outcome is LookUpOutcome.OK else "so it was told to be"
    return LookUpAnswer(outcome=outcome, status=int(status), values=values, why=why)


@dataclass(slots=True)
class FakedLookUps:
    """Look-ups that answer as they were told to (implements ``ivr.lookups.LookUps``); the others fail."""

    answers: Mapping[str, Sequence[LookUpAnswer]]
    asked: dict[str, int] = field(default_factory=dict)

    async def ask(self, lookup: str, value: FieldValue, *, timeout_s: float | None = None) -> LookUpAnswer:  # noqa: ARG002
        """See ``LookUps``."""
        given = self.answers.get(lookup)
        if not given:
            return LookUpAnswer(outcome=LookUpOutcome.ERROR, why="no answer was given for it (--answers)")
        place = self.asked.get(lookup, 0)
        self.asked[lookup] = place + 1
        return given[min(place, len(given) - 1)]

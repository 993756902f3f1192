"""`say`: read out a text, digits one by one, or a number, with fields of the call filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from ivr.fields import field_names
from ivr.nodes.play import go_or_end
from ivr.outcome import Move, NodeId
from ivr.record import ProblemKind
from ivr.speech import Digits, DigitStyle, Number, Speech, Text
from ivr.tree import Node
from ivr.visit import Visit

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NOT_A_KEY = re.compile(r"[^0-9*#A-D]")


class SayKind(StrEnum):
    """How a value is read."""

    TEXT = "text"
    DIGITS = "digits"
    PHONE = "phone"
    NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Node):
    """Reads out `value`, then goes to `next`; without a next node the call ends.

    `value` is a template, one for all languages or one for each (language: template). For a caller whose language has
    none, the first one is read, in its own language. A value that does not suit the kind (letters for a number) is
    left out and reported.
    """

    type: ClassVar[str] = "say"

    kind: SayKind
    value: str | Mapping[str, str]
    next: NodeId | None = None
    barge_in: bool = True

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        language, template = self._template(visit.call.language)
        part = self._part(visit, visit.fill(template), language)
        if part is not None:
            await visit.play((part,), barge_in=self.barge_in)
        return go_or_end(self.next)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return (self.next,) if self.next else ()

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        parts = (self._known(template, language) for language, template in self._templates().items())
        return tuple(part for part in parts if part is not None)

    def _templates(self) -> Mapping[str, str]:
        return {"": self.value} if isinstance(self.value, str) else self.value

    def _template(self, language: str) -> tuple[str, str]:
        templates = self._templates()
        if language in templates:
            return language, templates[language]
        return next(iter(templates.items()), ("", ""))

    def _known(self, template: str, language: str) -> Speech | None:
        if field_names(template):
            return None
        text = template.replace("{{", "{").replace("}}", "}").strip()
        return to_speech(self.kind, text, language) if text else None

    def _part(self, visit: Visit, text: str, language: str) -> Speech | None:
        text = text.strip()
        if not text:
            visit.problem(ProblemKind.NO_TEXT, str(self.id))
            return None
        part = to_speech(self.kind, text, language)
        if part is None:
            problem = ProblemKind.NOT_A_NUMBER if self.kind is SayKind.NUMBER else ProblemKind.NOT_DIGITS
            visit.problem(problem, text)
        return part


def to_speech(kind: SayKind, text: str, language: str) -> Speech | None:
    """`text` as speech of this kind; None if it does not suit.

    Digits may be written with spaces, dashes and the like between.
    """
    match kind:
        case SayKind.TEXT:
            return Text(text, language)
        case SayKind.NUMBER:
            compact = text.replace(" ", "")
            return Number(int(compact)) if _INTEGER.fullmatch(compact) else None
        case SayKind.DIGITS | SayKind.PHONE:
            digits = ("+" if text.startswith("+") else "") + _NOT_A_KEY.sub("", text)
            style = DigitStyle.PHONE if kind is SayKind.PHONE else DigitStyle.PLAIN
            return Digits(digits, style) if digits.strip("+") else None

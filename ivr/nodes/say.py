"""`say`: read out a text, digits, a number, a sum of money, a date and the like, with fields of the call filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ivr.fields import field_names
from ivr.nodes.play import go_or_end
from ivr.outcome import Move, NodeId
from ivr.record import ProblemKind
from ivr.speech import Speech
from ivr.tree import Node
from ivr.values import PLAIN, PROBLEMS, SayKind, Wording, to_speech
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Node):
    """Reads out `value`, then goes to `next`; without a next node the call ends.

    `value` is a template, one for all languages or one for each (language: template). For a caller whose language has
    none, the first one is read, in its own language. `wording` is how it is said where there is a choice. A value that
    does not suit the kind (letters for a number) is left out and reported.
    """

    type: ClassVar[str] = "say"

    kind: SayKind
    value: str | Mapping[str, str]
    wording: Wording = PLAIN
    next: NodeId | None = None
    barge_in: bool = True

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        language, template = self._template(visit.call.language)
        part = self._part(visit, visit.fill(template), language)
        if part is not None:
            await visit.play((part,), barge_in=self.barge_in)
        return go_or_end(self.next)

    def own_keys(self) -> str:
        """See `Node.own_keys`."""
        return ""

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
        text = template.replace("{{", "{").replace("}}", "}")
        return to_speech(self.kind, text, language, self.wording)

    def _part(self, visit: Visit, text: str, language: str) -> Speech | None:
        part = to_speech(self.kind, text, language, self.wording)
        if part is None:
            visit.problem(PROBLEMS[self.kind] if text.strip() else ProblemKind.NO_TEXT, text.strip() or str(self.id))
        return part

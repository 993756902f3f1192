"""The rules of followup.yaml, and whether one holds for what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.service.messages import Message, OutgoingHook, OutgoingMail
from config.schema import follow_up as written
from ivr.fields import clean, fill

__all__ = ["FollowUpRule", "Happening", "Letter", "Note", "compile_rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that may be followed by a message. ``fields`` are what texts may name: ``call.caller``, ``data.x`` …"""

    event: str
    call_id: str
    number: str
    """The caller's; empty when it is not known."""
    queue: str = ""
    waited_s: float = 0.0
    answers: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail, with fields to be filled in."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A document for a webhook, with fields to be filled in; without data everything that is known of the call."""

    target: str
    event: str
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpRule:
    """One rule."""

    name: str
    event: str
    queues: frozenset[str] = frozenset()
    waited_over_s: float | None = None
    answers: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    letter: Letter | None = None
    note: Note | None = None
    most_per_number: int = 3
    most: int = 10_000

    def holds(self, happening: Happening) -> bool:
        """Tell whether it is to be acted on."""
        return (
            happening.event == self.event
            and (not self.queues or happening.queue in self.queues)
            and (self.waited_over_s is None or happening.waited_s > self.waited_over_s)
            and all(
                _within(happening.answers.get(question), least, most)
                for question, (least, most) in self.answers.items()
            )
        )

    def messages(self, happening: Happening) -> tuple[Message, ...]:
        """Write what is to be sent. Ids are the same whenever the same call is written about."""

        def filled(template: str) -> str:
            return fill(template, lambda name: happening.fields.get(name, "")).text

        name = f"followup-{self.name}-{happening.event}-{happening.call_id}"
        messages: list[Message] = []
        if self.letter is not None:
            letter = self.letter
            messages.append(
                OutgoingMail(id=f"{name}-mail", to=letter.to, subject=filled(letter.subject), text=filled(letter.text))
            )
        if self.note is not None:
            data = {key: filled(text) for key, text in self.note.data.items()}
            everything = {key: clean(value) for key, value in happening.fields.items()}
            messages.append(
                OutgoingHook(id=f"{name}-hook", target=self.note.target, event=self.note.event, data=data or everything)
            )
        return tuple(messages)


def _within(answer: int | None, least: int | None, most: int | None) -> bool:
    return answer is not None and (least is None or answer >= least) and (most is None or answer <= most)


def compile_rules(rules: Mapping[str, written.FollowUp]) -> tuple[FollowUpRule, ...]:
    """Compile the rules as they are written."""
    return tuple(
        FollowUpRule(
            name=name,
            event=rule.event,
            queues=frozenset(rule.queues),
            waited_over_s=rule.waited_over_s,
            answers={question: (wanted.at_least, wanted.at_most) for question, wanted in rule.answers.items()},
            letter=None
            if rule.mail is None
            else Letter(to=rule.mail.to, subject=rule.mail.subject, text=rule.mail.text),
            note=None
            if rule.webhook is None
            else Note(
                target=rule.webhook.target,
                event=rule.webhook.event or rule.event,
                data=dict(rule.webhook.data),
            ),
            most_per_number=rule.most_per_number_a_day,
            most=rule.most_a_day,
        )
        for name, rule in rules.items()
    )

"""followup.yaml: what is sent to whom after a call."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from config.schema.mail import MailAddress
from config.schema.marks import Templated
from config.schema.references import QueueName
from config.schema.shared import FrozenMap, Model, Name, Number, Text, WholeNumber, refused
from config.schema.webhooks import WebhookName

__all__ = ["AnswerCondition", "FollowUp", "FollowUpHook", "FollowUpMail", "FollowUps"]

_LINE: TypeAlias = Annotated[
    str, Text(r"[^\x00-\x1f\x7f]{0,500}", "give one line of at most 500 characters"), Templated()
]


class AnswerCondition(Model):
    """What the answer to a question of a survey must be."""

    at_least: Annotated[int, WholeNumber(0, 99)] | None = None
    """The lowest answer."""

    at_most: Annotated[int, WholeNumber(0, 99)] | None = None
    """The highest answer."""


class FollowUpMail(Model):
    """A mail."""

    to: MailAddress = Field(examples=["team@example.net"])
    """Who gets it."""

    subject: _LINE = Field(examples=["Abandoned: {call.caller}"])
    """Its subject."""

    text: Annotated[
        str, Text(r"[^\x00-\x08\x0b-\x1f\x7f]{0,5000}", "give a text of at most 5000 characters"), Templated()
    ] = Field(examples=["{call.caller} waited {call.waited_s} seconds in {call.queue}."])
    """What is in it."""


class FollowUpHook(Model):
    """A document for a webhook."""

    target: WebhookName = Field(examples=["crm"])
    """The webhook of acd.yaml."""

    event: Name | None = None
    """What the document calls the event; the rule's own event if left out."""

    data: FrozenMap[Name, _LINE] = Field(default_factory=dict)
    """What is in it, such as to and text for an SMS; everything that is known of the call if left out."""


class FollowUp(Model):
    """One rule: on what, under which conditions, what is sent."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["mail"]}, {"required": ["webhook"]}]})
    hints: ClassVar[Mapping[str, str]] = MappingProxyType({"on": "write 'event'", "queue": "write 'queues: […]'"})

    event: Literal["abandoned", "missed", "voicemail", "survey", "callback-given-up", "ended"] = Field(
        examples=["abandoned"]
    )
    """abandoned: hung up while waiting; missed: no agent has answered, for whatever reason; ended: any call."""

    queues: tuple[QueueName, ...] = ()
    """Only calls of these queues (the last one that the call was in); of all if left out."""

    waited_over_s: Annotated[float, Number(0, 86_400, "seconds")] | None = None
    """Only calls that waited longer."""

    answers: FrozenMap[Name, AnswerCondition] = Field(default_factory=dict)
    """With event survey: only with these answers, by question."""

    mail: FollowUpMail | None = None
    """A mail that is sent."""

    webhook: FollowUpHook | None = None
    """A webhook that is told."""

    most_per_number_a_day: Annotated[int, WholeNumber(1, 1000)] = 3
    """At most so many within 24 hours for one caller's number."""

    most_a_day: Annotated[int, WholeNumber(1, 1_000_000)] = 10_000
    """At most so many within 24 hours in all."""

    @property
    def sends(self) -> bool:
        """Whether there is anything to send."""
        return self.mail is not None or self.webhook is not None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.answers and self.event != "survey":
            raise refused(f"'answers' goes with event survey; remove it beside event {self.event}")
        return self


class FollowUps(Model):
    """The file followup.yaml."""

    stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({"rules": {}})

    rules: FrozenMap[Name, FollowUp] = Field(examples=[{"lost": {"event": "abandoned", "webhook": {"target": "crm"}}}])
    """The rules, each by its name. Each sends at most once for a call."""

"""Nodes that reach other systems: http, webhook."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from config.schema.ivr.conditions import Condition
from config.schema.ivr.values import Line, PromptNames
from config.schema.lookups import LookUp, LookUpName, Statuses
from config.schema.marks import Refers
from config.schema.references import Reference
from config.schema.shared import FrozenMap, Model, Name, Text, refused

__all__ = ["Http", "HttpCase", "Webhook"]


class HttpCase(Model):
    """An answer, and where it leads."""

    indivisible: ClassVar[bool] = True

    status: Statuses | None = None
    """Statuses such as 409 or 402-403."""

    when: Condition | None = None
    """A condition on what the answer has brought, such as {field: data.state, equals: blocked}."""

    next: Reference = Field(examples=["blocked"])
    """Where a caller goes for whom both hold."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.status is None and self.when is None:
            raise refused("give 'status' or 'when': without them it holds for every answer")
        return self


_EITHER: dict[str, Any] = {"oneOf": [{"required": ["lookup"]}, {"required": ["request"]}]}


class Http(Model):
    """Asks another system; the caller hears music meanwhile. What it answers becomes call data."""

    model_config = ConfigDict(json_schema_extra=_EITHER)
    indivisible: ClassVar[bool] = True

    type: Literal["http"]
    """Kind of node."""

    lookup: LookUpName | None = None
    """A look-up of routing.yaml; or else request."""

    request: LookUp | None = None
    """A look-up of this node alone, with the keys of those in routing.yaml; or else lookup."""

    prompt: PromptNames = ()
    """Prompt (or list of prompts) played to its end while it is asked."""

    music: Name = "default"
    """Music class heard afterwards, until there is an answer."""

    cases: tuple[HttpCase, ...] = ()
    """Answers that lead elsewhere than the keys below say; the first that holds counts."""

    next: Reference = Field(examples=["say-balance"])
    """Where the caller goes after an answer with all that was asked for."""

    not_found: Reference | None = None
    """Where the caller goes after a status of 4xx: no such account, a wrong PIN; else on_failure."""

    error: Reference | None = None
    """Where the caller goes after 5xx, or if the other side cannot be reached; else on_failure."""

    timeout: Reference | None = None
    """Where the caller goes if there is no answer in time; else on_failure."""

    bad_answer: Reference | None = None
    """Where the caller goes after an answer that is not JSON, too large, or without what was asked for."""

    on_failure: Reference | None = None
    """Where the caller goes in those cases above that have no node; without it the call ends with a goodbye."""

    @model_validator(mode="after")
    def _one_request(self) -> Self:
        if (self.lookup is None) == (self.request is None):
            raise refused("give either 'lookup', the name of a look-up in routing.yaml, or 'request'")
        return self


class Webhook(Model):
    """Tells another system of the call, and goes on at once; it is delivered beside the call, with retries."""

    type: Literal["webhook"]
    """Kind of node."""

    target: Annotated[Name, Refers("webhook")] = Field(examples=["crm"])
    """A webhook of acd.yaml."""

    event: Annotated[str, Text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "give a name such as order-asked")] = Field(
        examples=["order-asked"]
    )
    """What has happened, in a word that the other system knows."""

    data: FrozenMap[Name, Line] = Field(default_factory=dict)
    """Sent along with the call's data, for this once; {call.caller} and the like are filled in."""

    next: Reference = Field(examples=["main"])
    """Where the caller goes afterwards."""

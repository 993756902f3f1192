"""Nodes that lead the caller out of the menus: enqueue, agent, transfer, callback."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from config.schema.ivr.values import Line, PromptNames
from config.schema.marks import Way
from config.schema.phones import Phone
from config.schema.references import DatumName, Priority, QueueName, Reference
from config.schema.shared import Flag, FrozenMap, Model, Name, Number, Requires, refused

__all__ = ["TRANSFERS", "Agent", "Callback", "Enqueue", "Transfer"]

TRANSFERS: Final = ("number", "extension", "phone")
"""What a transfer leads to, one of these."""


class Enqueue(Model):
    """Puts the caller into a queue."""

    type: Literal["enqueue"]
    """Kind of node."""

    queue: QueueName = Field(examples=["general"])
    """The queue."""

    prompt: PromptNames = ()
    """Prompt (or list of prompts) played before the caller joins the queue."""

    priority: Priority = 0
    """Points added to the queue's own."""

    requires: Requires = Field(default_factory=dict)
    """Skills asked for beside those the queue asks for; of two levels the higher holds."""

    agent: Line = ""
    """The agent who is offered the call first, in queues with sticky: a name, or a field such as {data.agent}; whom a
    node before has named if left out."""

    keep_wait: Flag = True
    """Does a caller who has come out of a queue, by a key or a rule, keep the time waited there?"""

    data: FrozenMap[DatumName, Line] = Field(default_factory=dict)
    """Facts that travel with the call and that the agent sees; {call.caller} and the like are filled in."""

    next: Annotated[Reference, Way.AFTER_CALL] | None = None
    """Where a caller goes who is still there when the agent has hung up; the call ends if left out."""


class Agent(Model):
    """Offers the call to one agent and to nobody else."""

    type: Literal["agent"]
    """Kind of node."""

    agent: Line = Field(examples=["anna"])
    """The agent: a name in agents.yaml, or a field such as {data.agent}."""

    queue: QueueName | None = None
    """The queue whose rules hold for ringing, music and after-call work, if the agent serves it; else the agent's
    first."""

    wait_s: Annotated[float, Number(0, 3600, "seconds")] = 0.0
    """So long a caller waits for an agent who has another call; 0: not at all."""

    prompt: PromptNames = ()
    """Prompt (or list of prompts) played before the agent's phone rings."""

    data: FrozenMap[DatumName, Line] = Field(default_factory=dict)
    """Facts that travel with the call and that the agent sees."""

    next: Annotated[Reference, Way.AFTER_CALL] | None = None
    """Where a caller goes who is still there when the agent has hung up; the call ends if left out."""

    on_busy: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the agent has another call for longer than wait_s, or the phone is busy or rejects."""

    on_not_ready: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the agent is logged out or not ready, or the phone cannot be reached."""

    on_no_answer: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the agent's phone has rung in vain."""

    on_unknown: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when there is no such agent."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes in each of these cases that has no key of its own here; the call ends if left out."""


class Transfer(Model):
    """Connects the caller with an outside number, within ``outbound``, or with an extension or a phone inside."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [way]} for way in TRANSFERS]})
    indivisible: ClassVar[bool] = True

    type: Literal["transfer"]
    """Kind of node."""

    number: Line | None = None
    """The number, or a field such as {data.branch}; it must begin as outbound.allowed says."""

    extension: Line | None = None
    """An extension of an agent, or of ``extensions`` in routing.yaml, or a field such as {data.extension}."""

    phone: Phone | None = None
    """A phone inside as Dial() takes it: PJSIP/reception."""

    ring_s: Annotated[float, Number(1, 300, "seconds")] = 30.0
    """The other end rings so long."""

    longest_s: Annotated[float, Number(1, 86_400, "seconds")] = 14_400.0
    """The talk is ended after so long."""

    caller_id: Line = ""
    """The number that the other end is shown: a number, or a field such as {call.dialled}; the caller's if left out."""

    music: Name | None = None
    """Class of musiconhold.conf that the caller hears meanwhile; a ringing tone if left out."""

    prompt: PromptNames = ()
    """Prompt (or list of prompts) played before."""

    next: Annotated[Reference, Way.AFTER_CALL] | None = None
    """Where a caller goes who is still there when the other end has hung up; the call ends if left out."""

    on_busy: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the other end is busy or has declined."""

    on_no_answer: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when nobody has answered."""

    on_refused: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the site does not allow the number, or has no such extension."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes in each of these cases that has no key of its own here, and when there is no way to the
    other end; the call ends with a goodbye if left out."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [f"'{way}'" for way in TRANSFERS if getattr(self, way) is not None]
        if len(given) != 1:
            found = f"{' and '.join(given)} exclude each other" if given else "this leads to nobody"
            raise refused(f"{found}; give one of {', '.join(TRANSFERS)}")
        return self


class Callback(Model):
    """Offers to call the caller back, in the place that the caller has in the queue now."""

    type: Literal["callback"]
    """Kind of node."""

    queue: QueueName = Field(examples=["general"])
    """The queue whose agents call back; its ``callback`` says how."""

    number: Line = "{call.caller}"
    """The number that is offered: the caller's own, or one from a field such as {data.number}."""

    prompt: PromptNames = ()
    """Prompt (or list of prompts) played before."""

    priority: Priority = 0
    """Points added to the queue's own."""

    requires: Requires = Field(default_factory=dict)
    """Skills asked for beside those the queue asks for."""

    timeout_s: Annotated[float, Number(1, 60, "seconds")] = 5.0
    """How long the caller has for each key."""

    next: Annotated[Reference, Way.BY_ITSELF] | None = None
    """Where the caller goes after the promise; the call ends if left out."""

    on_refused: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes whose number may not be called, or when no more callbacks may be promised; as on_failure
    if left out."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes who does without, or presses no usable key; the call ends with a goodbye if left out."""

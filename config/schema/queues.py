"""What can be set for a queue: who is asked for, in what order, and what happens to those who wait."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from config.schema.callbacks import CallbackSettings
from config.schema.marks import Way
from config.schema.overflow import Action, JoinRule, OverflowRule
from config.schema.references import Priority, Reference
from config.schema.shared import NAME_JSON_SCHEMA, Flag, FrozenMap, Model, Name, Number, Requires, Text, Title, refused

__all__ = ["Ageing", "Queue", "QueueSettings", "Relaxation", "Sticky", "Strategy", "WaitingMessage", "WrapUp"]

Option: TypeAlias = Annotated[float, Number(-1_000_000, 1_000_000)]
WaitingKey: TypeAlias = Annotated[str, Text(r"[0-9*#A-D]", "give one key of the telephone: 0 to 9, * or #")]


class Strategy(Model):
    """Which of the free agents is offered a call: a strategy's name, or the name with its options."""

    name: Name = Field(examples=["longest-idle"])
    """The strategy's name."""

    options: FrozenMap[Name, Option] = Field(default_factory=dict)
    """Settings of that strategy, if it has any."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        json_schema = handler(schema)
        return {"anyOf": [NAME_JSON_SCHEMA, json_schema], "description": cls.__doc__}


def _named(value: Any) -> Any:
    """Read ``longest-idle`` as ``{name: longest-idle}``."""
    return {"name": value} if isinstance(value, str) else value


class Relaxation(Model):
    """From some time of waiting on, the queue asks for this instead of what it asked for before."""

    after_s: Annotated[float, Number(0.1, 86_400, "seconds")] = Field(examples=[30])
    """From so long a wait on; each step later than the one before."""

    requires: Requires = Field(examples=[{"cards": 2}])
    """Skills an agent needs from then on, each with its least level; {}: none."""

    group: Name | None = None
    """The agent must belong to this group from then on; any agent of the queue if left out."""

    call_skills: Literal["keep", "drop"] = "keep"
    """Does it still count what the call itself asks for? A skill that the step names has the step's level anyway."""


class Ageing(Model):
    """Points that grow with the time waited."""

    points_per_minute: Annotated[float, Number(0, 1000)] = Field(examples=[2])
    """Points added for each minute waited."""

    cap: Annotated[float, Number(0, 10_000)] = Field(examples=[30])
    """The most that ageing adds."""


class WrapUp(Model):
    """After-call work: how long an agent gets no call after one of this queue."""

    mode: Literal["fixed", "capped", "until-done"] = "capped"
    """fixed: always the full time; capped: until the agent says done, at most the time; until-done: no limit."""

    seconds: Annotated[float, Number(0, 3600, "seconds")] = 10.0
    """The time, for fixed and capped; 0: none."""

    extension_s: Annotated[float, Number(0, 3600, "seconds")] = 0.0
    """So much longer if the agent asks for it, once per call."""


class Sticky(Model):
    """A call waits first for the customer's named agent, else the last one, alone."""

    hold_s: Annotated[float, Number(0, 3600, "seconds")] = Field(examples=[20])
    """At most so long; 0: not at all."""

    wait_for_wrap_up_s: Annotated[float, Number(0, 3600, "seconds")] = 0.0
    """An agent in wrap-up is waited for if that ends within so long."""

    wait_while_busy: Flag = False
    """Is an agent waited for who is in another call?"""


class WaitingMessage(Model):
    """A message to those who wait: one of say and play."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["say"]}, {"required": ["play"]}]})
    indivisible: ClassVar[bool] = True

    say: Literal["position", "estimated-wait"] | None = None
    """Place in the queue, or the estimated wait if it is known."""

    play: Name | None = None
    """A prompt."""

    after_s: Annotated[float, Number(0, 86_400, "seconds")] = 0.0
    """First after so long a wait."""

    every_s: Annotated[float, Number(1, 86_400, "seconds")] | None = None
    """And again so often; once if left out."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.say is None) == (self.play is None):
            found = "'say' and 'play' exclude each other" if self.say else "this says nothing"
            raise refused(f"{found}; give one of say, play")
        return self


class QueueSettings(Model):
    """What can be set for one queue, or for all under ``defaults``."""

    strategy: Annotated[Strategy, BeforeValidator(_named)] = Field(
        default=Strategy(name="longest-idle"), json_schema_extra={"default": "longest-idle"}
    )
    """Which of the free agents is offered a call: a name, or {name: …, options: {…}}."""

    requires: Requires = Field(default_factory=dict)
    """Skills an agent needs for this queue's calls, each with its least level (1 to 10)."""

    group: Name | None = None
    """Only agents of this group are offered this queue's calls."""

    relax: tuple[Relaxation, ...] = ()
    """What is asked for instead as a call waits longer, step by step."""

    priority: Priority = 0
    """Points every call of this queue starts with; more points are served first, over all queues of an agent."""

    ageing: Ageing | None = None
    """Points that grow with the time waited."""

    starvation_limit_s: Annotated[float, Number(1, 86_400, "seconds")] = 1800.0
    """A call that has waited longer goes before all that have not, whatever their points."""

    ring_timeout_s: Annotated[float, Number(1, 300, "seconds")] = 15.0
    """An agent's phone rings so long, then the next agent's."""

    wrap_up: WrapUp = Field(default_factory=WrapUp, json_schema_extra={"default": {"mode": "capped", "seconds": 10}})
    """After-call work."""

    sticky: Sticky | None = None
    """Last or named agent first."""

    music: Name = "default"
    """Class of musiconhold.conf that waiting callers hear."""

    while_ringing: Literal["music", "ringing"] = "music"
    """What the caller hears while an agent's phone rings: the music goes on, or a ringing tone."""

    while_waiting: tuple[WaitingMessage, ...] = ()
    """Messages to those who wait; none delays an offer."""

    survey: Annotated[Reference, Way.AFTER_CALL] | None = None
    """A node of type survey: who is still there when the agent has hung up is asked, unless enqueue names a 'next'."""

    service_level_s: Annotated[float, Number(1, 3600, "seconds")] = 20.0
    """Calls answered within so long count as inside the service level."""

    opening_hours: Name | None = None
    """A calendar of calendars.yaml, for rules with out_of_hours."""

    join: tuple[JoinRule, ...] = ()
    """Rules for calls about to enter, like those of overflow but without waiting_s and repeat."""

    overflow: tuple[OverflowRule, ...] = ()
    """Rules for calls that wait: the first whose conditions hold sends the call elsewhere."""

    keys: FrozenMap[WaitingKey, Action] = Field(default_factory=dict)
    """Keys that those who wait may press, and where each leads; tell them of it under while_waiting."""

    callback: CallbackSettings | None = None
    """How callers of this queue are called back; what is not given here holds as under ``callbacks``."""


class Queue(QueueSettings):
    """One queue. What it does not set comes from ``defaults``."""

    title: Title = ""
    """What agents and supervisors see; the queue's name if left out."""

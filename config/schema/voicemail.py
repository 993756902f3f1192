"""voicemail.yaml: boxes in which callers leave messages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import Field

from config.schema.ivr.values import PromptNames
from config.schema.mail import MailAddress
from config.schema.references import AgentName, QueueName
from config.schema.routing import Zone
from config.schema.shared import Flag, FrozenMap, Model, Name, Number, Requires, Text, Title, WholeNumber
from config.schema.webhooks import WebhookName

__all__ = ["Box", "BoxSettings", "LockOut", "Voicemail"]

PinHash: TypeAlias = Annotated[
    str,
    Text(
        r"\$argon2id\$v=[0-9]+\$m=[0-9]+,t=[0-9]+,p=[0-9]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+",
        "give the hash that 'acd voicemail pin' makes",
    ),
]
BoxNumber: TypeAlias = Annotated[str, Text(r"[0-9]{1,16}", "give 1 to 16 digits")]
Lamp: TypeAlias = Annotated[
    str, Text(r"[A-Za-z0-9_.-]{1,40}@[A-Za-z0-9_.-]{1,40}", "name a mailbox of pjsip.conf, such as anna@acd")
]


class BoxSettings(Model):
    """What holds for a box; under ``defaults`` for every box that does not say otherwise."""

    greeting: PromptNames = ()
    """Prompt (or list of prompts) before the tone. A greeting recorded by phone goes before it."""

    longest_s: Annotated[float, Number(5, 3600, "seconds")] = 180.0
    """A message ends after so long."""

    shortest_s: Annotated[float, Number(0.5, 60, "seconds")] = 2.0
    """What is shorter, or silent, is no message; the caller is asked to speak again."""

    silence_s: Annotated[int, WholeNumber(0, 60)] = 8
    """A message ends after so many seconds of silence; 0: it does not."""

    review: Flag = True
    """May the caller listen to the message, record it again, or cancel it?"""

    urgent: Flag = False
    """May the caller mark the message as urgent, while reviewing it?"""

    pin_inside: Flag = False
    """Is the PIN asked for from the own phone, too? From everywhere else it always is."""

    most_messages: Annotated[int, WholeNumber(1, 10_000)] = 100
    """So many messages fit into the box."""

    most_mb: Annotated[int, WholeNumber(1, 100_000)] = 200
    """So many megabytes fit into the box; a minute of sound is about one."""

    keep_days: Annotated[int, WholeNumber(0, 3650)] = 30
    """A message is deleted so many days after it was left, heard or not; 0: never."""

    zone: Zone | None = None
    """The time zone in which the listener is told when a message was left; the machine's own if left out."""


class Box(BoxSettings):
    """One box."""

    title: Title = ""
    """What people are shown instead of the name."""

    number: BoxNumber | None = None
    """What is keyed in for the box when listening by phone; the name, if that is digits."""

    agents: tuple[AgentName, ...] = ()
    """Agents who may listen to it from their own phones."""

    groups: tuple[Name, ...] = ()
    """Groups of agents who may."""

    pin_hash: PinHash | None = None
    """Hash of the PIN, made by ``acd voicemail pin``. Without one only its agents' phones can listen to the box."""

    email: tuple[MailAddress, ...] = ()
    """Who gets each message by mail, the sound attached."""

    webhook: WebhookName | None = None
    """The webhook of acd.yaml that is told of each message, for an SMS or a ticket."""

    lamps: tuple[Lamp, ...] = ()
    """Phones' mailboxes (``mailboxes`` in pjsip.conf) whose lamps show new messages."""

    queue: QueueName | None = None
    """Agents of this queue are offered the messages like calls, while they are idle and nobody waits."""

    requires: Requires = Field(default_factory=dict)
    """Skills asked of such an agent beside those the queue asks for."""


class LockOut(Model):
    """What follows wrong PINs, counted for each box and for each caller."""

    tries: Annotated[int, WholeNumber(1, 100)] = 5
    """So many wrong PINs in a row lock the box, and the caller, out."""

    minutes: Annotated[float, Number(0.01, 1440, "minutes")] = 15.0
    """No PIN is compared for so long then."""


class Voicemail(Model):
    """The file voicemail.yaml: boxes in which callers leave messages."""

    stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({"boxes": {}})

    defaults: BoxSettings = Field(default_factory=BoxSettings)
    """What holds for every box that does not say otherwise."""

    lock_out: LockOut = Field(default_factory=LockOut)
    """What follows wrong PINs."""

    boxes: FrozenMap[Name, Box] = Field(
        examples=[{"cards": {"number": "501", "agents": ["anna"]}}], json_schema_extra={"minProperties": 1}
    )
    """The boxes by name."""

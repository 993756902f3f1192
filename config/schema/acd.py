"""acd.yaml: where Asterisk is, what the engine listens on, where it keeps its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from config.schema.hosts import FolderOrFile, Host, Port
from config.schema.http import OutgoingHttp, SecretSource
from config.schema.mail import Mail, Spool
from config.schema.prompts import Prompts
from config.schema.shared import FrozenMap, Model, Name, Number, Text, WholeNumber
from config.schema.webhooks import Webhook

__all__ = ["Acd", "Ami", "Asterisk", "FastAgi", "Log", "Web"]


class Ami(Model):
    """How the engine reaches Asterisk's manager interface (AMI)."""

    host: Host = "127.0.0.1"
    """Host name or address of Asterisk's manager."""

    port: Port = 5038
    """TCP port of the manager (``port`` in manager.conf)."""

    user: Annotated[str, Text(r"[\x21-\x7e]{1,80}", "give the section name of a manager.conf user, no spaces")] = "acd"
    """Manager user, the name of a section in manager.conf."""

    password: SecretStr | None = None
    """The manager user's secret. Better kept out of this file: see password_file and ACD_AMI_PASSWORD."""

    password_file: FolderOrFile | None = None
    """File that holds the secret alone, readable by the engine's user only. Relative to this folder."""

    connect_timeout_s: Annotated[float, Number(0.1, 60, "seconds")] = 3.0
    """A connection not made within so long is given up and tried again."""

    action_timeout_s: Annotated[float, Number(0.1, 60, "seconds")] = 5.0
    """A manager action without a reply for so long counts as failed."""

    event_timeout_s: Annotated[float, Number(1, 600, "seconds")] = 5.0
    """A connection on which Asterisk answers no ping for so long is dropped and made again."""


class FastAgi(Model):
    """Where Asterisk's dialplan reaches the engine (``AGI(agi://…)``). The protocol has no password."""

    host: Host = "127.0.0.1"
    """Address to listen on."""

    port: Port = 4573
    """TCP port to listen on."""

    max_sessions: Annotated[int, WholeNumber(1, 100_000)] = 2000
    """Callers served at the same time; those above go to the dialplan's fall-back."""


class Asterisk(Model):
    """Both ways between the engine and its Asterisk."""

    ami: Ami = Field(default_factory=Ami)
    """The manager interface."""

    fastagi: FastAgi = Field(default_factory=FastAgi)
    """The FastAGI server that callers enter by."""


class Web(Model):
    """The web port: health, metrics, and the pages and interfaces on it."""

    host: Host = "127.0.0.1"
    """Address to listen on; loopback until told otherwise."""

    port: Port = 8080
    """TCP port to listen on."""


class Log(Model):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged."""

    format: Literal["auto", "json", "console"] = "auto"
    """One JSON object a line, or lines for people; auto: lines for people on a terminal, else JSON."""


class Acd(Model):
    """The file acd.yaml: the engine's surroundings. Every single value can also come from the environment."""

    asterisk: Asterisk = Field(default_factory=Asterisk)
    """The Asterisk that this engine serves."""

    web: Web = Field(default_factory=Web)
    """The web port."""

    state_dir: FolderOrFile = Path("/var/lib/acd")
    """Folder for what must survive a restart. Relative to this folder."""

    cache_dir: FolderOrFile = Path("/var/cache/acd")
    """Folder for what can be made again, such as synthesised prompts. Relative to this folder."""

    recordings_dir: FolderOrFile = Path("/var/spool/acd/recordings")
    """Folder where Asterisk records what callers say, and reads what it plays back: both need to write there."""

    recordings_keep_days: Annotated[int, WholeNumber(0, 3650)] = 30
    """What nodes of type record have recorded is deleted after so many days; 0: never. See also voicemail.yaml."""

    surveys_keep_days: Annotated[int, WholeNumber(0, 3650)] = 400
    """What callers answered in surveys is deleted after so many days; 0: never."""

    http: OutgoingHttp = Field(default_factory=OutgoingHttp)
    """How other systems are reached over HTTP."""

    secrets: FrozenMap[Name, SecretSource] = Field(
        default_factory=dict, examples=[{"crm-token": {"file": "crm-token"}}]
    )
    """Secrets that look-ups send, by the name under which they stand in texts as {secret.NAME}."""

    webhooks: FrozenMap[Name, Webhook] = Field(
        default_factory=dict, examples=[{"crm": {"url": "https://crm.example/acd"}}]
    )
    """Other systems that are told of things, by name."""

    mail: Mail = Field(default_factory=Mail)
    """The mail server for what is sent by mail."""

    spool: Spool = Field(default_factory=Spool)
    """Bounds of what waits to be sent."""

    prompts: Prompts = Field(default_factory=Prompts)
    """Sounds of prompts, and the voices that speak texts."""

    log: Log = Field(default_factory=Log)
    """Logging."""

    drain_timeout_s: Annotated[float, Number(0, 3600, "seconds")] = 30.0
    """How long a stopping engine waits for talking calls before it exits."""

"""The outbox of the running process: with the mail server and the webhooks of the site in force."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from acd.service.messages.failures import PermanentFailure
from acd.service.messages.hook import HookClient, HookSender, HookTarget
from acd.service.messages.mail import MailSender, MailSettings
from acd.service.messages.message import OutgoingMail
from acd.service.messages.outbox import Outbox, Senders
from acd.service.messages.spool import SpoolLimits

__all__ = ["Channels", "open_outbox"]


class SiteMail:
    """Delivers by the mail server of the site in force (implements ``outbox.MailSending``)."""

    def __init__(self, channels: Callable[[], Channels]) -> None:
        self._channels = channels
        self._sender: MailSender | None = None
        self._made_for: MailSettings | None = None

    async def send(self, mail: OutgoingMail, created: float) -> None:
        """See ``MailSender.send``."""
        settings = self._channels().mail
        if settings is None:
            raise PermanentFailure("acd.yaml has no mail server (any more)")
        if self._sender is None or settings != self._made_for:
            self._sender, self._made_for = MailSender(settings), settings
        await self._sender.send(mail, created)


@dataclass(frozen=True, slots=True)
class Channels:
    """The ways out of the house, compiled from the configuration."""

    mail: MailSettings | None = None
    webhooks: Mapping[str, HookTarget] = field(default_factory=dict)


def open_outbox(
    folder: Path,
    limits: SpoolLimits,
    channels: Callable[[], Channels],
    client: HookClient,
    wall: Callable[[], float] = time.time,
) -> Outbox:
    """Make the outbox. ``channels`` gives those in force: a reload changes them for all that still waits."""

    def target(name: str) -> HookTarget | None:
        return channels().webhooks.get(name)

    senders = Senders(SiteMail(channels), HookSender(client, target, wall))
    return Outbox(folder, senders, limits, wall=wall)

"""From acd.yaml to what the outbox works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from acd.service.messages.hook import HookTarget
from acd.service.messages.mail import MailSettings
from acd.service.messages.service import Channels
from acd.service.messages.spool import SpoolLimits
from config import Config
from config.schema.mail import Mail, Spool
from config.schema.webhooks import Webhook

__all__ = ["channels_of", "mail_settings", "spool_limits"]

_PORTS: Final[Mapping[str, int]] = {"starttls": 587, "implicit": 465, "none": 25}
_MEGABYTE: Final = 1024 * 1024


def channels_of(config: Config) -> Channels:
    """Return the site's mail server and webhooks."""

    def secret(name: str | None) -> str:
        found = config.secrets.get(name) if name is not None else None
        return found.get_secret_value() if found is not None else ""

    def target(name: str, webhook: Webhook) -> HookTarget:
        token = secret(webhook.token)
        return HookTarget(
            name=name,
            url=webhook.url,
            secret=secret(webhook.secret).encode(),
            timeout_s=webhook.timeout_s,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )

    webhooks = {name: target(name, webhook) for name, webhook in config.acd.webhooks.items()}
    return Channels(mail_settings(config.acd.mail), webhooks)


def mail_settings(mail: Mail) -> MailSettings | None:
    """Return the mail server's settings; None for a site that sends no mail."""
    if mail.host is None or mail.sender is None:
        return None
    return MailSettings(
        host=mail.host,
        port=mail.port or _PORTS[mail.tls],
        tls=mail.tls,
        sender=mail.sender,
        sender_name=mail.sender_name,
        user=mail.user or "",
        password=mail.password.get_secret_value() if mail.password is not None else "",
        ca_file=mail.ca_file,
        timeout_s=mail.timeout_s,
        attachment_limit_bytes=int(mail.attachments_mb * _MEGABYTE),
    )


def spool_limits(spool: Spool) -> SpoolLimits:
    """Return the bounds of the spool."""
    return SpoolLimits(messages=spool.messages, size_bytes=spool.megabytes * _MEGABYTE, age_s=spool.hours * 3600.0)

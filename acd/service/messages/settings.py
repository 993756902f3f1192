"""From acd.yaml to what the outbox works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from acd.service.messages.mail import MailSettings
from acd.service.messages.spool import SpoolLimits
from config.schema.mail import Mail, Spool

__all__ = ["mail_settings", "spool_limits"]

_PORTS: Final[Mapping[str, int]] = {"starttls": 587, "implicit": 465, "none": 25}
_MEGABYTE: Final = 1024 * 1024


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

"""The mail server: reached, secured and logged in to, as the engine would; nothing is sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from acd.doctor.findings import Findings, ok, warning
from acd.service.messages.failures import TemporaryFailure
from acd.service.messages.mail import MailSender
from acd.service.messages.settings import mail_settings
from config import Config

__all__ = ["check_mail_server"]


def check_mail_server(config: Config, timeout_s: float) -> Findings:
    """Say whether the mail server would take mails; nothing for a site that has none. Calls do not depend on it."""
    settings = mail_settings(config.acd.mail)
    if settings is None:
        return
    try:
        asyncio.run(MailSender(replace(settings, timeout_s=timeout_s)).probe())
    except TemporaryFailure as failure:
        yield warning("mail", str(failure), "see mail in acd.yaml; mails wait in the spool until then")
    else:
        how = {"starttls": "by STARTTLS", "implicit": "by TLS", "none": "without TLS"}[settings.tls]
        yield ok("mail", f"{settings.host}:{settings.port} is there, {how}{', logged in' if settings.user else ''}")

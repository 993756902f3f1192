"""acd.yaml: the mail server, as far as its keys depend on each other; and that it is there where mail is to be sent."""

from __future__ import annotations

from config.checks.draft import Draft
from config.problems import Findings, Position

__all__ = ["check_mail", "require_mail"]

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def check_mail(draft: Draft, findings: Findings) -> None:
    """Check what belongs together in ``mail``."""
    acd, source = draft.acd.model, draft.acd.source
    if acd is None or acd.mail.host is None:
        return
    mail = acd.mail
    if mail.sender is None and not draft.acd.refused:
        findings.error(source.key(("mail", "host")), "mails need an address to come from; give 'sender' beside it")
    has_password = mail.password is not None or mail.password_file is not None
    if mail.user is not None and not has_password:
        findings.error(
            source.value(("mail", "user")),
            "no password is given for this user; set 'password_file', or ACD_MAIL_PASSWORD_FILE or ACD_MAIL_PASSWORD",
        )
    if has_password and mail.user is None:
        key = "password" if mail.password is not None else "password_file"
        findings.error(source.key(("mail", key)), "a password without a user; give 'user' as well, or remove it")
    if mail.tls == "none" and mail.host not in _HERE:
        seen = "password and all mails" if mail.user is not None else "all mails"
        findings.warning(
            source.value(("mail", "tls")), f"{seen} can be read on their way to {mail.host}; use starttls or implicit"
        )
    if mail.tls == "none" and mail.ca_file is not None:
        findings.warning(source.key(("mail", "ca_file")), "without TLS no certificate is looked at; remove it")


def require_mail(draft: Draft, findings: Findings, position: Position, what: str) -> None:
    """Report something that sends mail (``what``: "this follow-up") although no mail server is known."""
    acd = draft.acd.model
    if acd is not None and acd.mail.host is None:
        findings.error(
            position, f"{what} sends mail, but acd.yaml names no mail server; give mail.host and mail.sender"
        )

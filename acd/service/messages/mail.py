"""Writing a mail, and handing it to the site's mail server (SMTP)."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Literal

import aiosmtplib
import structlog

from acd.service.messages.failures import DestinationDown, PermanentFailure, TemporaryFailure
from acd.service.messages.message import OutgoingMail

__all__ = ["MailSender", "MailSettings", "written"]

log = structlog.get_logger(__name__)

_LINE_CHARS: Final = 76
_POLICY: Final = SMTP.clone(cte_type="7bit", max_line_length=_LINE_CHARS, refold_source="none")
"""Seven bits: nothing is asked of the servers on the way, whatever the caller's name is written in."""
_STEPS: Final = 10
"""So many times the time-out of one step, a whole conversation may take."""
_TAKEN_S: Final = 600.0
"""So long a server may take to get a whole mail and to say that it has taken it (RFC 5321 section 4.5.3.2.6): it may be
looking for viruses, and who gives up before that sends the mail once more."""
_LONGEST_HEADER_CHARS: Final = 200
_LONGEST_TEXT_CHARS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The site's mail server, and who the mails are from."""

    host: str
    port: int
    tls: Literal["starttls", "implicit", "none"]
    sender: str
    sender_name: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    """Certificates of the authorities to be trusted; the system's if None."""
    timeout_s: float = 30.0
    """Of each step of the conversation but the last: see ``_TAKEN_S``."""
    attachment_limit_bytes: int = 10 * 1024 * 1024
    """Of all attachments of a mail; above, they are left out and the mail says so."""


class MailSender:
    """Delivers mails, each over a connection of its own."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._context: ssl.SSLContext | None = None

    async def send(self, mail: OutgoingMail, created: float) -> None:
        """Deliver one mail; when this returns the server has taken it.

        Raises:
            PermanentFailure, TemporaryFailure, DestinationDown: it has not, and why.
        """
        content = await asyncio.to_thread(self._prepare, mail, created)
        await self._talk(lambda client: self._hand_over(client, mail, content))

    async def probe(self) -> None:
        """Connect, make the connection secure, log in, and leave: sends nothing.

        Raises:
            DestinationDown: the server would take no mail now, and why.
        """
        await asyncio.to_thread(self._load_authorities)
        await self._talk(_leave)

    async def _talk(self, say: Callable[[aiosmtplib.SMTP], Awaitable[None]]) -> None:
        """Have a conversation with the server, from the connection on; ``say`` when logged in."""
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=settings.timeout_s,
            use_tls=settings.tls == "implicit",
            start_tls=settings.tls == "starttls",
            tls_context=self._context,
            local_hostname=_own_name(),
        )
        try:
            async with asyncio.timeout(_STEPS * settings.timeout_s + _TAKEN_S):
                await self._enter(client)
                await say(client)
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise DestinationDown(f"mail server {settings.host}:{settings.port}: {_reason(error)}") from error
        finally:
            client.close()

    async def _enter(self, client: aiosmtplib.SMTP) -> None:
        settings = self._settings
        try:
            await client.connect()
            if settings.user:
                await client.login(settings.user, settings.password)
        except aiosmtplib.SMTPResponseException as error:
            # Refused before any message was spoken of: it would be so with every one, until somebody mends it.
            raise DestinationDown(f"mail server {settings.host}: {error.code} {_shown(error.message)}") from error

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: OutgoingMail, content: bytes) -> None:
        await client.mail(self._settings.sender)
        await client.rcpt(mail.to)
        await client.data(content, timeout=_TAKEN_S)
        await _leave(client)

    def _prepare(self, mail: OutgoingMail, created: float) -> bytes:
        """Read what is needed from the disk (certificates, attachments) and write the mail."""
        self._load_authorities()
        return written(mail, self._settings, created)

    def _load_authorities(self) -> None:
        if self._context is None and self._settings.tls != "none":
            try:
                self._context = ssl.create_default_context(cafile=self._settings.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise DestinationDown(f"mail ca_file {self._settings.ca_file}: {_reason(error)}") from error


async def _leave(client: aiosmtplib.SMTP) -> None:
    try:
        await client.quit()
    except (aiosmtplib.SMTPException, OSError) as error:
        log.debug("mail server did not say goodbye", why=str(error))


def written(mail: OutgoingMail, settings: MailSettings, created: float) -> bytes:
    """Write a mail as it goes over the line.

    The same mail has the same Message-ID whenever it is written, so that a server or reader can tell a repetition.
    """
    message = EmailMessage(policy=_POLICY)
    _set_sender(message, _one_line(settings.sender_name), settings.sender)
    message["To"] = _address("", mail.to)
    _set_subject(message, _one_line(mail.subject))
    message["Date"] = format_datetime(datetime.fromtimestamp(created, UTC))
    fingerprint = hashlib.sha256(f"{mail.id}\n{mail.to}".encode("utf-8", "replace")).hexdigest()[:40]
    message["Message-ID"] = f"<{fingerprint}@{settings.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    there = [one for one in mail.attachments if one.path.exists()]
    if sum(one.path.stat().st_size for one in there) > settings.attachment_limit_bytes:
        there = []
    complete = len(there) == len(mail.attachments) or not mail.without_attachments
    message.set_content(_lines(mail.text if complete else f"{mail.text}\n\n{mail.without_attachments}"))
    for one in there:
        main, _, sub = one.media_type.partition("/")
        message.add_attachment(one.path.read_bytes(), maintype=main, subtype=sub, filename=_one_line(one.name))
    return message.as_bytes()


def _set_sender(message: EmailMessage, name: str, address: str) -> None:
    if _is_plain(name):
        message["From"] = _address(name, address)
    else:
        message.set_raw("From", f"{_encoded('From', name)}\r\n <{address}>")


def _set_subject(message: EmailMessage, text: str) -> None:
    if _is_plain(text):
        message["Subject"] = text
    else:
        message.set_raw("Subject", _encoded("Subject", text))


def _address(name: str, address: str) -> Address:
    user, domain = address.rpartition("@")[::2]
    return Address(name, user, domain)


def _is_plain(text: str) -> bool:
    """Tell whether a header may hold the text as it is.

    ``EmailMessage`` is not to see any other: encoded words (RFC 2047) that somebody calls himself it decodes, line ends
    included, and writes out as headers; and where it folds letters that are not ASCII it loses spaces.
    """
    return text.isascii() and "=?" not in text


def _encoded(header: str, text: str) -> str:
    """Write a text as a header's value, all of it in encoded words."""
    return Header(text, "utf-8", maxlinelen=_LINE_CHARS, header_name=header).encode(linesep="\r\n")


def _one_line(text: str) -> str:
    """Make a text fit for a header: no line ends or other control characters, no lone surrogates, of bounded length."""
    clean = "".join(" " if _is_control(char) else char for char in text[: 2 * _LONGEST_HEADER_CHARS])
    return " ".join(clean.split())[:_LONGEST_HEADER_CHARS]


def _lines(text: str) -> str:
    return "".join(" " if _is_control(char) and char not in "\n\t" else char for char in text[:_LONGEST_TEXT_CHARS])


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _own_name() -> str:
    """What we call ourselves. An address where the machine has no full name: asking DNS for it can take long."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _refused(error: aiosmtplib.SMTPResponseException) -> Exception:
    """Tell a refusal for good (5xx, RFC 5321 section 4.2.1) from one for now."""
    text = f"mail server: {error.code} {_shown(error.message)}"
    if error.code == aiosmtplib.SMTPStatus.domain_unavailable:  # 421, said at any time by a server that closes down
        return DestinationDown(text)
    return PermanentFailure(text) if 500 <= error.code < 600 else TemporaryFailure(text)


def _shown(text: str) -> str:
    return _one_line(text)


def _reason(error: BaseException) -> str:
    return _one_line(str(error)) or type(error).__name__

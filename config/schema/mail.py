"""How mail leaves the house: the site's mail server."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import SecretStr

from config.schema.hosts import FolderOrFile, Host
from config.schema.shared import Model, Number, Text, WholeNumber

__all__ = ["Mail", "MailAddress", "Spool"]

MailAddress: TypeAlias = Annotated[
    str,
    Text(
        r"(?!.*\.\.)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,180}[A-Za-z0-9])?",
        "give one mail address alone, such as team@example.net",
    ),
]


class Mail(Model):
    """The mail server that mails are handed to (SMTP)."""

    host: Host | None = None
    """Host name or address of the mail server; the site sends no mail if left out."""

    port: Annotated[int, WholeNumber(1, 65535)] | None = None
    """TCP port; if left out 587 for starttls, 465 for implicit, 25 for none."""

    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """starttls: made secure once connected; implicit: secure from the first byte; none: not secure at all."""

    ca_file: FolderOrFile | None = None
    """Certificates (PEM) of the authorities that may vouch for the server; those of the system if left out."""

    user: Annotated[str, Text(r"[^\x00-\x1f\x7f]{1,200}", "give the user's name at the mail server")] | None = None
    """User at the mail server; without one nobody logs in there."""

    password: SecretStr | None = None
    """The user's password. Better kept out of this file: see password_file and ACD_MAIL_PASSWORD."""

    password_file: FolderOrFile | None = None
    """File that holds the password alone, readable by the engine's user only. Relative to this folder."""

    sender: MailAddress | None = None
    """Address that mails come from; needed with host."""

    sender_name: Annotated[str, Text(r"[^\x00-\x1f\x7f]{0,80}", "give one line of at most 80 characters")] = ""
    """Name shown beside that address."""

    timeout_s: Annotated[float, Number(1, 300, "seconds")] = 30.0
    """A mail server that says nothing for so long is taken for down; once it has a mail, it has ten minutes."""

    attachments_mb: Annotated[float, Number(0, 100)] = 10.0
    """Megabytes of attachments in a mail; above, the mail says where the sound is instead."""


class Spool(Model):
    """Bounds of what waits to be sent: mails and webhooks are kept below state_dir until they are delivered."""

    messages: Annotated[int, WholeNumber(1, 1_000_000)] = 10_000
    """So many may wait; more are refused, and that is logged."""

    megabytes: Annotated[int, WholeNumber(1, 1_000_000)] = 1024
    """So much may wait, attachments included."""

    hours: Annotated[float, Number(0.1, 720)] = 72.0
    """A message that could not be delivered for so long is put aside in the spool's folder dead."""

"""Messages that leave the house: mail and webhooks, kept on disk until they are delivered.

``Outbox`` is the way in. A message that it has taken is on disk: a crash, a restart or a mail server that is down for
hours loses nothing. Each message has an id of its owner's choice, and the same id handed in again is not sent again.
"""

from __future__ import annotations

from acd.service.messages.message import Attachment, Message, OutgoingHook, OutgoingMail
from acd.service.messages.outbox import BackOff, Outbox
from acd.service.messages.spool import SpoolFull, SpoolLimits

__all__ = [
    "Attachment",
    "BackOff",
    "Message",
    "Outbox",
    "OutgoingHook",
    "OutgoingMail",
    "SpoolFull",
    "SpoolLimits",
]

"""What nodes ask of the world beside the caller's line: the clock, and whatever else a node type needs.

A node awaits its tools and the line and nothing else, so the interpreter runs in a process, in a terminal and in
virtual time alike. Each subject is a protocol with a stand-in that has nothing, which serves where nobody has given the
real one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from ivr.callbacks import CallbackDesk, NoCallbacks
from ivr.dialling import Exchange, NoExchange
from ivr.hashes import Hashes, NoHashes
from ivr.lookups import LookUps, NoLookUps
from ivr.mailboxes import Mailboxes, NoMailboxes
from ivr.opening import Calendars, NoCalendars, NoQueueStates, QueueStates
from ivr.recordings import NoRecordings, Recordings
from ivr.surveys import NoSurveys, Surveys
from ivr.webhooks import NoWebhooks, Webhooks

__all__ = ["Clock", "NoClock", "Tools"]


class Clock(Protocol):
    """The wall clock."""

    def now(self) -> datetime:
        """The moment, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class NoClock:
    """A clock that stands still."""

    at: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """See `Clock`."""
        return self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """All of them, one field for each subject. `replace` the fields that are there."""

    clock: Clock = field(default_factory=NoClock)
    calendars: Calendars = field(default_factory=NoCalendars)
    queues: QueueStates = field(default_factory=NoQueueStates)
    callbacks: CallbackDesk = field(default_factory=NoCallbacks)
    hashes: Hashes = field(default_factory=NoHashes)
    exchange: Exchange = field(default_factory=NoExchange)
    lookups: LookUps = field(default_factory=NoLookUps)
    webhooks: Webhooks = field(default_factory=NoWebhooks)
    recordings: Recordings = field(default_factory=NoRecordings)
    mailboxes: Mailboxes = field(default_factory=NoMailboxes)
    surveys: Surveys = field(default_factory=NoSurveys)

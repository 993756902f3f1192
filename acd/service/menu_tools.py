"""The tools of menu nodes in the running process: the one place where they are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from acd.service.hashes import Argon2Hashes
from ivr.callbacks import CallbackDesk
from ivr.dialling import Exchange
from ivr.lookups import LookUps
from ivr.mailboxes import Mailboxes
from ivr.opening import Calendars, QueueStates
from ivr.recordings import Recordings
from ivr.surveys import Surveys
from ivr.tools import Tools
from ivr.webhooks import Webhooks

__all__ = ["WallClock", "menu_tools"]


@dataclass(frozen=True, slots=True)
class WallClock:
    """The clock on the wall. ``wall``: UNIX time (seconds)."""

    wall: Callable[[], float]

    def now(self) -> datetime:
        """See ``ivr.tools.Clock``."""
        return datetime.fromtimestamp(self.wall(), UTC)


def menu_tools(
    *,
    wall: Callable[[], float],
    calendars: Calendars,
    queues: QueueStates,
    mailboxes: Mailboxes,
    lookups: LookUps,
    recordings: Recordings,
    webhooks: Webhooks,
    surveys: Surveys,
    callbacks: CallbackDesk,
    exchange: Exchange,
) -> Tools:
    """Put the tools together."""
    return Tools(
        clock=WallClock(wall),
        hashes=Argon2Hashes(),
        calendars=calendars,
        queues=queues,
        mailboxes=mailboxes,
        lookups=lookups,
        recordings=recordings,
        webhooks=webhooks,
        surveys=surveys,
        callbacks=callbacks,
        exchange=exchange,
    )

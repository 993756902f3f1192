"""The outbox as the web port sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acd.service.messages.dead_letters import DeadLetter
from acd.service.messages.outbox import Backlog, Outbox
from acd.service.messages.spool import SpoolFull
from acd.service.moments import wall_text
from acd.web.backend import Json
from acd.web.messages import NotSent
from ivr.fields import clean

__all__ = ["OutboxWeb"]


class OutboxWeb:
    """Implements ``acd.web.messages.MessagesBackend``. What was sent again or dropped is logged."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def waiting(self) -> Sequence[Mapping[str, Json]]:
        """See ``MessagesBackend``."""
        return [_backlog(one) for one in self._outbox.backlogs()]

    async def dead(self) -> Sequence[Mapping[str, Json]]:
        """See ``MessagesBackend``."""
        return [_letter(letter) for letter in await self._outbox.dead_letters()]

    async def send_again(self, message_id: str) -> bool:
        """See ``MessagesBackend``."""
        try:
            return await self._outbox.send_again(message_id)
        except (SpoolFull, ValueError) as error:
            raise NotSent(str(error)) from error

    async def drop(self, message_id: str) -> bool:
        """See ``MessagesBackend``."""
        return await self._outbox.drop(message_id)


def _backlog(one: Backlog) -> Mapping[str, Json]:
    return {
        "kind": one.kind,
        "to": one.to,
        "messages": one.messages,
        "oldest": wall_text(one.oldest, "seconds"),
        "last_failure": one.last_failure or None,
    }


def _letter(letter: DeadLetter) -> Mapping[str, Json]:
    return {
        "id": letter.key,
        "kind": letter.kind or None,
        "to": letter.to or None,
        "about": clean(letter.about) or None,
        "handed_in": _at(letter.created),
        "given_up": _at(letter.given_up),
        "why": clean(letter.why),
        "size_bytes": letter.size_bytes,
    }


def _at(wall_s: float | None) -> str | None:
    return wall_text(wall_s, "seconds") if wall_s is not None else None

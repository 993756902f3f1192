"""A box that is being listened to by phone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from acd.service.voicemail.message import MessageState
from ivr.context import CallContext
from ivr.mailboxes import Heard, MessageKind
from ivr.recordings import Draft
from ivr.speech import Speech

if TYPE_CHECKING:
    from acd.service.voicemail.desk import VoicemailDesk

__all__ = ["BoxShelf"]

log = structlog.get_logger(__name__)


class BoxShelf:
    """Implements ``ivr.mailboxes.Shelf``: what was deleted goes at the end, and what was made ready to be played."""

    def __init__(self, desk: VoicemailDesk, box: str, call: CallContext) -> None:
        self._desk = desk
        self._box = box
        self._call = call
        self._deleted: set[str] = set()
        self._playable: dict[str, Path] = {}

    @property
    def box(self) -> str:
        """See ``Shelf``."""
        return self._box

    @property
    def new(self) -> int:
        """See ``Shelf``."""
        return self._desk.store.counts(self._box)[MessageState.NEW]

    @property
    def saved(self) -> int:
        """See ``Shelf``."""
        counts = self._desk.store.counts(self._box)
        return counts[MessageState.SAVED] + counts[MessageState.ASSIGNED]

    async def messages(self) -> Sequence[str]:
        """See ``Shelf``. Messages that are closed are not listened to any more."""
        order = {MessageState.NEW: 0, MessageState.SAVED: 1, MessageState.ASSIGNED: 1}
        found = [message for message in self._desk.store.of_box(self._box) if message.state in order]
        found.sort(key=lambda message: (order[message.state], not message.urgent))  # stable: the oldest first
        return [message.id for message in found]

    async def take(self, message: str) -> Heard | None:
        """See ``Shelf``."""
        stored = self._desk.store.get(message)
        if stored is None:
            return None
        path = self._playable.get(message)
        if path is None or not path.is_file():
            await self._drop_all()
            try:
                path = self._playable[message] = await self._desk.make_playable(stored)
            except OSError as error:
                log.error("a voicemail message cannot be played", message=message, why=str(error))  # noqa: TRY400
                return None
        kind = MessageKind.NEW if stored.state is MessageState.NEW else MessageKind.SAVED
        return Heard(
            id=message,
            kind=kind,
            path=str(path.with_suffix("")),
            seconds=stored.seconds,
            left_at=self._desk.left_at(stored),
            caller=stored.call.caller,
            urgent=stored.urgent,
        )

    def is_deleted(self, message: str) -> bool:
        """See ``Shelf``."""
        return message in self._deleted

    async def heard(self, message: str) -> None:
        """See ``Shelf``."""
        try:
            await self._desk.store.change(message, only_from=(MessageState.NEW,), state=MessageState.SAVED)
        except OSError as error:
            log.error("a voicemail message stays new", message=message, why=str(error))  # noqa: TRY400

    def delete(self, message: str, *, undo: bool = False) -> None:
        """See ``Shelf``."""
        if undo:
            self._deleted.discard(message)
        else:
            self._deleted.add(message)

    async def greeting(self) -> Draft:
        """See ``Shelf``."""
        return await self._desk.begin_greeting(self._box, self._call)

    async def use_greeting(self, draft: Draft | None) -> None:
        """See ``Shelf``."""
        await self._desk.set_greeting(self._box, draft)

    async def drop_greeting(self, draft: Draft) -> None:
        """See ``Shelf``."""
        await self._desk.discard(draft)

    def greeting_speech(self) -> tuple[Speech, ...]:
        """See ``Shelf``."""
        return self._desk.greeting(self._box)

    async def close(self) -> None:
        """See ``Shelf``."""
        await asyncio.shield(asyncio.ensure_future(self._close()))

    async def _close(self) -> None:
        await self._drop_all()
        for message in sorted(self._deleted):
            try:
                if await self._desk.store.delete(message):
                    log.info("voicemail message deleted", box=self._box, message=message, call_id=self._call.call_id)
            except OSError as error:
                log.error("a voicemail message cannot be deleted", message=message, why=str(error))  # noqa: TRY400

    async def _drop_all(self) -> None:
        while self._playable:
            await self._desk.drop_playable(self._playable.popitem()[1])

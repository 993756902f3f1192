"""Telling people of messages: a mail with the sound, a webhook. Handed to the outbox once, which does not lose them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime

import structlog

from acd.service.messages import Attachment, Message, OutgoingHook, OutgoingMail, SpoolFull
from acd.service.voicemail.boxes import BoxSpec
from acd.service.voicemail.message import MessageState, StoredMessage
from acd.service.voicemail.store import MessageStore
from ivr.fields import clean

__all__ = ["Notices"]

log = structlog.get_logger(__name__)

EVENT = "voicemail"
_RETRY_S = 30.0


class Notices:
    """See the module. ``run`` hands over what ``store`` tells of, and what a process before has not handed over.

    A message's mails have ids made of its own, so handing them over again after a crash sends nothing twice.
    Nobody is told of a message whose box is gone from the configuration, until the box is there again.

    Args:
        store: the messages.
        box: a box by its name.
        left_at: when a message was left, by its owner's clock.
        put: the outbox; blocks on the disk. False: it had the message already.
    """

    def __init__(
        self,
        store: MessageStore,
        box: Callable[[str], BoxSpec | None],
        left_at: Callable[[StoredMessage], datetime],
        put: Callable[[Message], bool],
    ) -> None:
        self._store = store
        self._box = box
        self._left_at = left_at
        self._put = put
        self._wake = asyncio.Event()
        store.watch(self._changed)

    def look(self) -> None:
        """Look again for what is to be handed over: the boxes may have changed."""
        self._wake.set()

    def _changed(self, message: StoredMessage) -> None:
        if not message.handed_over:
            self.look()

    async def run(self) -> None:
        """Hand over, until cancelled."""
        while True:
            self._wake.clear()
            failed = False
            for message in [message for message in self._store.all() if not message.handed_over]:
                failed = not await self._hand_over(message) or failed
            try:
                async with asyncio.timeout(_RETRY_S if failed else None):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _hand_over(self, message: StoredMessage) -> bool:
        box = self._box(message.box)
        if message.state is MessageState.DELETED or box is None:
            return True
        try:
            for out in self._messages(message, box):
                await asyncio.to_thread(self._put, out)
            await self._store.change(message.id, handed_over=True)
        except (SpoolFull, OSError) as error:
            log.error("nobody has been told of a voicemail message yet", message=message.id, why=str(error))  # noqa: TRY400
            return False
        return True

    def _messages(self, message: StoredMessage, box: BoxSpec) -> Iterator[Message]:
        at = self._left_at(message)
        for number, address in enumerate(box.email):
            yield OutgoingMail(
                id=f"voicemail-{message.id}-{number}",
                to=address,
                subject=_subject(message, box),
                text=_text(message, box, at),
                attachments=(Attachment(path=self._store.sound(message), name=f"voicemail-{at:%Y-%m-%d-%H%M}.wav"),),
                without_attachments="The sound is too large for a mail; please listen to it by phone.",
            )
        if box.webhook:
            yield OutgoingHook(
                id=f"voicemail-{message.id}-hook",
                target=box.webhook,
                event=EVENT,
                data={
                    "message": message.id,
                    "box": message.box,
                    "left_at": at.isoformat(timespec="seconds"),
                    "seconds": message.seconds,
                    "urgent": message.urgent,
                    "call_id": message.call.call_id,
                    "caller": message.call.caller,
                    "caller_name": message.call.caller_name,
                    "dialled": message.call.dialled,
                    "queue": message.call.queue,
                    "data": dict(message.call.data),
                },
            )


def _subject(message: StoredMessage, box: BoxSpec) -> str:
    urgent = "Urgent: " if message.urgent else ""
    return f"{urgent}Voicemail for {box.title} from {_who(message)}"


def _who(message: StoredMessage) -> str:
    call = message.call
    if call.caller_name and call.caller:
        return f"{call.caller_name} ({call.caller})"
    return call.caller or call.caller_name or "an unknown number"


def _text(message: StoredMessage, box: BoxSpec, at: datetime) -> str:
    call = message.call
    minutes, seconds = divmod(round(message.seconds), 60)
    lines = [
        f"Box:      {box.title}",
        f"From:     {_who(message)}",
        f"Left at:  {at:%Y-%m-%d %H:%M} ({at:%Z})",
        f"Length:   {minutes}:{seconds:02}",
    ]
    lines += [f"Dialled:  {call.dialled}"] if call.dialled else []
    lines += [f"Queue:    {call.queue}"] if call.queue else []
    lines += [f"{name}: {clean(value)}" for name, value in call.data.items()]
    return "\n".join([*lines, ""])

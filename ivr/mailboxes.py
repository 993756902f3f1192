"""Voicemail boxes, as menu nodes see them: leaving a message, and hearing those that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ivr.context import CallContext
from ivr.recordings import Draft, Manner
from ivr.speech import Speech

__all__ = [
    "Access",
    "BoxFace",
    "BoxTrouble",
    "BoxUnavailable",
    "Heard",
    "Login",
    "Mailboxes",
    "NoMailboxes",
    "Shelf",
]


class BoxTrouble(StrEnum):
    """Why a box takes no message."""

    UNKNOWN = "no-such-box"
    FULL = "box-full"
    FAILED = "not-writable"


class BoxUnavailable(Exception):
    """A box takes no message now."""

    def __init__(self, trouble: BoxTrouble, text: str = "") -> None:
        super().__init__(text or trouble.value)
        self.trouble = trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxFace:
    """A box as a caller meets it."""

    name: str
    greeting: tuple[Speech, ...]
    manner: Manner


class Login(StrEnum):
    """What came of a PIN."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    """Too many wrong ones, for this box or from this caller: nothing is compared for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A box that a caller may listen to without saying which: the caller's own."""

    box: str
    needs_pin: bool


class MessageKind(StrEnum):
    """What a message in a box is to its listener."""

    NEW = "new"
    SAVED = "saved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message as its listener is told of it. `left_at` is in the zone of the box's owner."""

    id: str
    kind: MessageKind
    path: str
    """The sound, without the file's ending."""
    seconds: float
    left_at: datetime
    caller: str = ""
    urgent: bool = False


class Shelf(Protocol):
    """A box that somebody listens to by phone. What is deleted comes back unless `close` is told otherwise."""

    @property
    def box(self) -> str:
        """The box's name."""
        ...

    @property
    def new(self) -> int:
        """How many messages nobody has listened to."""
        ...

    @property
    def saved(self) -> int:
        """How many have been listened to and are kept."""
        ...

    async def messages(self) -> Sequence[str]:
        """The ids of all messages: new ones first, urgent ones before others, then the saved ones; oldest first."""
        ...

    async def take(self, message: str) -> Heard | None:
        """Make a message's sound ready to be played; None when it has gone meanwhile."""
        ...

    def is_deleted(self, message: str) -> bool:
        """Whether the listener has deleted it; it is still there until the end."""
        ...

    async def heard(self, message: str) -> None:
        """The listener has heard it: it is not new any more."""
        ...

    def delete(self, message: str, *, undo: bool = False) -> None:
        """Have it deleted at the end, or not after all."""
        ...

    async def greeting(self) -> Draft:
        """Make place for a new greeting. Raises RecordingImpossible."""
        ...

    async def use_greeting(self, draft: Draft | None) -> None:
        """Take it for the box's greeting; None: the one of the configuration again. Raises RecordingImpossible."""
        ...

    async def drop_greeting(self, draft: Draft) -> None:
        """A new greeting is not wanted after all."""
        ...

    def greeting_speech(self) -> tuple[Speech, ...]:
        """What callers hear now."""
        ...

    async def close(self) -> None:
        """The listener has gone: delete what was deleted, and what was made ready to be played."""
        ...


class Mailboxes(Protocol):
    """All boxes of the site."""

    def face(self, box: str) -> BoxFace | None:
        """The box as callers meet it; None when there is no such box."""
        ...

    async def open(self, box: str, call: CallContext, node: str) -> Draft:
        """Make place for a message, with all that is known of the call.

        For a call whose line was lost in the midst of its message this is that very message.

        Raises:
            BoxUnavailable: it takes none.
        """
        ...

    async def deliver(self, draft: Draft, *, urgent: bool, hung_up: bool) -> None:
        """Put the message into its box. Raises BoxUnavailable; the sound is kept then, and tried again later."""
        ...

    async def discard(self, draft: Draft) -> None:
        """There is no message."""
        ...

    def leave(self, draft: Draft) -> None:
        """The line was lost while it records: the message will be found later."""
        ...

    # Listening.

    def own(self, call: CallContext) -> Sequence[Access]:
        """The boxes of the agent whose phone calls; none for any other caller."""
        ...

    async def login(self, number: str, pin: str, call: CallContext) -> tuple[Login, str]:
        """Compare a PIN with that of the box which is keyed in by this number; RIGHT comes with the box's name.

        A box that does not exist is never told from a wrong PIN.
        """
        ...

    def number_of(self, box: str) -> str:
        """What is keyed in for a box."""
        ...

    async def shelf(self, box: str, call: CallContext) -> Shelf:
        """Open a box for its listener, who has been found to be the right one."""
        ...


@dataclass(frozen=True, slots=True)
class NoMailboxes:
    """A site without boxes. `numbers` are there so that a walk can be shown what would be said."""

    numbers: Mapping[str, str] = field(default_factory=dict)

    def face(self, box: str) -> BoxFace | None:  # noqa: ARG002
        """See `Mailboxes`."""
        return None

    async def open(self, box: str, call: CallContext, node: str) -> Draft:  # noqa: ARG002
        """See `Mailboxes`."""
        raise BoxUnavailable(BoxTrouble.UNKNOWN)

    async def deliver(self, draft: Draft, *, urgent: bool, hung_up: bool) -> None:
        """See `Mailboxes`."""

    async def discard(self, draft: Draft) -> None:
        """See `Mailboxes`."""

    def leave(self, draft: Draft) -> None:
        """See `Mailboxes`."""

    def own(self, call: CallContext) -> Sequence[Access]:  # noqa: ARG002
        """See `Mailboxes`."""
        return ()

    async def login(self, number: str, pin: str, call: CallContext) -> tuple[Login, str]:  # noqa: ARG002
        """See `Mailboxes`."""
        return Login.WRONG, ""

    def number_of(self, box: str) -> str:
        """See `Mailboxes`."""
        return self.numbers.get(box, box)

    async def shelf(self, box: str, call: CallContext) -> Shelf:  # noqa: ARG002
        """See `Mailboxes`."""
        raise BoxUnavailable(BoxTrouble.UNKNOWN)

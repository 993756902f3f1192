"""Boxes and recordings in memory: what nodes that record and play messages are tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ivr.context import CallContext
from ivr.line import RecordLimits
from ivr.mailboxes import Access, BoxFace, BoxTrouble, BoxUnavailable, Heard, Login, MessageKind, Shelf
from ivr.recordings import Draft, Manner, RecordingImpossible
from ivr.speech import Prompt, Speech

AT = datetime(2026, 11, 21, 15, 15, tzinfo=UTC)
LIMITS = RecordLimits(longest_s=60.0, silence_s=3)


def face(name: str = "cards", **more: object) -> BoxFace:
    """A box that greets with `greet`."""
    settings: dict[str, object] = {"limits": LIMITS, "shortest_s": 2.0, "review": False} | more
    return BoxFace(name=name, greeting=(Prompt("greet"),), manner=Manner(**settings))  # type: ignore[arg-type]


@dataclass
class Recordings:
    """Implements `ivr.recordings.Recordings`."""

    full: bool = False
    resumed: Draft | None = None
    kept: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    async def open(self, call: CallContext, node: str) -> Draft:
        if self.full:
            raise RecordingImpossible("the disk is full")
        return self.resumed or Draft(id="rec-1", path="/recordings/rec-1")

    async def keep(self, draft: Draft) -> None:
        self.kept.append(draft.id)

    async def discard(self, draft: Draft) -> None:
        self.discarded.append(draft.id)

    def leave(self, draft: Draft) -> None:
        self.left.append(draft.id)


@dataclass
class Letter:
    """A message in a box."""

    id: str
    kind: MessageKind = MessageKind.NEW
    caller: str = "+4930123"
    urgent: bool = False


@dataclass
class Mailboxes:
    """Implements `ivr.mailboxes.Mailboxes`. The PIN of box `501` (`cards`) is 4711."""

    faces: Mapping[str, BoxFace] = field(default_factory=lambda: {"cards": face()})
    trouble: BoxTrouble | None = None
    resumed: Draft | None = None
    undeliverable: bool = False
    own_boxes: Sequence[Access] = ()
    letters: list[Letter] = field(default_factory=list)
    numbers: Mapping[str, str] = field(default_factory=lambda: {"cards": "501"})
    locked_after: int = 5
    delivered: list[tuple[str, bool, bool]] = field(default_factory=list)
    """Draft, urgent, hung up."""
    discarded: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    tried: list[tuple[str, str]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    greetings: list[str | None] = field(default_factory=list)

    def face(self, box: str) -> BoxFace | None:
        return self.faces.get(box)

    async def open(self, box: str, call: CallContext, node: str) -> Draft:
        if box not in self.faces:
            raise BoxUnavailable(BoxTrouble.UNKNOWN)
        if self.trouble is not None:
            raise BoxUnavailable(self.trouble)
        return self.resumed or Draft(id="vm-1", path="/recordings/vm-1")

    async def deliver(self, draft: Draft, *, urgent: bool, hung_up: bool) -> None:
        if self.undeliverable:
            raise BoxUnavailable(BoxTrouble.FAILED)
        self.delivered.append((draft.id, urgent, hung_up))

    async def discard(self, draft: Draft) -> None:
        self.discarded.append(draft.id)

    def leave(self, draft: Draft) -> None:
        self.left.append(draft.id)

    def own(self, call: CallContext) -> Sequence[Access]:
        return self.own_boxes

    async def login(self, number: str, pin: str, call: CallContext) -> tuple[Login, str]:
        self.tried.append((number, pin))
        if len(self.tried) > self.locked_after:
            return Login.LOCKED, ""
        return (Login.RIGHT, "cards") if (number, pin) == ("501", "4711") else (Login.WRONG, "")

    def number_of(self, box: str) -> str:
        return self.numbers.get(box, box)

    async def shelf(self, box: str, call: CallContext) -> Shelf:
        return MemoryShelf(self, box)


@dataclass
class MemoryShelf:
    """Implements `ivr.mailboxes.Shelf` over a `Mailboxes`."""

    boxes: Mailboxes
    box: str
    deleted: set[str] = field(default_factory=set)

    @property
    def new(self) -> int:
        return sum(letter.kind is MessageKind.NEW for letter in self.boxes.letters)

    @property
    def saved(self) -> int:
        return len(self.boxes.letters) - self.new

    async def messages(self) -> Sequence[str]:
        return [letter.id for letter in self.boxes.letters]

    async def take(self, message: str) -> Heard | None:
        for letter in self.boxes.letters:
            if letter.id == message:
                return Heard(
                    id=letter.id,
                    kind=letter.kind,
                    path=f"/recordings/{letter.id}",
                    seconds=5.0,
                    left_at=AT,
                    caller=letter.caller,
                    urgent=letter.urgent,
                )
        return None

    def is_deleted(self, message: str) -> bool:
        return message in self.deleted

    async def heard(self, message: str) -> None:
        for letter in self.boxes.letters:
            if letter.id == message:
                letter.kind = MessageKind.SAVED

    def delete(self, message: str, *, undo: bool = False) -> None:
        (self.deleted.discard if undo else self.deleted.add)(message)

    async def greeting(self) -> Draft:
        return Draft(id="greeting-1", path="/recordings/greeting-1")

    async def use_greeting(self, draft: Draft | None) -> None:
        self.boxes.greetings.append(draft.id if draft is not None else None)

    async def drop_greeting(self, draft: Draft) -> None:
        self.boxes.discarded.append(draft.id)

    def greeting_speech(self) -> tuple[Speech, ...]:
        return (Prompt("greet"),)

    async def close(self) -> None:
        self.boxes.letters = [letter for letter in self.boxes.letters if letter.id not in self.deleted]
        self.boxes.closed.append(self.box)

"""The boxes at work: what menu nodes and listeners ask for, and what becomes of recordings that were lost hold of."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import structlog

from acd.service.hashes import Argon2Hashes
from acd.service.sound_files import ENDING, SoundFile
from acd.service.voicemail.boxes import DEFAULT_GREETING, Boxes, BoxSpec
from acd.service.voicemail.drafts import Drafts, Note, Purpose
from acd.service.voicemail.message import CallFacts, StoredMessage
from acd.service.voicemail.pins import LONGEST_PIN, Lockouts, hash_pin
from acd.service.voicemail.shelf import BoxShelf
from acd.service.voicemail.store import MessageStore, copy_sound
from ivr.context import CallContext
from ivr.mailboxes import Access, BoxFace, BoxTrouble, BoxUnavailable, Login, Shelf
from ivr.recordings import Draft, RecordingImpossible
from ivr.speech import Recording, Speech

__all__ = ["QueueOf", "VoicemailDesk", "facts_of", "no_queue"]

log = structlog.get_logger(__name__)

QueueOf: TypeAlias = Callable[[str], tuple[str, int]]
"""The queue that a call (by its id) came from, empty for none, and its priority there."""
_PLAYABLE = 0o640
"""The group is Asterisk's: what it is to play lies in its folder, for as long as that takes."""
_SWEEP_S = 3600.0
_LONGEST_GREETING_S = 120.0


def no_queue(_call_id: str) -> tuple[str, int]:
    """Of a call that was in none."""
    return "", 0


def facts_of(call: CallContext, node: str, queue_of: QueueOf) -> CallFacts:
    """What is kept of a call with what it has recorded."""
    queue, priority = queue_of(call.call_id)
    return CallFacts(
        call_id=call.call_id,
        caller=call.caller,
        caller_name=call.caller_name,
        dialled=call.dialled,
        language=call.language,
        queue=queue,
        priority=priority if queue else call.priority,
        data=dict(call.data),
        path=(*call.menus, node),
    )


class VoicemailDesk:
    """All boxes (implements ``ivr.mailboxes.Mailboxes``).

    Args:
        boxes: the boxes, as configured now.
        store: their messages.
        drafts: recordings under way.
        lockouts: wrong PINs.
        recordings_dir: where Asterisk records and plays from.
        wall: UNIX time (seconds).
        agent_of: the agent whose own phone a call (by its id) comes from; empty for every other one.
        queue_of: the queue that a call came from.
    """

    def __init__(
        self,
        boxes: Callable[[], Boxes],
        store: MessageStore,
        drafts: Drafts,
        lockouts: Lockouts,
        recordings_dir: Path,
        wall: Callable[[], float] = time.time,
        *,
        agent_of: Callable[[str], str] = lambda _: "",
        queue_of: QueueOf = no_queue,
    ) -> None:
        self._boxes = boxes
        self.store = store
        self._drafts = drafts
        self._lockouts = lockouts
        self._recordings_dir = recordings_dir
        self._wall = wall
        self._agent_of = agent_of
        self._queue_of = queue_of
        self._greetings: dict[str, Path] = {}
        self._acknowledged: set[str] = set()
        self._hashes = Argon2Hashes()
        self._nobody = ""
        drafts.rescue_by(Purpose.MESSAGE, self._rescue)

    def load(self) -> None:
        """Read what is on the disk. Blocks on it; to be called once."""
        self.store.load()
        self._drafts.load()
        self._lockouts.load()
        for stale in self._recordings_dir.glob(f"play-*{ENDING}"):
            with suppress(OSError):
                stale.unlink()
        for greeting in self.store.folder.glob(f"*/greeting{ENDING}"):
            box = greeting.parent.name
            try:
                self._greetings[box] = self._publish(box, greeting)
            except OSError as error:
                log.error("a box's own greeting cannot be used", box=box, why=str(error))  # noqa: TRY400

    async def run(self) -> None:
        """Delete what has been kept long enough, hour by hour, until cancelled."""
        while True:
            await self.sweep()
            await asyncio.sleep(_SWEEP_S)

    async def sweep(self) -> int:
        """Delete the messages whose time is over; returns how many."""
        now, gone = self._wall(), 0
        for message in list(self.store.all()):
            spec = self.box(message.box)
            if spec is None or not spec.keep_days or now - message.left_at < spec.keep_days * 86_400:
                continue
            try:
                deleted = await self.store.delete(message.id)
            except OSError as error:
                log.error("a voicemail message cannot be deleted", message=message.id, why=str(error))  # noqa: TRY400
                continue
            if deleted:
                log.info("voicemail message deleted: its time is over", box=message.box, message=message.id)
                gone += 1
        return gone

    def box(self, name: str) -> BoxSpec | None:
        """A box by its name."""
        return self._boxes().by_name.get(name)

    # Leaving a message (ivr.mailboxes.Mailboxes).

    def face(self, box: str) -> BoxFace | None:
        """See ``Mailboxes``."""
        spec = self.box(box)
        if spec is None:
            return None
        return BoxFace(name=box, greeting=self.greeting(box), manner=spec.manner)

    def greeting(self, box: str) -> tuple[Speech, ...]:
        """What a box's callers hear."""
        own = self._greetings.get(box)
        if own is not None and own.is_file():
            return (Recording(str(own.with_suffix(""))),)
        spec = self.box(box)
        return spec.greeting if spec is not None else DEFAULT_GREETING

    def trouble(self, box: str) -> BoxTrouble | None:
        """Tell whether a box takes no message now, as far as that is known without trying."""
        spec = self.box(box)
        if spec is None:
            return BoxTrouble.UNKNOWN
        count, size_bytes = self.store.fill(box)
        count += self._drafts.of_target(Purpose.MESSAGE, box)
        return BoxTrouble.FULL if count >= spec.most_messages or size_bytes >= spec.most_bytes else None

    def takes_message(self, box: str) -> bool:
        """Tell whether a message can be left in a box, as far as that is known without trying."""
        return self.trouble(box) is None and self._drafts.has_room()

    async def open(self, box: str, call: CallContext, node: str) -> Draft:
        """See ``Mailboxes``."""
        spec = self.box(box)
        if spec is None:
            log.error("no such voicemail box", call_id=call.call_id, box=box)
            raise BoxUnavailable(BoxTrouble.UNKNOWN)
        known = self._taken_meanwhile(box, call.call_id)
        if known is not None:
            return Draft(id=known.id, path="", seconds=known.seconds, is_kept=True)
        try:
            note = self._drafts.resume(call.call_id, Purpose.MESSAGE, box)
            if note is not None:
                return await self._resumed(note)
            trouble = self.trouble(box)
            if trouble is not None:
                log.error("voicemail box takes no message", call_id=call.call_id, box=box, why=trouble.value)
                raise BoxUnavailable(trouble)
            note = await self._drafts.begin(
                Purpose.MESSAGE,
                box,
                facts_of(call, node, self._queue_of),
                longest_s=spec.manner.limits.longest_s,
                shortest_s=spec.manner.shortest_s,
            )
        except OSError as error:
            log.error("voicemail cannot be taken", call_id=call.call_id, box=box, why=str(error))  # noqa: TRY400
            raise BoxUnavailable(BoxTrouble.FAILED, str(error)) from error
        return Draft(id=note.id, path=str(self._drafts.base(note)))

    async def _resumed(self, note: Note) -> Draft:
        found = await self._drafts.look(note)
        seconds = found.seconds if found is not None else 0.0
        return Draft(id=note.id, path=str(self._drafts.base(note)), seconds=seconds)

    def _taken_meanwhile(self, box: str, call_id: str) -> StoredMessage | None:
        """The message of a caller whose line was lost, if it has been delivered without the caller. Told once."""
        for message in self.store.of_box(box):
            if message.call.call_id == call_id and message.hung_up and message.id not in self._acknowledged:
                self._acknowledged.add(message.id)
                return message
        return None

    async def deliver(self, draft: Draft, *, urgent: bool, hung_up: bool) -> None:
        """See ``Mailboxes``. The rest is done even if the caller's session ends meanwhile."""
        await asyncio.shield(asyncio.ensure_future(self._deliver(draft, urgent=urgent, hung_up=hung_up)))

    async def _deliver(self, draft: Draft, *, urgent: bool, hung_up: bool) -> None:
        note = self._drafts.get(draft.id)
        if note is None:
            raise BoxUnavailable(BoxTrouble.FAILED, "the recording is not known")
        try:
            found = await self._drafts.look(note)
            if found is None:
                raise FileNotFoundError(2, "there is no sound", str(self._drafts.sound(note)))
            await self._add(note, self._drafts.sound(note), found, urgent=urgent, hung_up=hung_up)
        except OSError as error:
            log.error("voicemail message cannot be kept yet", message=note.id, why=str(error))  # noqa: TRY400
            self._drafts.leave(note.id, retry=True)
            raise BoxUnavailable(BoxTrouble.FAILED, str(error)) from error
        await self._end(note.id)

    async def _rescue(self, note: Note, sound: Path, found: SoundFile) -> None:
        """Deliver what was lost hold of. Raises OSError."""
        await self._add(note, sound, found, urgent=False, hung_up=True)
        log.info("voicemail message found", box=note.target, message=note.id)

    async def _add(self, note: Note, sound: Path, found: SoundFile, *, urgent: bool, hung_up: bool) -> None:
        message = StoredMessage(
            id=note.id,
            box=note.target,
            left_at=note.begun_at,
            seconds=round(found.seconds, 1),
            size_bytes=found.size_bytes,
            call=note.call,
            urgent=urgent,
            hung_up=hung_up,
            changed_at=self._wall(),
        )
        await self.store.add(message, sound)
        log.info(
            "voicemail message left",
            call_id=note.call.call_id,
            box=note.target,
            message=note.id,
            seconds=message.seconds,
            hung_up=hung_up,
        )

    async def discard(self, draft: Draft) -> None:
        """See ``Mailboxes``."""
        await self._end(draft.id)

    def leave(self, draft: Draft) -> None:
        """See ``Mailboxes``."""
        self._drafts.leave(draft.id)

    async def _end(self, draft_id: str) -> None:
        try:
            await self._drafts.end(draft_id)
        except OSError as error:
            log.error("what is left of a recording cannot be removed", recording=draft_id, why=str(error))  # noqa: TRY400

    # Listening (ivr.mailboxes.Mailboxes).

    def own(self, call: CallContext) -> Sequence[Access]:
        """See ``Mailboxes``."""
        agent = self._agent_of(call.call_id)
        return tuple(
            Access(box=spec.name, needs_pin=spec.pin_inside and bool(spec.pin_hash))
            for spec in self._boxes().of_agent(agent)
        )

    async def login(self, number: str, pin: str, call: CallContext) -> tuple[Login, str]:
        """See ``Mailboxes``. For a number without a box a PIN is compared all the same: it takes as long.

        Wrong ones are counted for the box, and for the agent or the number that calls; callers without a number share
        one count, and so do numbers without a box: what is keyed in there may be a PIN, and is written down nowhere.
        """
        spec = self._boxes().by_number(number)
        keys = (
            f"box:{spec.name if spec is not None else ''}",
            f"caller:{self._agent_of(call.call_id) or call.caller}",
        )
        if self._lockouts.is_locked(*keys):
            log.warning("voicemail is locked", call_id=call.call_id, box=keys[0], caller=keys[1])
            return Login.LOCKED, ""
        right = await self._compare(spec, pin)
        if self._lockouts.is_locked(*keys):  # others have tried meanwhile
            return Login.LOCKED, ""
        if right and spec is not None:
            await self._lockouts.right(*keys)
            log.info("voicemail opened", call_id=call.call_id, box=spec.name)
            return Login.RIGHT, spec.name
        log.warning("voicemail PIN is wrong", call_id=call.call_id, box=keys[0], caller=keys[1])
        locked = await self._lockouts.wrong(*keys)
        return (Login.LOCKED if locked else Login.WRONG), ""

    async def _compare(self, spec: BoxSpec | None, pin: str) -> bool:
        if spec is not None and spec.pin_hash:
            return await self._hashes.matches(spec.pin_hash, pin) is True
        self._nobody = self._nobody or await asyncio.to_thread(hash_pin, "0" * LONGEST_PIN)
        await self._hashes.matches(self._nobody, pin)
        return False

    def number_of(self, box: str) -> str:
        """See ``Mailboxes``."""
        spec = self.box(box)
        return spec.number if spec is not None else box

    async def shelf(self, box: str, call: CallContext) -> Shelf:
        """See ``Mailboxes``."""
        if self.box(box) is None:
            raise BoxUnavailable(BoxTrouble.UNKNOWN)
        return BoxShelf(self, box, call)

    # For listeners, and for messages that are offered to agents.

    async def make_playable(self, message: StoredMessage) -> Path:
        """Copy a message's sound to where Asterisk reads it. Raises OSError. To be removed with ``drop_playable``."""
        target = self._recordings_dir / f"play-{message.id}-{secrets.token_hex(3)}{ENDING}"
        await asyncio.to_thread(copy_sound, self.store.sound(message), target, _PLAYABLE)
        return target

    @staticmethod
    async def drop_playable(path: Path) -> None:
        """Remove such a copy."""
        with suppress(OSError):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    def left_at(self, message: StoredMessage) -> datetime:
        """When a message was left, by the clock of its box's owner."""
        spec = self.box(message.box)
        at = datetime.fromtimestamp(message.left_at, UTC)
        return at.astimezone(spec.zone if spec is not None else None)

    async def begin_greeting(self, box: str, call: CallContext) -> Draft:
        """Make place for a box's new greeting. Raises RecordingImpossible."""
        facts = facts_of(call, "", self._queue_of)
        try:
            note = await self._drafts.begin(
                Purpose.GREETING, box, facts, longest_s=_LONGEST_GREETING_S, shortest_s=_LONGEST_GREETING_S
            )
        except OSError as error:
            log.error("no greeting can be recorded", box=box, why=str(error))  # noqa: TRY400
            raise RecordingImpossible(str(error)) from error
        return Draft(id=note.id, path=str(self._drafts.base(note)))

    async def set_greeting(self, box: str, draft: Draft | None) -> None:
        """Take a recording for a box's greeting, None: the configured one again. Raises RecordingImpossible."""
        own = self.store.folder / box / f"greeting{ENDING}"
        try:
            if draft is None:
                await asyncio.to_thread(own.unlink, missing_ok=True)
                old = self._greetings.pop(box, None)
            else:
                sound = Path(draft.path + ENDING)
                await asyncio.to_thread(_keep_greeting, sound, own)
                old, self._greetings[box] = (
                    self._greetings.get(box),
                    await asyncio.to_thread(self._publish, box, own),
                )
            if old is not None and old != self._greetings.get(box):
                await self.drop_playable(old)
        except OSError as error:
            log.error("a greeting cannot be kept", box=box, why=str(error))  # noqa: TRY400
            raise RecordingImpossible(str(error)) from error
        if draft is not None:
            await self._end(draft.id)
        log.info("voicemail greeting changed", box=box, recorded=draft is not None)

    def _publish(self, box: str, own: Path) -> Path:
        """Copy a greeting to where Asterisk reads it, under a new name: a caller may be hearing the old one."""
        # Exactly as many letters as the new name has: "sales" is not to take what belongs to "sales-export".
        for stale in self._recordings_dir.glob(f"greeting-{box}-??????{ENDING}"):
            if stale != self._greetings.get(box):
                stale.unlink(missing_ok=True)
        target = self._recordings_dir / f"greeting-{box}-{secrets.token_hex(3)}{ENDING}"
        copy_sound(own, target, _PLAYABLE)
        return target


def _keep_greeting(sound: Path, own: Path) -> None:
    own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy_sound(sound, own, 0o600)

"""`voicemail-access`: listen to a box by phone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ivr.dialling import Dial, DialEnd
from ivr.line import RecordLimits
from ivr.mailboxes import BoxUnavailable, Heard, Login, MessageKind, Shelf
from ivr.nodes.pin import WAITING_MUSIC
from ivr.outcome import End, EndReason, Go, HangUp, Move, NodeId
from ivr.record import StepOutcome
from ivr.recordings import Manner, RecordingImpossible
from ivr.speech import Date, Digits, DigitStyle, Duration, Number, Prompt, Recording, Speech, TimeOfDay
from ivr.taking import TakeEnd, speech_of, take
from ivr.tree import Node
from ivr.visit import Visit

LOGIN_TRIES = 3
"""In one call; how often in all is the box's and the caller's lock-out."""
_SILENT_TRIES = 3
_KEY_TIMEOUT_S = 6.0
_DIGIT_TIMEOUT_S = 8.0
_MOST_DIGITS = 16
_RING_S = 45.0
_SAID = (
    "record-cancelled",
    "record-start",
    "voicemail-and",
    "voicemail-box",
    "voicemail-calling",
    "voicemail-deleted",
    "voicemail-first",
    "voicemail-from",
    "voicemail-from-unknown",
    "voicemail-gone",
    "voicemail-greeting-default",
    "voicemail-greeting-keys",
    "voicemail-greeting-recorded",
    "voicemail-help",
    "voicemail-kept",
    "voicemail-keys",
    "voicemail-keys-empty",
    "voicemail-length",
    "voicemail-locked",
    "voicemail-new",
    "voicemail-new-message",
    "voicemail-new-messages",
    "voicemail-no-callback",
    "voicemail-no-more",
    "voicemail-none",
    "voicemail-not-reached",
    "voicemail-pin",
    "voicemail-received",
    "voicemail-restored",
    "voicemail-saved-message",
    "voicemail-saved-messages",
    "voicemail-saved-one",
    "voicemail-unavailable",
    "voicemail-urgent",
    "voicemail-wrong",
    "voicemail-you-have",
)
_GREETING = Manner(limits=RecordLimits(longest_s=120.0, silence_s=5))


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailAccess(Node):
    """Finds the caller's box, asks for the PIN, and lets the caller listen to it.

    An agent's own phone has the agent's boxes; from anywhere else the box's number and PIN are asked for. With
    `envelope` the moment and the sender are told before each message. Afterwards: `next`, or the call ends; who is not
    let in goes to `on_failure`, or the call ends.
    """

    type: ClassVar[str] = "voicemail-access"
    asks: ClassVar[bool] = True

    envelope: bool = True
    next: NodeId | None = None
    on_failure: NodeId | None = None

    async def step(self, visit: Visit) -> Move:
        """See the class."""
        await visit.answer()
        box = await self._let_in(visit)
        if box:
            try:
                shelf = await visit.tools.mailboxes.shelf(box, visit.call)
            except BoxUnavailable:
                await visit.play((Prompt("voicemail-unavailable"),), barge_in=False)
            else:
                try:
                    await _Listening(visit, shelf, self.id, envelope=self.envelope).run()
                finally:
                    await shelf.close()
                return await _end(visit, self.next, StepOutcome.NEXT)
        return await _end(visit, self.on_failure, StepOutcome.FAILED)

    def targets(self) -> tuple[NodeId, ...]:
        """See `Node.targets`."""
        return tuple(dict.fromkeys(to for to in (self.next, self.on_failure) if to))

    def speech(self) -> tuple[Speech, ...]:
        """See `Node.speech`."""
        return (*(Prompt(name) for name in _SAID), *speech_of(_GREETING))

    # Who is it?

    async def _let_in(self, visit: Visit) -> str:
        """Find the box that this caller may listen to; empty when there is none."""
        boxes = visit.tools.mailboxes
        own = {boxes.number_of(access.box): access for access in boxes.own(visit.call)}
        feedback: tuple[Speech, ...] = ()
        for _ in range(LOGIN_TRIES):
            if len(own) == 1:
                number = next(iter(own))
            else:
                number = await _digits(visit, (*feedback, Prompt("voicemail-box")), visit.read_digit)
                feedback = ()
            access = own.get(number)
            if access is not None and not access.needs_pin:
                return access.box
            pin = await _digits(visit, (*feedback, Prompt("voicemail-pin")), visit.read_secret)
            result, box = await visit.wait_for(boxes.login(number, pin, visit.call), WAITING_MUSIC)
            if result is Login.RIGHT:
                visit.tried("pin-right")
                return box
            visit.tried("locked" if result is Login.LOCKED else "pin-wrong")
            if result is Login.LOCKED:
                await visit.play((Prompt("voicemail-locked"),), barge_in=False)
                return ""
            feedback = (Prompt("voicemail-wrong"),)
        await visit.play(feedback, barge_in=False)
        return ""


async def _end(visit: Visit, to: NodeId | None, why: str) -> Move:
    if to is not None:
        return Go(to, why)
    await visit.play((Prompt("goodbye"),), barge_in=False)
    return End(HangUp(reason=EndReason.END_OF_TREE), why)


async def _digits(visit: Visit, speech: tuple[Speech, ...], read: Callable[[float], Awaitable[str]]) -> str:
    """Read digits up to hash, or a pause. `read` is how the visit reads one: into its record, or as a secret."""
    await visit.play(speech, barge_in=True)
    digits = ""
    while len(digits) < _MOST_DIGITS:
        key = await read(_DIGIT_TIMEOUT_S)
        if key in ("", "#"):
            break
        digits += key
    return digits


class _Listening:
    """One listener at one box."""

    def __init__(self, visit: Visit, shelf: Shelf, node: NodeId, *, envelope: bool) -> None:
        self._visit = visit
        self._shelf = shelf
        self._node = node
        self._envelope = envelope
        self._order: list[str] = []
        self._at = 0
        self._message: Heard | None = None
        self._keys: Mapping[str, Callable[[], Coroutine[Any, Any, tuple[Speech, ...] | None]]] = {
            "3": self._details,
            "4": self._previous,
            "5": self._repeat,
            "6": self._next,
            "7": self._delete,
            "8": self._call_back,
            "9": self._save,
            "0": self._greeting,
            "*": self._help,
        }

    async def run(self) -> None:
        """Tell what is there, then play and follow the keys until the hash key, or silence."""
        self._order = list(await self._shelf.messages())
        feedback: tuple[Speech, ...] | None = self._summary()
        if self._order:
            await self._visit.play(feedback or (), barge_in=True)
            feedback = None
        silent = 0
        while silent < _SILENT_TRIES:
            if feedback is None:
                feedback = await self._play()
            await self._visit.play((*feedback, *self._choices()), barge_in=True)
            key = await self._visit.read_digit(_KEY_TIMEOUT_S)
            if key == "#":
                return
            action = self._keys.get(key)
            if action is None:
                silent = 0 if key else silent + 1
                feedback = (Prompt("not-valid"),) if key else ()
                continue
            silent = 0
            feedback = await action()

    def _summary(self) -> tuple[Speech, ...]:
        new, saved = self._shelf.new, self._shelf.saved
        if not new and not saved:
            return (Prompt("voicemail-none"),)
        parts: tuple[Speech, ...] = (Prompt("voicemail-you-have"),)
        if new:
            parts += (Number(new), Prompt("voicemail-new-message" if new == 1 else "voicemail-new-messages"))
        if new and saved:
            parts += (Prompt("voicemail-and"),)
        if saved:
            parts += (Number(saved), Prompt("voicemail-saved-message" if saved == 1 else "voicemail-saved-messages"))
        return parts

    def _choices(self) -> tuple[Speech, ...]:
        return (Prompt("voicemail-keys" if self._message is not None else "voicemail-keys-empty"),)

    async def _play(self) -> tuple[Speech, ...]:
        """Play the message at hand; returns what is to be said instead when there is none."""
        self._message = await self._shelf.take(self._order[self._at]) if self._order else None
        message = self._message
        if message is None:
            return (Prompt("voicemail-gone"),) if self._order else (Prompt("voicemail-none"),)
        kind = "voicemail-new" if message.kind is MessageKind.NEW else "voicemail-saved-one"
        intro: tuple[Speech, ...] = (Prompt("voicemail-urgent"),) if message.urgent else ()
        intro += (Prompt(kind), Number(self._at + 1))
        if self._envelope:
            intro += _envelope(message)
        # Who presses a key before the sound has begun has not heard it: the message stays new.
        if not await self._visit.play(intro, barge_in=True):
            await self._visit.play((Recording(message.path, message.seconds),), barge_in=True)
            await self._shelf.heard(message.id)
            self._visit.tried("heard")
        return ()

    # The keys.

    async def _repeat(self) -> None:
        return None

    async def _help(self) -> tuple[Speech, ...]:
        return (Prompt("voicemail-help"),)

    async def _details(self) -> tuple[Speech, ...]:
        return _envelope(self._message, whole=True) if self._message is not None else ()

    async def _previous(self) -> tuple[Speech, ...] | None:
        if self._at == 0:
            return (Prompt("voicemail-first"),)
        self._at -= 1
        return None

    async def _next(self) -> tuple[Speech, ...] | None:
        if self._at + 1 < len(self._order):
            self._at += 1
            return None
        # Left while the listener was listening.
        newer = [message for message in await self._shelf.messages() if message not in self._order]
        if not newer:
            return (Prompt("voicemail-no-more"),)
        self._at = len(self._order)
        self._order += newer
        return None

    async def _delete(self) -> tuple[Speech, ...]:
        if self._message is None:
            return (Prompt("not-valid"),)
        undo = self._shelf.is_deleted(self._message.id)
        self._shelf.delete(self._message.id, undo=undo)
        self._visit.tried("undeleted" if undo else "deleted")
        return (Prompt("voicemail-restored" if undo else "voicemail-deleted"),)

    async def _save(self) -> tuple[Speech, ...]:
        if self._message is None:
            return (Prompt("not-valid"),)
        self._shelf.delete(self._message.id, undo=True)
        await self._shelf.heard(self._message.id)
        self._visit.tried("saved")
        return (Prompt("voicemail-kept"),)

    async def _call_back(self) -> tuple[Speech, ...]:
        message = self._message
        if message is None or not message.caller:
            return (Prompt("voicemail-no-callback"),)
        visit = self._visit
        device = visit.tools.exchange.number(message.caller)
        if not device:
            visit.tried("not-called-back")
            return (Prompt("voicemail-no-callback"),)
        await visit.play((Prompt("voicemail-calling"),), barge_in=False)
        dialled = await visit.dial(Dial(device=device, ring_s=_RING_S, node=self._node, then=self._node))
        visit.tried(f"called-back-{dialled.end}")
        return () if dialled.end is DialEnd.ANSWERED else (Prompt("voicemail-not-reached"),)

    async def _greeting(self) -> tuple[Speech, ...]:
        visit, shelf = self._visit, self._shelf
        await visit.play((Prompt("voicemail-greeting-keys"),), barge_in=True)
        key = await visit.read_digit(_KEY_TIMEOUT_S)
        try:
            if key == "1":
                await visit.play(shelf.greeting_speech(), barge_in=True)
            elif key == "2":
                return await self._record_greeting()
            elif key == "3":
                await shelf.use_greeting(None)
                visit.tried("greeting-default")
                return (Prompt("voicemail-greeting-default"),)
        except RecordingImpossible:
            return (Prompt("voicemail-unavailable"),)
        return ()

    async def _record_greeting(self) -> tuple[Speech, ...]:
        visit, shelf = self._visit, self._shelf
        draft = await shelf.greeting()
        kept = False
        try:
            await visit.play((Prompt("record-start"),), barge_in=False)
            taken = await take(visit, draft, _GREETING)
            # A listener who hangs up in the middle has not said that it is good.
            kept = taken.end is TakeEnd.KEPT and not taken.hung_up
            if kept:
                await shelf.use_greeting(draft)
        finally:
            if not kept:
                await shelf.drop_greeting(draft)
        if not kept:
            return (Prompt("record-cancelled"),)
        visit.tried("greeting-recorded")
        return (Prompt("voicemail-greeting-recorded"),)


def _envelope(message: Heard, *, whole: bool = False) -> tuple[Speech, ...]:
    """When it was left and by whom; with `whole` also the year's day and how long it is."""
    at = message.left_at
    parts: tuple[Speech, ...] = (Prompt("voicemail-received"), Date(at.date(), weekday=whole, year=whole))
    parts += (TimeOfDay(at.hour, at.minute),)
    if message.caller:
        parts += (Prompt("voicemail-from"), Digits(message.caller, DigitStyle.PHONE))
    else:
        parts += (Prompt("voicemail-from-unknown"),)
    if whole:
        parts += (Prompt("voicemail-length"), Duration(max(1, round(message.seconds))))
    return parts

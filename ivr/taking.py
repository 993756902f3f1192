"""The dialogue of recording: speak, listen to it, speak again, keep it or not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ivr.line import LineHungUp, RecordEnd
from ivr.recordings import Draft, Manner
from ivr.speech import Prompt, Recording, Speech
from ivr.visit import KeyPressed, Visit

__all__ = ["OWN_KEYS", "Take", "TakeEnd", "skip_key", "speech_of", "take", "take_after"]

MOST_TAKES = 10
"""So often at most a caller records again in one visit."""
MOST_TOO_SHORT = 3
"""So many recordings in a row that are too short."""
_REVIEW_TIMEOUT_S = 5.0
_REVIEW_TRIES = 3
"""Who has recorded and then presses nothing, or nothing valid, so often means it to be kept."""

SEND, LISTEN, AGAIN, URGENT, CANCEL = "1", "2", "3", "4", "*"
OWN_KEYS = "1234*#"
"""Keys with a meaning of their own here, and those next to them: pressed by mistake, they must lead nowhere else."""


class TakeEnd(StrEnum):
    """What a recording came to."""

    KEPT = "recorded"
    TOO_SHORT = "too-short"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Take:
    """See `take`. `hung_up`: the caller has gone meanwhile; the sound counts all the same."""

    end: TakeEnd
    seconds: float = 0.0
    urgent: bool = False
    hung_up: bool = False
    pressed: KeyPressed | None = None
    """A key that leads elsewhere, pressed when all was said."""

    def go_on(self) -> None:
        """Let the caller's hang-up or key have its effect, once the sound has been taken care of.

        Raises:
            LineHungUp, KeyPressed: that is so.
        """
        if self.hung_up:
            raise LineHungUp("the caller hung up while recording")
        if self.pressed is not None:
            raise self.pressed


class Keeper(Protocol):
    """What becomes of a draft whose caller has gone, or leads elsewhere (`Recordings`, `Mailboxes`)."""

    async def discard(self, draft: Draft) -> None:
        """It is not wanted."""
        ...

    def leave(self, draft: Draft) -> None:
        """The line was lost while the recording goes on: it will be found later."""
        ...


async def take_after(visit: Visit, draft: Draft, manner: Manner, prompts: Sequence[Speech], keeper: Keeper) -> Take:
    """`take` after some prompts, unless something was said already; what ends it early is told to the keeper.

    Raises:
        LineHungUp, KeyPressed: as `take` does.
    """
    try:
        if not draft.seconds:
            await skip_key(visit, prompts)
        return await take(visit, draft, manner)
    except LineHungUp:
        keeper.leave(draft)
        raise
    except KeyPressed:
        await keeper.discard(draft)
        raise


async def take(visit: Visit, draft: Draft, manner: Manner) -> Take:
    """Record into `draft`, again where it was too short, and let the caller review it.

    Raises:
        LineHungUp: the line was lost while it records: how it ends is not known yet.
        KeyPressed: a key that leads elsewhere, pressed before anything was said.
    """
    seconds, too_short = draft.seconds, 0
    for _ in range(MOST_TAKES):
        if seconds < manner.shortest_s:
            recorded = await visit.record(draft.path, manner.limits)
            if recorded.end is RecordEnd.FAILED:
                return Take(TakeEnd.FAILED)
            seconds = recorded.seconds
            enough = seconds - recorded.silence_s >= manner.shortest_s
            if recorded.end is RecordEnd.HUNG_UP:
                return Take(TakeEnd.KEPT if enough else TakeEnd.TOO_SHORT, seconds, hung_up=True)
            if not enough:
                seconds, too_short = 0.0, too_short + 1
                visit.tried(TakeEnd.TOO_SHORT)
                if too_short == MOST_TOO_SHORT:
                    break
                await visit.play(_said(manner, "record-too-short"), barge_in=False)
                continue
        if not manner.review:
            return Take(TakeEnd.KEPT, seconds)
        reviewed = await _review(visit, draft, manner, seconds)
        if reviewed is not None:
            return reviewed
        seconds = 0.0
        await visit.play(_said(manner, "record-again"), barge_in=False)
    return Take(TakeEnd.TOO_SHORT, seconds)


async def _review(visit: Visit, draft: Draft, manner: Manner, seconds: float) -> Take | None:
    """Let the caller decide what becomes of the recording; None: it is to be made again."""
    urgent, tries = False, 0
    choices = _said(manner, "record-review") + (_said(manner, "record-review-urgent") if manner.urgent else ())
    feedback: tuple[Speech, ...] = ()
    try:
        while tries < _REVIEW_TRIES:
            await visit.play((*feedback, *choices), barge_in=True)
            key = await visit.read_digit(_REVIEW_TIMEOUT_S)
            feedback = ()
            if key in (SEND, "#"):
                break
            if key == LISTEN:
                feedback = (Recording(draft.path, seconds),)
                tries = 0
            elif key == AGAIN:
                visit.tried("again")
                return None
            elif key == CANCEL:
                return Take(TakeEnd.CANCELLED, seconds)
            elif key == URGENT and manner.urgent:
                urgent = not urgent
                feedback = _said(manner, "record-urgent" if urgent else "record-not-urgent")
                tries = 0
            else:
                tries += 1
                feedback = (Prompt("not-valid"),) if key else ()
    except LineHungUp:
        return Take(TakeEnd.KEPT, seconds, urgent, hung_up=True)
    except KeyPressed as pressed:
        return Take(TakeEnd.KEPT, seconds, urgent, pressed=pressed)
    return Take(TakeEnd.KEPT, seconds, urgent)


def speech_of(manner: Manner) -> tuple[Speech, ...]:
    """Everything that may be said while recording in this manner."""
    names = ["record-too-short"]
    names += ["record-review", "record-again"] if manner.review else []
    names += ["record-review-urgent", "record-urgent", "record-not-urgent"] if manner.review and manner.urgent else []
    return tuple(part for name in names for part in _said(manner, name))


def _said(manner: Manner, name: str) -> tuple[Speech, ...]:
    return manner.said.get(name, (Prompt(name),))


async def skip_key(visit: Visit, speech: Sequence[Speech]) -> None:
    """Say something that any key skips; the key means nothing else."""
    if await visit.play(speech, barge_in=True):
        with suppress(LineHungUp):  # told again by whatever follows
            await visit.read_digit(0.0)

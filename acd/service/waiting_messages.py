"""What a waiting caller is told, in parts of speech; the texts are default prompts, which a site may replace."""

from __future__ import annotations

from collections.abc import Iterable

from acd.core.commands import Announce
from acd.core.specs import QueueSpec, WaitingMessageKind
from ivr.speech import Number, Prompt, Speech

__all__ = ["numbers_said", "speech_of"]

_MOST_PREPARED = 30
"""Places and minutes up to this are made when the site's prompts are; greater ones when first said."""


def speech_of(announcement: Announce) -> tuple[Speech, ...]:
    """Say what the engine wants said; nothing while an estimated wait is not known."""
    prompt: tuple[Speech, ...] = (Prompt(announcement.prompt),) if announcement.prompt else ()
    match announcement.kind:
        case WaitingMessageKind.POSITION:
            place = (Prompt("queue-position"), Number(announcement.position), Prompt("queue-position-end"))
            return (*prompt, *place)
        case WaitingMessageKind.ESTIMATED_WAIT:
            return (*prompt, *_wait(announcement.estimated_wait_s))
        case WaitingMessageKind.PROMPT:
            return prompt


def numbers_said(queues: Iterable[QueueSpec]) -> tuple[Speech, ...]:
    """Return the numbers that queues' messages are likely to say, to be prepared."""
    kinds = {message.kind for queue in queues for message in queue.messages}
    if kinds & {WaitingMessageKind.POSITION, WaitingMessageKind.ESTIMATED_WAIT}:
        return tuple(Number(number) for number in range(1, _MOST_PREPARED + 1))
    return ()


def _wait(seconds: float | None) -> tuple[Speech, ...]:
    if seconds is None:
        return ()
    if seconds < 60:
        return (Prompt("estimated-wait-short"),)
    minutes = round(seconds / 60)
    unit = "estimated-wait-minute" if minutes == 1 else "estimated-wait-minutes"
    return (Prompt("estimated-wait"), Number(minutes), Prompt(unit))

"""What is said to those who wait."""

from __future__ import annotations

import pytest

from acd.core.commands import Announce
from acd.core.specs import QueueSpec, WaitingMessage, WaitingMessageKind
from acd.service.prompts.defaults import DEFAULT_TEXTS
from acd.service.waiting_messages import numbers_said, speech_of
from ivr.speech import Number, Prompt, Speech


def announcement(kind: WaitingMessageKind, wait_s: float | None = None, prompt: str = "") -> Announce:
    return Announce(1, "c1", kind, 3, wait_s, prompt)


def test_the_place() -> None:
    said = speech_of(announcement(WaitingMessageKind.POSITION))
    assert said == (Prompt("queue-position"), Number(3), Prompt("queue-position-end"))


@pytest.mark.parametrize(
    ("wait_s", "said"),
    [
        (None, ()),
        (0.0, (Prompt("estimated-wait-short"),)),
        (59.9, (Prompt("estimated-wait-short"),)),
        (60.0, (Prompt("estimated-wait"), Number(1), Prompt("estimated-wait-minute"))),
        (200.0, (Prompt("estimated-wait"), Number(3), Prompt("estimated-wait-minutes"))),
    ],
)
def test_the_estimated_wait(wait_s: float | None, said: tuple[Speech, ...]) -> None:
    assert speech_of(announcement(WaitingMessageKind.ESTIMATED_WAIT, wait_s)) == said


def test_a_prompt_of_the_site() -> None:
    assert speech_of(announcement(WaitingMessageKind.PROMPT, prompt="please-hold")) == (Prompt("please-hold"),)


def test_every_prompt_said_has_a_default_in_every_language() -> None:
    for kind, wait_s in (
        (WaitingMessageKind.POSITION, None),
        *((WaitingMessageKind.ESTIMATED_WAIT, s) for s in (1, 60, 99)),
    ):
        for part in speech_of(announcement(kind, wait_s)):
            if isinstance(part, Prompt):
                assert set(DEFAULT_TEXTS[part.name]) == {"en", "zh"}


def test_numbers_are_prepared_where_they_are_said() -> None:
    assert numbers_said([QueueSpec("plain")]) == ()
    position = WaitingMessage(WaitingMessageKind.POSITION, 1.0)
    assert Number(7) in numbers_said([QueueSpec("plain"), QueueSpec("cards", messages=(position,))])

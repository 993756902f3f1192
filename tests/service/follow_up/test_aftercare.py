"""What voicemail and callbacks tell, as happenings of rules."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from acd.service.callbacks.entries import Callback
from acd.service.follow_up.aftercare import Aftercare, AftercareTools
from acd.service.follow_up.rules import FollowUpRule, Note
from acd.service.messages import Message, OutgoingHook
from acd.service.voicemail.message import CallFacts, MessageState, StoredMessage

NOW = 1.8e9
TEXT = {"text": "{call.caller} {call.queue} {data.topic} {voicemail.box} {voicemail.seconds} {call.waited_s}"}
RULES = tuple(
    FollowUpRule(name=event, event=event, note=Note(target="crm", event=event, data=TEXT))
    for event in ("voicemail", "callback-given-up")
)


class Sent:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def post(self, message: Message) -> bool:
        self.messages.append(message)
        return True

    async def texts(self) -> list[Any]:
        for _ in range(5):
            await asyncio.sleep(0)
        return [message.data["text"] for message in self.messages if isinstance(message, OutgoingHook)]


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def aftercare(tmp_path: Path, sent: Sent) -> Aftercare:
    tools = AftercareTools(
        surveys_keep_days=lambda: 400,
        context_of=lambda _: None,
        rules=lambda: RULES,
        post=sent.post,
        wall=lambda: NOW,
        now=lambda: 0.0,
        uniform=lambda least, _: least,
    )
    return Aftercare(tmp_path, CollectorRegistry(), tools)


MESSAGE = StoredMessage(
    id="m1",
    box="cards",
    left_at=NOW - 10,
    seconds=12.4,
    size_bytes=1,
    call=CallFacts(call_id="c1", caller="+861", queue="cards", data={"topic": "card"}),
)


async def test_a_message_is_told_of_once(aftercare: Aftercare, sent: Sent) -> None:
    aftercare.voicemail_changed(MESSAGE)
    aftercare.voicemail_changed(replace(MESSAGE, handed_over=True))
    aftercare.voicemail_changed(replace(MESSAGE, id="m2", state=MessageState.SAVED))
    aftercare.voicemail_changed(replace(MESSAGE, id="m3", left_at=NOW - 2 * 24 * 3600))
    assert await sent.texts() == ["+861 cards card cards 12 0"]


@pytest.mark.parametrize(
    ("result", "told"), [("expired", 1), ("unreached", 1), ("no-queue", 1), ("reached", 0), ("cancelled", 0)]
)
async def test_a_callback_given_up(aftercare: Aftercare, sent: Sent, result: str, told: int) -> None:
    entry = Callback(id="b1", number="+862", queue="cards", entered_at=NOW - 90, data={"topic": "loan"})
    aftercare.callback_ended(entry, result)
    assert await sent.texts() == ["+862 cards loan   90"] * told

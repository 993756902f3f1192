from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from acd.service.messages import Message, OutgoingHook, OutgoingMail
from acd.service.voicemail.notices import Notices
from tests.service.voicemail.desks import Desk, call, spec, with_boxes
from tests.service.voicemail.sounds import record


class Outbox:
    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.fails = False

    def put(self, message: Message) -> bool:
        if self.fails:
            raise OSError(28, "no space left on device")
        known = message.id in [taken.id for taken in self.taken]
        if not known:
            self.taken.append(message)
        return not known


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    boxes = with_boxes(spec(email=("a@example.com", "b@example.com"), webhook="sms"), spec("silent", number="502"))
    return Desk(tmp_path, boxes)


@asynccontextmanager
async def notices(desk: Desk, outbox: Outbox) -> AsyncIterator[Notices]:
    found = Notices(desk.store, desk.desk.box, desk.desk.left_at, outbox.put)
    task = asyncio.create_task(found.run())
    await asyncio.sleep(0)
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def handed_over(desk: Desk, message_id: str) -> None:
    async with asyncio.timeout(5):
        while not (message := desk.store.get(message_id)) or not message.handed_over:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_each_address_and_the_webhook_are_told_once(desk: Desk) -> None:
    outbox = Outbox()
    async with notices(desk, outbox):
        message_id = await desk.leave(65.0, urgent=True)
        await handed_over(desk, message_id)
    mails = [message for message in outbox.taken if isinstance(message, OutgoingMail)]
    (hook,) = [message for message in outbox.taken if isinstance(message, OutgoingHook)]
    assert [mail.to for mail in mails] == ["a@example.com", "b@example.com"]
    assert mails[0].subject == "Urgent: Voicemail for Cards from +49301"
    assert "Length:   1:05" in mails[0].text
    assert "topic: card" in mails[0].text
    assert mails[0].attachments[0].path == desk.store.sound(desk.store.get(message_id))  # type: ignore[arg-type]
    assert (hook.target, hook.event, hook.data["message"]) == ("sms", "voicemail", message_id)
    assert len({message.id for message in outbox.taken}) == 3


async def test_call_data_are_a_line_each_in_the_mail(desk: Desk) -> None:
    outbox = Outbox()
    draft = await desk.desk.open("cards", call(data={"address": "Main Street 1\r\nFrom:     The boss"}), "main.leave")
    record(draft.path, 5.0)
    async with notices(desk, outbox):
        await desk.desk.deliver(draft, urgent=False, hung_up=False)
        await handed_over(desk, draft.id)
    assert isinstance(outbox.taken[0], OutgoingMail)
    assert outbox.taken[0].text.splitlines()[-1] == "address: Main Street 1  From:     The boss"


async def test_what_a_process_before_has_not_handed_over(desk: Desk) -> None:
    message_id = await desk.leave()
    desk.open()
    outbox = Outbox()
    async with notices(desk, outbox):
        await handed_over(desk, message_id)
    assert len(outbox.taken) == 3
    desk.open()
    async with notices(desk, outbox):
        await asyncio.sleep(0.05)
    assert len(outbox.taken) == 3, "nothing twice"


async def test_a_spool_that_takes_nothing_now(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acd.service.voicemail.notices._RETRY_S", 0.05)
    outbox = Outbox()
    outbox.fails = True
    async with notices(desk, outbox):
        message_id = await desk.leave()
        await asyncio.sleep(0.1)
        assert outbox.taken == []
        outbox.fails = False
        await handed_over(desk, message_id)
    assert len(outbox.taken) == 3


async def test_a_box_that_tells_nobody(desk: Desk) -> None:
    outbox = Outbox()
    async with notices(desk, outbox):
        await handed_over(desk, await desk.leave(box="silent"))
    assert outbox.taken == []


async def test_a_box_that_a_reload_took_away_is_told_of_when_it_is_back(desk: Desk) -> None:
    outbox = Outbox()
    boxes = desk.boxes
    draft = await desk.desk.open("cards", call(), "main.leave")
    record(draft.path, 5.0)
    desk.boxes = with_boxes(spec("silent", number="502"))
    async with notices(desk, outbox) as found:
        await desk.desk.deliver(draft, urgent=False, hung_up=False)
        await handed_over(desk, await desk.leave(box="silent"))  # looked at after the other
        assert outbox.taken == []
        desk.boxes = boxes
        found.look()
        await handed_over(desk, draft.id)
    assert len(outbox.taken) == 3

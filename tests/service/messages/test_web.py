"""What the web port is told of the outbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.service.messages import OutgoingMail, SpoolLimits
from acd.service.messages.failures import DestinationDown, PermanentFailure
from acd.service.messages.outbox import Outbox, Senders
from acd.service.messages.web import OutboxWeb
from acd.web.messages import NotSent
from tests.service.messages.servers import until
from tests.service.messages.test_outbox import Sender, hook, running


async def test_what_waits_and_what_was_given_up(tmp_path: Path) -> None:
    mails = Sender(lambda _: PermanentFailure("550 no\r\n\x1b[2Jsuch box"))
    box = Outbox(
        tmp_path, Senders(mails, Sender(lambda _: DestinationDown("webhook crm answered 503"))), wall=lambda: 1e9
    )
    web = OutboxWeb(box)
    async with running(box):
        await box.post(OutgoingMail(id="m-1", to="a@example.net", subject="From \x1b[31mEve\r\nx", text="t"))
        for number in range(3):
            await box.post(hook(str(number)))
        await until(lambda: box.waiting == 3 and box.backlogs()[0].last_failure)
    assert web.waiting() == [
        {
            "kind": "hook",
            "to": "crm",
            "messages": 3,
            "oldest": "2001-09-09T01:46:40Z",
            "last_failure": "webhook crm answered 503",
        }
    ]
    (letter,) = await web.dead()
    assert letter == {
        "id": "m-1",
        "kind": "mail",
        "to": "a@example.net",
        "about": "From  [31mEve  x",
        "handed_in": "2001-09-09T01:46:40Z",
        "given_up": "2001-09-09T01:46:40Z",
        "why": "550 no   [2Jsuch box",
        "size_bytes": letter["size_bytes"],
    }


async def test_sent_again_it_is_delivered_and_counts_no_more(tmp_path: Path) -> None:
    sender = Sender(lambda _: PermanentFailure("webhook crm answered 404"))
    box = Outbox(tmp_path, Senders(sender, sender))
    web = OutboxWeb(box)
    async with running(box):
        await box.post(hook())
        await until(lambda: box.waiting == 0)
        assert await web.send_again("h-1")
        await until(lambda: sender.tries["h-1"] == 2 and box.waiting == 0)
        assert len(await web.dead()) == 1, "given up again"
        sender.fail = lambda _: None
        assert await web.send_again("h-1")
        await until(lambda: sender.taken)
        await until(lambda: box.waiting == 0)
        assert not await web.send_again("h-1")
        assert not await web.dead()


async def test_no_room_to_wait_again(tmp_path: Path) -> None:
    sender = Sender(lambda _: PermanentFailure("no"))
    box = Outbox(tmp_path, Senders(sender, sender), SpoolLimits(messages=1))
    async with running(box):
        await box.post(hook())
        await until(lambda: box.waiting == 0)
        sender.fail = lambda _: DestinationDown("down")
        await box.post(hook("h-2"))
        with pytest.raises(NotSent, match="1 messages wait"):
            await OutboxWeb(box).send_again("h-1")
        assert await OutboxWeb(box).drop("h-1")
        assert not await OutboxWeb(box).drop("h-1")

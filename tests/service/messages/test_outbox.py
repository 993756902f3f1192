"""From handing in to delivery: servers that are down, refuse, or come back; processes that are killed on the way."""

from __future__ import annotations

import asyncio
import errno
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from acd.service.messages import BackOff, Outbox, OutgoingHook, OutgoingMail, SpoolLimits
from acd.service.messages import spool as spools
from acd.service.messages.failures import DestinationDown, PermanentFailure, TemporaryFailure
from acd.service.messages.mail import MailSender, MailSettings
from acd.service.messages.outbox import Senders
from tests.service.messages.servers import MailBox, mail_server, until

QUICK = BackOff(0.01, 0.05)


@dataclass
class Sender:
    """Takes what it is given, unless told to fail: ``fail`` gives the failure of a message's next try."""

    fail: Callable[[str], Exception | None] = lambda _: None
    taken: list[str] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    delay_s: float = 0.0

    async def send(self, message: OutgoingHook | OutgoingMail, created: float) -> None:
        self.tries[message.id] += 1
        failure = self.fail(message.id)
        if failure is not None:
            raise failure
        await asyncio.sleep(self.delay_s)
        self.taken.append(message.id)


def hook(message_id: str = "h-1", target: str = "crm") -> OutgoingHook:
    return OutgoingHook(id=message_id, target=target, event="call-ended")


def mail(message_id: str = "m-1") -> OutgoingMail:
    return OutgoingMail(id=message_id, to="a@example.net", subject=message_id, text="t")


def outbox(folder: Path, sender: Any, **more: Any) -> Outbox:
    return Outbox(folder, Senders(sender, sender), **{"back_off": QUICK, **more})


@asynccontextmanager
async def running(box: Outbox) -> AsyncIterator[Outbox]:
    task = asyncio.create_task(box.run())
    try:
        yield box
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def counts(box: Outbox) -> dict[tuple[str, str], float]:
    return {
        (sample.labels["kind"], sample.labels["outcome"]): sample.value
        for metric in box.metrics()
        for sample in metric.samples
        if sample.name == "acd_messages_total"
    }


async def test_handed_in_before_and_while_it_runs(tmp_path: Path) -> None:
    sender = Sender()
    box = outbox(tmp_path, sender)
    assert await box.post(hook("before"))
    async with running(box):
        assert await box.post(mail("while"))
        assert not await box.post(mail("while"))
        await until(lambda: box.waiting == 0)
        assert not await box.post(hook("before"))
    assert sorted(sender.taken) == ["before", "while"]
    assert counts(box) == {("hook", "sent"): 1, ("hook", "known"): 1, ("mail", "sent"): 1, ("mail", "known"): 1}


async def test_what_was_not_delivered_is_after_a_restart(tmp_path: Path) -> None:
    down = Sender(lambda _: DestinationDown("down"))
    async with running(outbox(tmp_path, down)) as box:
        for number in range(20):
            await box.post(hook(str(number)))
        await until(lambda: down.tries.total() > 2)
    up = Sender()
    async with running(outbox(tmp_path, up)) as box:
        await until(lambda: len(up.taken) == 20 and box.waiting == 0)
    assert up.tries == Counter(map(str, range(20)))


async def test_a_destination_that_is_down_is_not_asked_by_each_message(tmp_path: Path) -> None:
    sender = Sender(lambda _: DestinationDown("down"))
    async with running(outbox(tmp_path, sender, back_off=BackOff(0.2, 60.0), uniform=lambda _, most: most)) as box:
        for number in range(50):
            await box.post(hook(str(number)))
        # Waits of 0.2, 0.4 and 0.8 s: four rounds with at most four messages each.
        await asyncio.sleep(1.0)
        assert 1 <= sender.tries.total() <= 16
        sender.fail = lambda _: None
        await until(lambda: box.waiting == 0)
    assert Counter(sender.taken) == Counter(map(str, range(50)))


async def test_one_destination_down_holds_up_no_other(tmp_path: Path) -> None:
    hooks, mails = Sender(lambda _: DestinationDown("down")), Sender()
    box = Outbox(tmp_path, Senders(mails, hooks), back_off=BackOff(60.0, 60.0))
    async with running(box):
        await box.post(hook())
        await until(lambda: hooks.tries)
        await box.post(mail())
        await until(lambda: mails.taken)
        assert box.waiting == 1


async def test_a_message_refused_for_now_is_tried_again_alone(tmp_path: Path) -> None:
    sender = Sender(lambda name: TemporaryFailure("later") if name == "odd" and sender.tries[name] < 4 else None)
    async with running(outbox(tmp_path, sender)) as box:
        await box.post(hook("odd"))
        await box.post(hook("even"))
        await until(lambda: box.waiting == 0)
    assert sender.taken == ["even", "odd"] or sender.taken == ["odd", "even"]
    assert sender.tries == {"odd": 4, "even": 1}
    assert counts(box)["hook", "retried"] == 3


async def test_refused_for_good_or_too_old_it_is_dead(tmp_path: Path) -> None:
    now = [1e9]
    sender = Sender(lambda name: PermanentFailure("550 no") if name == "no" else DestinationDown("down"))
    box = outbox(tmp_path, sender, limits=SpoolLimits(age_s=60.0), wall=lambda: now[0])
    async with running(box):
        await box.post(hook("no"))
        await box.post(hook("old"))
        await until(lambda: sender.tries["old"])
        assert sender.tries["no"] == 1
        now[0] += 61
        await until(lambda: box.waiting == 0)
    assert sorted(path.name for path in (tmp_path / "dead").iterdir()) == ["no.json", "old.json"]
    assert counts(box)["hook", "dead"] == 2


async def test_without_a_mail_server_a_mail_is_dead_and_not_lost(tmp_path: Path) -> None:
    async with running(Outbox(tmp_path, Senders(None, Sender()))) as box:
        await box.post(mail())
        await until(lambda: box.waiting == 0)
    assert b"no mail server" in (tmp_path / "dead" / "m-1.json").read_bytes()


async def test_a_disk_that_takes_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    box = outbox(tmp_path, Sender())
    async with running(box):
        with monkeypatch.context() as patch:
            patch.setattr(spools, "write_atomically", full)
            assert not await box.post(hook())
            with pytest.raises(OSError, match="No space"):
                await asyncio.to_thread(box.put, hook())
        assert counts(box) == {("hook", "refused"): 2}
        assert await box.post(hook())
        await until(lambda: box.waiting == 0)


async def test_at_the_end_what_is_under_way_is_ended(tmp_path: Path) -> None:
    sender = Sender(delay_s=0.2)
    async with running(outbox(tmp_path, sender)) as box:
        await box.post(hook())
        await until(lambda: sender.tries)
    assert sender.taken == ["h-1"]
    assert outbox(tmp_path, sender).put(hook()) is False


async def test_mail_server_down_for_seconds_nothing_lost_nothing_twice(tmp_path: Path) -> None:
    got = MailBox()
    async with mail_server(got) as port:
        pass  # its port is known now, and nobody listens there
    settings = MailSettings(host="127.0.0.1", port=port, tls="none", sender="acd@example.net", timeout_s=5.0)
    async with running(outbox(tmp_path, MailSender(settings), back_off=BackOff(0.2, 0.5))) as box:
        for number in range(30):
            await box.post(mail(f"m-{number}"))
        await asyncio.sleep(3.0)  # the time that the server is down
        assert box.waiting == 30
        async with mail_server(got, port=port):
            await until(lambda: len(got.mails) >= 10)
        async with mail_server(got, port=port):
            await until(lambda: box.waiting == 0)
    assert Counter(str(one["Subject"]) for one in got.mails) == Counter(f"m-{number}" for number in range(30))
    assert counts(box)["mail", "sent"] == 30


@asynccontextmanager
async def spool_user(folder: Path, port: int, count: int, sound: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.service.messages.spool_user", str(folder), str(port), str(count), str(sound)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while b"taken" not in (line := await process.stdout.readline()):
                assert line, "the process ended"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.communicate(), 10)


async def test_killed_with_mails_waiting(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(bytes(5000))
    got = MailBox()
    async with mail_server(got) as port:
        pass
    async with spool_user(tmp_path / "spool", port, 12, sound) as process:
        process.kill()
        await process.wait()
    async with mail_server(got, port=port), spool_user(tmp_path / "spool", port, 12, sound):
        await until(lambda: len(got.mails) >= 12)
        await until(lambda: not list((tmp_path / "spool" / "waiting").iterdir()))
    assert Counter(str(one["Subject"]) for one in got.mails) == Counter(f"mail {number}" for number in range(12))
    assert all(len(list(one.iter_attachments())) == 1 for one in got.mails)


async def test_killed_between_the_servers_yes_and_its_arrival(tmp_path: Path) -> None:
    """The one moment in which nobody can tell: the mail comes twice, and both have one Message-ID."""
    sound = tmp_path / "sound.wav"
    sound.write_bytes(bytes(5000))
    got = MailBox()
    async with mail_server(got) as port:
        async with spool_user(tmp_path / "spool", port, 1, sound) as process:
            got.before_reply = process.kill
            await process.wait()
        got.before_reply = lambda: None
        assert len(got.mails) == 1
        async with spool_user(tmp_path / "spool", port, 1, sound):
            await until(lambda: not list((tmp_path / "spool" / "waiting").iterdir()))
    assert len(got.mails) == 2
    assert got.mails[0]["Message-ID"] == got.mails[1]["Message-ID"]
    assert (
        got.raw[0].split(b"\r\n\r\n")[0].split(b"boundary")[0] == got.raw[1].split(b"\r\n\r\n")[0].split(b"boundary")[0]
    )

"""``acd messages`` against a server with an outbox on a real disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from acd.cli import main
from acd.service.messages import OutgoingMail
from acd.service.messages.failures import DestinationDown, PermanentFailure
from acd.service.messages.outbox import Outbox, Senders
from acd.service.messages.web import OutboxWeb
from acd.web.messages import add_routes
from acd.web.problems import problems_middleware
from tests.service.messages.servers import until
from tests.service.messages.test_outbox import Sender, hook, running
from tests.service.sites import write_site

Asked = Callable[..., Awaitable[tuple[int, str, str]]]
NO_BOX = "mail server: 550 no such box"


def last(out: str) -> str:
    """The last line: before it stands what the outbox of this process has logged."""
    return out.splitlines()[-1]


class House:
    """An outbox that has given up a mail and two webhooks, and has one that waits."""

    def __init__(self, folder: Path) -> None:
        self.mails, self.hooks = Sender(lambda _: PermanentFailure(NO_BOX)), Sender(self.refusal)
        self.outbox = Outbox(folder, Senders(self.mails, self.hooks), wall=lambda: 1e9)

    def refusal(self, message_id: str) -> Exception:
        return DestinationDown("down") if message_id == "h-waits" else PermanentFailure("webhook answered 404")

    async def fill(self) -> None:
        await self.outbox.post(hook("h-1"))
        await until(lambda: self.outbox.waiting == 0)
        await self.outbox.post(hook("h-2", "sms"))
        await until(lambda: self.outbox.waiting == 0)
        await self.outbox.post(OutgoingMail(id="m-1", to="a@example.net", subject="Voicemail from Eve", text="t"))
        await until(lambda: self.outbox.waiting == 0)
        await self.outbox.post(hook("h-waits"))
        await until(lambda: self.outbox.backlogs()[0].last_failure)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    found = House(tmp_path / "spool")
    async with running(found.outbox):
        await found.fill()
        yield found


@pytest.fixture
async def asked(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Asked]:
    """Runs the command; its exit code, and what it printed."""
    monkeypatch.setenv("ACD_API_TOKEN", "token")
    write_site(tmp_path / "site")
    app = web.Application(middlewares=[problems_middleware])
    add_routes(app, OutboxWeb(house.outbox))
    async with TestServer(app) as server:

        async def ask(*arguments: str) -> tuple[int, str, str]:
            where = ["--config", str(tmp_path / "site"), "--set", f"web.port={server.port}"]
            capsys.readouterr()
            code = await asyncio.to_thread(main, ["messages", *arguments, *where])
            return code, *capsys.readouterr()

        yield ask


async def test_they_are_listed_with_the_reason(asked: Asked) -> None:
    code, out, _ = await asked("list")
    assert code == 0
    assert out.splitlines() == [
        "1 waiting to webhook crm, the oldest since 2001-09-09T01:46:40Z; the last failure: down",
        f"2001-09-09T01:46:40Z  mail to a@example.net: {NO_BOX}",
        "    m-1  (Voicemail from Eve)",
        "2001-09-09T01:46:40Z  webhook sms: webhook answered 404",
        "    h-2  (call-ended)",
        "2001-09-09T01:46:40Z  webhook crm: webhook answered 404",
        "    h-1  (call-ended)",
    ]
    code, out, _ = await asked("list", "--to", "sms", "--json")
    found = json.loads(out)
    assert (code, found["waiting"], [letter["id"] for letter in found["dead"]]) == (0, [], ["h-2"])
    code, out, _ = await asked("list", "--to", "nobody")
    assert (code, out) == (0, "nothing was given up\n")


async def test_one_is_sent_again(asked: Asked, house: House) -> None:
    house.mails.fail = lambda _: None
    code, out, _ = await asked("retry", "m-1")
    assert (code, last(out)) == (0, "1 to be sent again")
    await until(lambda: house.mails.taken == ["m-1"])
    code, out, err = await asked("retry", "m-1", "h-1")
    assert (code, last(out)) == (1, "1 to be sent again, 1 failed")
    assert err.startswith("acd messages retry: m-1: No message that was given up has this id")


async def test_all_to_one_are_dropped(asked: Asked, house: House) -> None:
    code, out, _ = await asked("drop", "--all", "--to", "sms")
    assert (code, last(out)) == (0, "1 dropped")
    assert [letter.key for letter in await house.outbox.dead_letters()] == ["m-1", "h-1"]
    code, out, _ = await asked("drop", "--all")
    assert (code, last(out)) == (0, "2 dropped")
    code, out, _ = await asked("drop", "--all")
    assert (code, last(out)) == (0, "0 dropped")


@pytest.mark.parametrize("arguments", [("retry",), ("drop",), ("drop", "--all", "m-1")])
async def test_which_ones_must_be_said(asked: Asked, house: House, arguments: tuple[str, ...]) -> None:
    code, _, err = await asked(*arguments)
    assert (code, "by their ids, or give --all" in err) == (2, True)
    assert len(await house.outbox.dead_letters()) == 3

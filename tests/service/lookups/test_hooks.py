"""Webhooks over the client of look-ups, and menus' events into the spool."""

from __future__ import annotations

import asyncio

import pytest

from acd.service.lookups.client import HttpClient, HttpRules
from acd.service.lookups.guard import Network
from acd.service.lookups.hooks import GuardedHooks, MenuWebhooks
from acd.service.messages.failures import DestinationDown, PermanentFailure
from acd.service.messages.hook import HookTarget
from acd.service.messages.message import Message, OutgoingHook
from tests.service.lookups.other_side import LOOPBACK, other_side


async def test_a_document_is_posted_and_the_answers_status_told() -> None:
    client = HttpClient(HttpRules(allowed=LOOPBACK))
    await client.open()
    async with other_side() as side:
        for path, status in (("/", 200), ("/missing", 404), ("/broken", 500)):
            reply = await GuardedHooks(client).post(target(side.url(path)), b"{}", {"Acd-Event": "x"})
            assert reply.status == status
        assert [(seen.method, seen.body, seen.headers["Acd-Event"]) for seen in side.seen] == [("POST", b"{}", "x")] * 3
    await client.close()


def target(url: str, timeout_s: float = 5.0) -> HookTarget:
    return HookTarget(name="crm", url=url, timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("allowed", "path", "failure"),
    [
        ((), "/", PermanentFailure),
        (LOOPBACK, "/hangs", DestinationDown),
        (LOOPBACK, "/huge", DestinationDown),
    ],
)
async def test_what_cannot_be_delivered(allowed: tuple[Network, ...], path: str, failure: type[Exception]) -> None:
    client = HttpClient(HttpRules(allowed=allowed))
    await client.open()
    async with other_side() as side:
        with pytest.raises(failure, match="webhook crm") as raised:
            await GuardedHooks(client).post(target(side.url(path), 0.3), b"{}", {})
        assert side.url(path) not in str(raised.value)
    await client.close()


class Spool:
    """Takes messages when it is let."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.ready = asyncio.Event()

    async def post(self, message: Message) -> bool:
        await self.ready.wait()
        self.taken.append(message)
        return True


async def test_an_event_of_a_menu_goes_to_the_spool_beside_the_call() -> None:
    spool = Spool()
    hooks = MenuWebhooks(spool)
    hooks.post("crm", "asked", {"call": "c1", "data": {"a": "b"}}, key="c1-main.start-0")
    assert spool.taken == [], "it is not waited for"
    spool.ready.set()
    await hooks.close()
    (message,) = spool.taken
    assert message == OutgoingHook(
        id="menu-c1-main.start-0", target="crm", event="asked", data={"call": "c1", "data": {"a": "b"}}
    )

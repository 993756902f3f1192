"""Messages that leave the house over real HTTP, with two that were given up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client import CollectorRegistry

from acd.web import messages
from acd.web.app import make_app
from acd.web.backend import Json
from acd.web.messages import NotSent
from tests.web.test_app import AUTHORISED, TOKEN, FakeBackend


class Messages:
    def __init__(self) -> None:
        self.given_up = ["m-1", "full", "no-disk"]

    def waiting(self) -> Sequence[Mapping[str, Json]]:
        return [{"to": "crm", "messages": 3}]

    async def dead(self) -> Sequence[Mapping[str, Json]]:
        return [{"id": name} for name in self.given_up]

    async def send_again(self, message_id: str) -> bool:
        if message_id == "full":
            raise NotSent("10000 messages wait already")
        return await self.drop(message_id)

    async def drop(self, message_id: str) -> bool:
        if message_id == "no-disk":
            raise OSError(28, "No space left on device")
        if message_id not in self.given_up:
            return False
        self.given_up.remove(message_id)
        return True


Client = TestClient[Request, Application]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = make_app(FakeBackend(), CollectorRegistry(), TOKEN, [partial(messages.add_routes, backend=Messages())])
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_all_are_listed(client: Client) -> None:
    answer = await client.get("/api/messages", headers=AUTHORISED)
    assert await answer.json() == {
        "waiting": [{"to": "crm", "messages": 3}],
        "dead": [{"id": "m-1"}, {"id": "full"}, {"id": "no-disk"}],
    }


@pytest.mark.parametrize(("method", "path", "state"), [("POST", "/retry", "waiting"), ("DELETE", "", "dropped")])
async def test_one_is_sent_again_or_dropped_once(client: Client, method: str, path: str, state: str) -> None:
    answer = await client.request(method, f"/api/messages/m-1{path}", headers=AUTHORISED)
    assert (answer.status, await answer.json()) == (200, {"id": "m-1", "state": state})
    answer = await client.request(method, f"/api/messages/m-1{path}", headers=AUTHORISED)
    assert (answer.status, "lists them" in (await answer.json())["detail"]) == (404, True)
    answer = await client.request(method, f"/api/messages/no-disk{path}", headers=AUTHORISED)
    assert (answer.status, "No space left" in (await answer.json())["detail"]) == (507, True)


async def test_one_that_cannot_wait_again(client: Client) -> None:
    answer = await client.post("/api/messages/full/retry", headers=AUTHORISED)
    assert (answer.status, "10000 messages wait" in (await answer.json())["detail"]) == (409, True)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/m-1/retry"), ("DELETE", "/m-1")])
async def test_nobody_sees_or_does_anything_without_the_token(client: Client, method: str, path: str) -> None:
    assert (await client.request(method, f"/api/messages{path}")).status == 401

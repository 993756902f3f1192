"""Callbacks over real HTTP, with a desk that holds two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client import CollectorRegistry

from acd.web import callbacks
from acd.web.app import make_app
from acd.web.backend import Json
from tests.web.test_app import AUTHORISED, TOKEN, FakeBackend


class Desk:
    def __init__(self) -> None:
        self.open = {"cb1": "waiting", "cb2": "on-the-line"}

    def shown(self) -> Iterator[Mapping[str, Json]]:
        return ({"id": call_id, "state": state} for call_id, state in self.open.items())

    async def take_back(self, call_id: str) -> str:
        if call_id == "cb2":
            raise ValueError("the customer is on the line")
        return self.open.pop(call_id, "")


Client = TestClient[Request, Application]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = make_app(FakeBackend(), CollectorRegistry(), TOKEN, [partial(callbacks.add_routes, desk=Desk())])
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_they_are_listed_and_shown_one_by_one(client: Client) -> None:
    answer = await client.get("/api/callbacks", headers=AUTHORISED)
    assert [one["id"] for one in (await answer.json())["callbacks"]] == ["cb1", "cb2"]
    answer = await client.get("/api/callbacks/cb2", headers=AUTHORISED)
    assert (await answer.json())["state"] == "on-the-line"
    assert (await client.get("/api/callbacks/cb9", headers=AUTHORISED)).status == 404


async def test_one_is_taken_back_once_and_not_while_the_customer_talks(client: Client) -> None:
    answer = await client.delete("/api/callbacks/cb1", headers=AUTHORISED)
    assert (answer.status, await answer.json()) == (200, {"id": "cb1", "was": "waiting"})
    assert (await client.delete("/api/callbacks/cb1", headers=AUTHORISED)).status == 404
    answer = await client.delete("/api/callbacks/cb2", headers=AUTHORISED)
    assert answer.status == 409
    assert "on the line" in (await answer.json())["detail"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/cb1"), ("DELETE", "/cb1")])
async def test_nobody_sees_or_does_anything_without_the_token(client: Client, method: str, path: str) -> None:
    assert (await client.request(method, f"/api/callbacks{path}")).status == 401

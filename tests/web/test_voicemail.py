"""Voicemail over real HTTP, with the store itself behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client import CollectorRegistry

from acd.service.voicemail.store import MessageStore
from acd.service.voicemail.web import VoicemailWeb
from acd.web import voicemail
from acd.web.app import make_app
from tests.service.voicemail.desks import Desk, call, spec, with_boxes
from tests.service.voicemail.sounds import record
from tests.web.test_app import AUTHORISED, TOKEN, FakeBackend

Client = TestClient[Request, Application]
MESSAGES = "/api/voicemail/messages"


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, with_boxes(spec(agents=frozenset({"anna"})), spec("loans", number="502")))
    await desk.leave(5.0, "c1")
    await desk.leave(2.0, "c2", box="loans")
    return desk


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[Client]:
    web = VoicemailWeb(lambda: desk.boxes, desk.store, desk.recordings, lambda: {"anna", "ben"})
    areas = [partial(voicemail.add_routes, backend=web)]
    app = make_app(FakeBackend(), CollectorRegistry(), TOKEN, areas)
    async with TestClient(TestServer(app), headers=AUTHORISED) as client:
        yield client


def only(desk: Desk, box: str = "cards") -> str:
    (message,) = desk.store.of_box(box)
    return message.id


async def test_it_takes_the_token(desk: Desk, client: Client) -> None:
    for path in (MESSAGES, f"{MESSAGES}/{only(desk)}/sound", "/api/voicemail/boxes", "/api/recordings/x"):
        assert (await client.get(path, headers={"Authorization": "Bearer wrong"})).status == 401


async def test_boxes(client: Client) -> None:
    boxes = (await (await client.get("/api/voicemail/boxes")).json())["boxes"]
    assert [box["name"] for box in boxes] == ["cards", "loans"]
    assert boxes[0]["agents"] == ["anna"]
    assert boxes[0]["messages"] == {"new": 1, "saved": 0, "assigned": 0, "closed": 0}
    assert boxes[0]["size_bytes"] == 80_044


async def test_messages_are_listed_and_chosen(desk: Desk, client: Client) -> None:
    async def listed(query: str) -> list[str]:
        answer = await client.get(MESSAGES + query)
        return [message["box"] for message in (await answer.json())["messages"]]

    assert await listed("") == ["cards", "loans"]
    assert await listed("?box=loans") == ["loans"]
    assert await listed("?state=closed") == []
    await client.post(f"{MESSAGES}/{only(desk)}/assign", json={"agent": "ben"})
    assert await listed("?agent=ben") == ["cards"]
    assert await listed("?state=assigned&box=cards") == ["cards"]
    assert (await client.get(f"{MESSAGES}?state=lost")).status == 400


async def test_one_message(desk: Desk, client: Client) -> None:
    told = await (await client.get(f"{MESSAGES}/{only(desk)}")).json()
    assert told["left_at"] == "2023-11-14T22:13:20Z"
    assert (told["seconds"], told["state"], told["agent"]) == (5.0, "new", None)
    assert told["call"]["queue"] == "cards"
    assert told["call"]["data"] == {"topic": "card"}
    assert (await client.get(f"{MESSAGES}/unknown")).status == 404


async def test_its_sound_whole_and_in_part(desk: Desk, client: Client) -> None:
    path = f"{MESSAGES}/{only(desk)}/sound"
    whole = await client.get(path)
    assert whole.headers["Content-Type"] == "audio/wav"
    body = await whole.read()
    assert body[:4] == b"RIFF"
    part = await client.get(path, headers={"Range": "bytes=44-143"})
    assert part.status == 206
    assert await part.read() == body[44:144]
    assert (await client.get(f"{MESSAGES}/unknown/sound")).status == 404


async def test_assigned_closed_marked(desk: Desk, client: Client) -> None:
    path = f"{MESSAGES}/{only(desk)}"
    assert (await client.post(f"{path}/assign", json={"agent": "nobody"})).status == 422
    assert (await client.post(f"{path}/assign", data=b"anna")).status == 400
    assigned = await (await client.post(f"{path}/assign", json={"agent": "anna"})).json()
    assert (assigned["state"], assigned["agent"]) == ("assigned", "anna")
    closed = await (await client.post(f"{path}/close")).json()
    assert (closed["state"], closed["agent"]) == ("closed", "anna")
    new = await (await client.post(f"{path}/mark", json={"state": "new"})).json()
    assert (new["state"], new["agent"]) == ("new", None)
    assert (await client.post(f"{path}/mark", json={"state": "closed"})).status == 400
    assert (await client.post(f"{MESSAGES}/unknown/close")).status == 404


async def test_deleted(desk: Desk, client: Client) -> None:
    path = f"{MESSAGES}/{only(desk)}"
    assert (await client.delete(path)).status == 204
    assert (await client.delete(path)).status == 404
    assert desk.store.of_box("cards") == []


async def test_a_change_that_cannot_be_kept(desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(MessageStore, "_write", full)
    answer = await client.post(f"{MESSAGES}/{only(desk)}/close")
    assert answer.status == 507
    assert "Nothing has changed" in (await answer.json())["detail"]


async def test_recordings(desk: Desk, client: Client) -> None:
    draft = await desk.recordings.open(call(), "main.order")
    record(draft.path, 3.0)
    await desk.recordings.keep(draft)
    told = await (await client.get(f"/api/recordings/{draft.id}")).json()
    assert (told["node"], told["seconds"]) == ("main.order", 3.0)
    assert (await (await client.get(f"/api/recordings/{draft.id}/sound")).read())[:4] == b"RIFF"
    for hostile in ("unknown", "..%2f..%2fpins"):
        assert (await client.get(f"/api/recordings/{hostile}")).status == 404
        assert (await client.get(f"/api/recordings/{hostile}/sound")).status == 404

"""Calendars opened and closed by hand: what they say, what is kept, and what is asked of them over the web port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from acd.core.calendars import Override
from acd.service.calendars.desk import CalendarDesk
from acd.service.calendars.overrides import Overrides
from acd.service.compile import Compiled, compile_config
from acd.web.calendars import NotKept, add_routes
from acd.web.problems import problems_middleware
from tests.service.sites import load_site, write_site

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)  # ten o'clock in Berlin


class World:
    """A site with two calendars, at a time that can be set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = MONDAY
        self.changes = 0
        write_site(folder / "site", queues={"cards": {"opening_hours": "office"}, "general": {}})
        office = {"zone": "Europe/Berlin", "hours": {"mon-fri": ["09:00-17:00"]}}
        calendars = {"office": office, "always": {"zone": "Asia/Shanghai", "hours": {"mon-sun": ["00:00-24:00"]}}}
        (folder / "site" / "calendars.yaml").write_text(yaml.safe_dump({"calendars": calendars}, sort_keys=False))
        self.site: Compiled = compile_config(load_site(folder / "site"))
        self.desk = self.restarted()

    def wall(self) -> float:
        return self.now.timestamp()

    def restarted(self) -> CalendarDesk:
        self.desk = CalendarDesk(
            Overrides(self.folder / "calendars.json", self.wall), lambda: self.site, self.wall, self._changed
        )
        self.desk.load()
        return self.desk

    def _changed(self) -> None:
        self.changes += 1

    async def close_office(self, until: datetime = MONDAY + timedelta(hours=2)) -> None:
        await self.desk.set_override("office", Override(False, until, "fire drill"), "dora", "127.0.0.1")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_what_a_calendar_says(world: World) -> None:
    opening = world.desk.opening("office")
    assert opening is not None
    assert (opening.is_open, opening.why, opening.cause) == (True, "opening hours", "hours")
    assert opening.until is not None
    assert opening.until.isoformat() == "2026-11-23T17:00:00+01:00", "by the calendar's own clock"
    assert world.desk.opening("nothing") is None
    always = world.desk.opening("always")
    assert always is not None
    assert always.until is None


async def test_the_answer_is_new_when_it_changes_and_when_somebody_changes_it(world: World) -> None:
    def is_open() -> bool:
        opening = world.desk.opening("office")
        assert opening is not None
        return opening.is_open

    assert is_open()
    await world.close_office()
    assert not is_open()
    world.now += timedelta(hours=2)
    assert is_open(), "it ends by itself"
    world.now += timedelta(hours=6)
    assert not is_open()
    world.now -= timedelta(hours=6)
    assert is_open(), "a clock that was put back"
    assert world.changes == 1


async def test_an_override_survives_a_restart_and_its_end_while_nobody_is_there(world: World) -> None:
    await world.close_office()
    world.restarted()
    told = world.desk.told("office")
    assert told["override"] == {
        "state": "closed",
        "until": "2026-11-23T12:00:00+01:00",
        "reason": "fire drill",
        "by": "dora",
        "set_at": "2026-11-23T10:00:00+01:00",
    }
    assert (told["open"], told["why"], told["cause"], told["queues"]) == (False, "fire drill", "override", ["cards"])
    world.now += timedelta(hours=3)
    world.restarted()
    assert world.desk.told("office")["override"] is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"format": 2}',
        b'{"format": 1, "overrides": {"office": {"open": true}}}',
        b'{"format": 1, "overrides": {"office": {"open": true, "until": "x", "reason": "", "by": "", "set_at": ""}}}',
        b'{"format": 1, "overrides": [1]}',
        b"\xff",
    ],
)
async def test_a_file_that_cannot_be_used_is_no_override(world: World, content: bytes) -> None:
    (world.folder / "calendars.json").write_bytes(content)
    assert world.restarted().told("office")["open"] is True


async def test_an_override_that_cannot_be_kept_is_not_put_in_force(world: World) -> None:
    (world.folder / "calendars.json").mkdir()
    with pytest.raises(NotKept):
        await world.close_office()
    assert world.desk.told("office")["open"] is True
    assert world.changes == 0


async def test_one_override_takes_the_place_of_another(world: World) -> None:
    await world.close_office()
    await world.desk.set_override("office", Override(True, MONDAY + timedelta(hours=1), "fair"), "emil", "")
    assert world.desk.told("office")["why"] == "fair"
    assert json.loads((world.folder / "calendars.json").read_text())["overrides"]["office"]["by"] == "emil"
    assert await world.desk.withdraw_override("office", "dora", "")
    assert not await world.desk.withdraw_override("office", "dora", "")
    assert json.loads((world.folder / "calendars.json").read_text())["overrides"] == {}


async def test_what_is_done_is_logged_with_who_did_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    await world.close_office()
    await world.desk.withdraw_override("office", "emil", "10.0.0.1")
    text = capsys.readouterr().out
    assert all(word in text for word in ("calendar overridden", "dora", "fire drill", "127.0.0.1", "closed"))
    assert all(word in text for word in ("calendar override withdrawn", "emil", "10.0.0.1"))


# Over the web port.


@pytest_asyncio.fixture
async def client(world: World) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(middlewares=[problems_middleware])
    add_routes(app, world.desk)
    async with TestClient(TestServer(app)) as client:
        yield client


PATH = "/api/calendars/office/override"
WISH: dict[str, Any] = {"state": "closed", "until": "2026-11-23T18:00", "reason": "fire drill", "by": "dora"}

Client = TestClient[web.Request, web.Application]


async def test_all_calendars(client: Client) -> None:
    answer = await (await client.get("/api/calendars")).json()
    assert [told["calendar"] for told in answer["calendars"]] == ["office", "always"]
    assert answer["calendars"][0] == {
        "calendar": "office",
        "zone": "Europe/Berlin",
        "at": "2026-11-23T10:00:00+01:00",
        "open": True,
        "why": "opening hours",
        "cause": "hours",
        "until": "2026-11-23T17:00:00+01:00",
        "override": None,
        "queues": ["cards"],
    }


async def test_one_calendar_at_another_moment(client: Client) -> None:
    answer = await client.get("/api/calendars/office", params={"at": "2026-11-28T10:00"})
    told = await answer.json()
    assert (told["at"], told["open"]) == ("2026-11-28T10:00:00+01:00", False)
    assert told["until"] == "2026-11-30T09:00:00+01:00"
    answer = await client.get("/api/calendars/office", params={"at": "soon"})
    assert answer.status == 422


async def test_setting_and_withdrawing(client: Client, world: World) -> None:
    answer = await client.put(PATH, json=WISH)
    told = await answer.json()
    assert (answer.status, told["open"], told["override"]["by"]) == (200, False, "dora")
    assert told["override"]["until"] == "2026-11-23T18:00:00+01:00", "by the calendar's own clock"
    assert told["until"] == "2026-11-24T09:00:00+01:00"
    answer = await client.delete(f"{PATH}?by=emil")
    assert (answer.status, (await answer.json())["open"]) == (200, True)
    answer = await client.delete(PATH)
    assert answer.status == 404
    answer = await client.put(PATH, json={key: WISH[key] for key in ("state", "until", "reason")})
    assert (await answer.json())["override"]["by"] == "api"
    assert world.changes == 3


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"state", "until", "reason"}),
        ({**WISH, "state": "shut"}, {"state"}),
        ({**WISH, "state": ["closed"]}, {"state"}),
        ({**WISH, "until": None}, {"until"}),
        ({**WISH, "until": "tomorrow"}, {"until"}),
        ({**WISH, "until": "2026-11-23T09:59"}, {"until"}),
        ({**WISH, "until": "2026-11-23T09:00Z"}, {"until"}),
        ({**WISH, "until": "2028-11-23T10:00"}, {"until"}),
        ({**WISH, "reason": " "}, {"reason"}),
        ({**WISH, "reason": "x" * 101}, {"reason"}),
        ({**WISH, "reason": "a\nb"}, {"reason"}),
        ({**WISH, "by": 5}, {"by"}),
        ({**WISH, "form": "now"}, {"form"}),
    ],
)
async def test_a_wish_with_a_fault_changes_nothing(
    client: Client, world: World, body: dict[str, Any], fields: set[str]
) -> None:
    answer = await client.put(PATH, json=body)
    problem = await answer.json()
    assert (answer.status, answer.content_type) == (422, "application/problem+json")
    assert {error["field"] for error in problem["errors"]} == fields
    assert all(
        error["field"] in problem["detail"] and error["message"] in problem["detail"] for error in problem["errors"]
    )
    assert world.changes == 0
    assert world.desk.told("office")["open"] is True


async def test_what_is_not_there_and_what_is_not_json(client: Client) -> None:
    answer = await client.put("/api/calendars/offce/override", json=WISH)
    assert (answer.status, "office, always" in (await answer.json())["detail"]) == (404, True)
    answer = await client.put(PATH, data=b"closed")
    assert answer.status == 400
    answer = await client.put(PATH, data=b'["closed"]')
    assert answer.status == 400


async def test_a_disk_that_takes_nothing(client: Client, world: World) -> None:
    (world.folder / "calendars.json").mkdir()
    answer = await client.put(PATH, json=WISH)
    assert answer.status == 503
    assert "Nothing was changed" in (await answer.json())["detail"]


async def test_two_at_once_are_both_done(client: Client, world: World) -> None:
    both = [client.put(f"/api/calendars/{name}/override", json=WISH) for name in ("office", "always")]
    answers = await asyncio.gather(*both)
    assert [answer.status for answer in answers] == [200, 200]
    assert set(json.loads((world.folder / "calendars.json").read_text())["overrides"]) == {"office", "always"}


async def test_the_web_port_knows_the_routes(world: World) -> None:
    app = web.Application()
    partial(add_routes, desk=world.desk)(app)
    assert {route.method for route in app.router.routes()} == {"GET", "HEAD", "PUT", "DELETE"}

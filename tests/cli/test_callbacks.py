"""``acd callbacks`` against the real web port, with a desk that holds two."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
import yaml
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from acd.cli import main
from acd.web import callbacks
from acd.web.app import make_app
from acd.web.backend import Json
from tests.service.sites import write_site
from tests.web.test_app import TOKEN, FakeBackend

WAITS: dict[str, Json] = {
    "id": "cb1",
    "number": "+4930200100",
    "name": "Ms Novak",
    "queue": "cards",
    "state": "waiting",
    "agents": ["anna"],
    "waiting_since": "2026-11-22T09:00:00+00:00",
    "next_at": None,
    "attempts": 0,
    "attempts_most": 3,
}
LATER: dict[str, Json] = {
    **WAITS,
    "id": "cb2",
    "name": "",
    "queue": "general",
    "state": "later",
    "agents": [],
    "next_at": "2026-11-22T09:30:00+00:00",
    "attempts": 1,
}


class Desk:
    def __init__(self) -> None:
        self.open = {"cb1": WAITS, "cb2": LATER}

    def shown(self) -> Iterator[Mapping[str, Json]]:
        return iter(self.open.values())

    async def take_back(self, call_id: str) -> str:
        if call_id == "cb2":
            raise ValueError("the customer is on the line")
        return str(self.open.pop(call_id, {"state": ""})["state"])


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A configuration whose engine answers."""
    app = make_app(FakeBackend(), CollectorRegistry(), TOKEN, [partial(callbacks.add_routes, desk=Desk())])
    async with TestServer(app) as server:
        folder = write_site(tmp_path / "site")
        acd = yaml.safe_load((folder / "acd.yaml").read_text())
        (folder / "acd.yaml").write_text(yaml.safe_dump({**acd, "web": {"host": server.host, "port": server.port}}))
        monkeypatch.setenv("ACD_API_TOKEN", TOKEN)
        yield str(folder)


async def ask(site: str, *words: str) -> int:
    return await asyncio.to_thread(main, ["callbacks", *words, "--config", site])


async def test_they_are_listed_with_what_they_do(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await ask(site) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-22T09:00:00+00:00  cards: +4930200100 (Ms Novak), waiting, anna  cb1",
        "2026-11-22T09:00:00+00:00  general: +4930200100, later until 2026-11-22T09:30:00+00:00, attempt 1 of 3  cb2",
    ]
    assert await ask(site, "list", "--queue", "general", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [LATER]
    assert await ask(site, "--queue", "none") == 0
    assert capsys.readouterr().out == "nobody is to be called back\n"


async def test_one_is_cancelled_if_it_is_not_too_late(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await ask(site, "cancel", "cb1") == 0
    assert capsys.readouterr().out == "cb1: cancelled, was waiting\n"
    assert await ask(site, "cancel", "cb1") == 1
    assert "lists them" in capsys.readouterr().err
    assert await ask(site, "cancel", "cb2") == 1
    assert "the customer is on the line" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("cancel",), ("list", "cb1")])
async def test_what_is_to_be_cancelled_must_be_said(
    site: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await ask(site, *words) == 2
    assert "acd callbacks cancel ID" in capsys.readouterr().err

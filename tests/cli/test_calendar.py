"""``acd calendar`` against a server that has calendars."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from acd.cli import main
from acd.web.calendars import add_routes
from acd.web.problems import problems_middleware
from tests.service.calendars.test_desk import World


async def asked(world: World, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command while the server answers; its exit code, and what it printed."""
    app = web.Application(middlewares=[problems_middleware])
    add_routes(app, world.desk)
    async with TestServer(app) as server:
        port = ["--set", f"web.port={server.port}"]
        words = ["calendar", *arguments, "--config", str(world.folder / "site"), *port]
        code = await asyncio.to_thread(main, words)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("ACD_API_TOKEN", "token")
    return World(tmp_path)


async def test_all_calendars_are_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = await asked(world, capsys)
    assert code == 0
    assert "office: open until 2026-11-23T17:00:00+01:00: opening hours\n" in out
    assert "always: open: opening hours\n" in out


async def test_closing_and_withdrawing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    wish = ("close", "office", "--until", "2026-11-23T18:00", "--reason", "fire drill", "--by", "dora")
    code, out, _ = await asked(world, capsys, *wish)
    assert code == 0
    assert "office: closed until 2026-11-24T09:00:00+01:00: fire drill (by dora, to 2026-11-23T18:00:00+01:00)" in out
    code, out, _ = await asked(world, capsys, "show", "office", "--json")
    assert json.loads(out[out.index("[\n") :])[0]["override"]["by"] == "dora"
    code, out, _ = await asked(world, capsys, "withdraw", "office")
    assert (code, "office: open" in out) == (0, True)


async def test_what_is_refused(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = await asked(world, capsys, "open", "office", "--until", "soon", "--reason", "fair")
    assert (code, "until: give a time such as" in err) == (1, True)
    code, _, err = await asked(world, capsys, "withdraw", "office")
    assert (code, "neither opened nor closed by hand" in err) == (1, True)
    code, _, err = await asked(world, capsys, "close")
    assert (code, "name the calendar" in err) == (2, True)

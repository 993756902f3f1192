"""Agents' states on disk: written soon, whole, and never a reason not to start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from acd.core.agents import Agent
from acd.core.specs import AgentSpec, CountScope
from acd.core.transitions import AgentState
from acd.service.agent_states import AgentStateFile, Presence, presence_of

READY = Presence(AgentState.READY)
LUNCH = Presence(AgentState.NOT_READY, "lunch")
AWAY = Presence(AgentState.LOGGED_OUT)


@asynccontextmanager
async def running(file: AgentStateFile) -> AsyncIterator[None]:
    task = asyncio.create_task(file.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_states_come_back(tmp_path: Path) -> None:
    path = tmp_path / "agents.json"
    file = AgentStateFile(path)
    async with running(file):
        file.note("anna", READY)
        file.note("bob", LUNCH)
        file.note("cid", AWAY)
        file.note("anna", LUNCH)
        await asyncio.wait_for(file.flush(), 5)
        assert AgentStateFile(path).load() == {"anna": LUNCH, "bob": LUNCH, "cid": AWAY}


async def test_what_is_not_yet_written_is_written_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "agents.json"
    file = AgentStateFile(path)
    async with running(file):
        await asyncio.sleep(0)  # the writer waits for a change now
        file.note("anna", LUNCH)
    assert AgentStateFile(path).load() == {"anna": LUNCH}


async def test_many_changes_make_few_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    monkeypatch.setattr("acd.service.kept_file.write_atomically", lambda path, content: writes.append(content))
    file = AgentStateFile(tmp_path / "agents.json")
    async with running(file):
        for number in range(1000):
            file.note(f"agent{number}", READY)
        await asyncio.wait_for(file.flush(), 5)
        file.note("agent5", READY)  # no change, no write
        await asyncio.wait_for(file.flush(), 5)
    assert len(writes) == 1
    assert b"agent999" in writes[0]


async def test_a_missing_file_means_nothing_is_known(tmp_path: Path) -> None:
    assert AgentStateFile(tmp_path / "agents.json").load() == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 2, "agents": {}}',
        b'{"format": 1, "agents": []}',
        b'{"format": 1, "agents": {"anna": {"state": "talking", "reason": ""}}}',
        b'{"format": 1, "agents": {"anna": {"state": [], "reason": ""}}}',
        b'{"format": 1, "agents": {"anna": {"state": "ready", "reason": 5}}}',
        b'{"format": 1, "agents": {"anna": null}}',
        b"\xff\xfe\x00",
    ],
)
async def test_a_damaged_file_is_put_aside_with_a_warning(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "agents.json"
    path.write_bytes(content)
    with capture_logs() as logs:
        assert AgentStateFile(path).load() == {}
    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert not path.exists()
    assert (tmp_path / "agents.damaged").read_bytes() == content


async def test_a_disk_that_is_full_is_logged_and_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    path = folder / "agents.json"
    file = AgentStateFile(path)
    with capture_logs() as logs:
        async with running(file):
            file.note("anna", READY)  # the folder is missing
            await asyncio.wait_for(file.flush(), 5)
            assert [entry["log_level"] for entry in logs] == ["error"]
            folder.mkdir()
            file.note("bob", READY)
            await asyncio.wait_for(file.flush(), 5)
    assert AgentStateFile(path).load() == {"anna": READY, "bob": READY}


def make_agent(state: AgentState, reason: str = "", pending: tuple[AgentState, str] | None = None) -> Agent:
    agent = Agent(0, AgentSpec("anna"), 0.0, CountScope.GLOBAL, CountScope.GLOBAL)
    agent.state = state
    agent.reason = reason
    agent.pending = pending
    return agent


@pytest.mark.parametrize(
    ("agent", "presence"),
    [
        (make_agent(AgentState.READY), READY),
        (make_agent(AgentState.TALKING), READY),
        (make_agent(AgentState.BACK_OFF, "missed"), READY),
        (make_agent(AgentState.WRAP_UP), READY),
        (make_agent(AgentState.NOT_READY, "lunch"), LUNCH),
        (make_agent(AgentState.LOGGED_OUT), AWAY),
        (make_agent(AgentState.TALKING, "", (AgentState.NOT_READY, "lunch")), LUNCH),
        (make_agent(AgentState.TALKING, "", (AgentState.LOGGED_OUT, "")), AWAY),
    ],
)
def test_a_wish_made_during_a_call_counts(agent: Agent, presence: Presence) -> None:
    assert presence_of(agent) == presence

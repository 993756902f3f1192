"""Who talked to whom last outlives the process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from acd.core.events import OfferBridged
from acd.service import last_agents
from acd.service.last_agents import LastAgentFile
from tests.service.process import run
from tests.service.sites import write_site


async def test_what_was_noted_is_there_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_agents, "WRITE_AFTER_S", 0.0)
    path = tmp_path / "last-agents.json"
    agents = {"+49301": "anna", "+49302": "bob"}
    file = LastAgentFile(path, agents)
    assert file.load() == ()
    task = asyncio.create_task(file.run())
    file.observe(1, OfferBridged("c1.1", "anna"), 0.0, ())
    async with asyncio.timeout(5):
        while not path.exists():  # noqa: ASYNC110 - a thread writes it
            await asyncio.sleep(0.001)
    agents["+49303"] = "chen"
    file.observe(2, OfferBridged("c2.1", "chen"), 0.0, ())
    task.cancel()
    await asyncio.wait({task})
    assert LastAgentFile(path, {}).load() == (("+49301", "anna"), ("+49302", "bob"), ("+49303", "chen"))


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format": 2}', '{"format": 1, "agents": 7}', '{"format": 1, "agents": ["a"]}']
)
async def test_a_damaged_file_means_nobody(tmp_path: Path, content: str) -> None:
    path = tmp_path / "last-agents.json"
    path.write_text(content)
    assert LastAgentFile(path, {}).load() == ()


async def test_the_caller_comes_back_to_the_agent_of_before_the_restart(tmp_path: Path) -> None:
    queues = {"cards": {"sticky": {"hold_s": "20"}}, "general": {}}
    folder = write_site(tmp_path / "site", agents={"anna": ["cards"], "bob": ["cards"]}, queues=queues)
    (folder / "state").mkdir()
    (folder / "state" / "last-agents.json").write_text('{"format": 1, "agents": [["+4930200100", "bob"]]}')
    async with run(folder) as site:
        channel = await site.enter(extension="200")
        assert (await channel.until("EXEC Dial")).startswith('EXEC Dial "PJSIP/bob,')


async def test_a_known_customer_has_points_and_an_agent(tmp_path: Path) -> None:
    queues = {"cards": {"sticky": {"hold_s": "20"}}, "general": {}}
    routing = {"customers": {"+4930200100": {"name": "Important Ltd", "priority": "100", "agent": "bob"}}}
    folder = write_site(tmp_path / "site", agents={"anna": ["cards"], "bob": ["cards"]}, queues=queues, routing=routing)
    async with run(folder) as site:
        channel = await site.enter(extension="200")
        assert (await channel.until("EXEC Dial")).startswith('EXEC Dial "PJSIP/bob,')
        assert (site.call.extra_priority, site.call.customer, site.call.wanted_agent) == (100, "Important Ltd", "bob")

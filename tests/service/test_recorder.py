"""The journal of the process: it replays to the same commands, and its failing stops nobody."""

from __future__ import annotations

from pathlib import Path

from acd.core.transitions import AgentState
from acd.store.journal import segments
from acd.store.replay import read_segment, replay
from tests.service.process import run
from tests.service.sites import write_site


async def test_what_the_process_did_can_be_lived_again(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site", queues={"cards": {"strategy": "random"}, "general": {}})
    async with run(folder) as site:
        channel = await site.enter(extension="200")
        await channel.until("EXEC Dial")
        inputs = site.parts.engine.inputs
    found = segments(folder / "state" / "journal")
    assert len(found) == 1
    replayed = replay(read_segment(found[0]))
    assert replayed.parting is None
    assert replayed.inputs >= inputs
    assert replayed.commands


async def test_a_journal_that_cannot_be_kept_stops_nobody(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site")
    (folder / "state").mkdir()
    (folder / "state" / "journal").write_text("in the way")
    async with run(folder) as site:
        assert site.parts.recorder.failing
        channel = await site.enter(extension="200")
        await channel.until("EXEC Dial")
        assert site.agent("anna") is AgentState.RESERVED

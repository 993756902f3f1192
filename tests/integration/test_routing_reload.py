"""A changed configuration under waiting calls, on the real Asterisk; and journal and explanations of what happened."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from acd.lab.callers import CallPlan
from acd.lab.phones import Answer
from acd.store.journal import segments
from acd.store.replay import read_segment, replay
from tests.integration.conftest import OpenStage
from tests.integration.stage import Stage
from tests.service.sites import write_site

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

WAITING = 30


async def acd(s: Stage, *words: str) -> tuple[int, str]:
    """Run ``acd`` beside the engine, as an operator does; exit code and output."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("acd"),
        *words,
        *("--config", str(s.engine.site)),
        env={**os.environ, **s.engine.env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


def caller(number: int) -> str:
    return f"+49301{number:04d}"


async def line(s: Stage) -> list[tuple[str, str]]:
    """Who waits: call and caller, the first in line first. They may come in in another order than they called."""
    calls = (await s.engine.status())["calls"]
    return [(call["id"], call["caller"]) for call in sorted(calls, key=lambda call: call["position"])]


async def test_reload_under_thirty_waiting_calls(stage: OpenStage) -> None:
    queues: dict[str, dict[str, object]] = {"cards": {}, "general": {}}
    async with stage(agents={"anna": ["cards"]}, start="logged-out", queues=queues, behaviour=Answer(talk_s=0.02)) as s:
        plans = [CallPlan("200", caller_number=caller(number)) for number in range(WAITING)]
        callers = await s.place_all(plans, rate_per_s=100)
        await s.waiting(WAITING, timeout_s=15)
        in_line = await line(s)

        (s.engine.site / "agents.yaml").write_text("agents: {anna: {phone: PJSIP/anna, queues: [no-such-queue]}}\n")
        code, said = await acd(s, "reload")
        assert code == 1
        assert "no-such-queue" in said
        status, body = await s.engine.post("/api/configuration/reload")
        assert status == 422, body
        assert json.loads(body)["errors"][0]["line"] == 1

        changed = {"cards": {"requires": {"speed": "2"}, "strategy": "hunt"}, "general": {}}
        agents = {"anna": ["cards"], "bob": ["cards"]}
        write_site(
            s.engine.site, agents=agents, start="logged-out", queues=changed, routing={"skills": {"speed": "Speed"}}
        )
        path = s.engine.site / "agents.yaml"
        path.write_text(path.read_text().replace("phone: PJSIP/bob", "phone: PJSIP/bob\n    skills: {speed: 3}"))
        code, said = await acd(s, "reload", "--dry-run")
        assert code == 0, said
        assert "queue cards: strategy longest-idle -> hunt" in said
        assert "agent bob: new, serves cards" in said
        os.kill(s.engine.pid, signal.SIGHUP)
        await s.engine.until(lambda status: any(agent["id"] == "bob" for agent in status["agents"]))
        assert await line(s) == in_line
        assert len(s.phones["anna"].calls) + len(s.phones["bob"].calls) == 0

        for agent in agents:
            await s.engine.post(f"/api/agents/{agent}/ready")
        await callers.finished(30)
        served = [call.invite.from_user for call in s.phones["bob"].calls]
        assert served == [number for _, number in in_line], "none lost, in the old order"
        assert sorted(served) == [caller(number) for number in range(WAITING)]
        assert not s.phones["anna"].calls, "does not have the new skill"
        await s.empty()

        code, said = await acd(s, "explain", in_line[-1][0])
        assert code == 0, said
        assert "offered to bob" in said
        assert "not offered to anna: " in said, said
        code, said = await acd(s, "explain", "--agent", "anna")
        assert code == 0, said
        code, said = await acd(s, "reload", "--undo")
        assert code == 0, said
        assert "agent bob: gone" in said
        assert await s.engine.metric("acd_config_last_reload_successful") == 1
        s.engine.terminate()
        assert await s.engine.wait() == 0
        folder = s.engine.site / "state" / "journal"
        replayed = [replay(read_segment(path)) for path in segments(folder)]
        assert [result.parting for result in replayed] == [None] * len(replayed)
        assert sum(result.inputs for result in replayed) > WAITING * 5

from __future__ import annotations

from pathlib import Path

from acd.service.compile import compile_config
from bench.pbx_site import ACD, APP_QUEUE, FLOOR, add_to_asterisk, write_engine_site
from config import load

AGENTS = ["agent01", "agent02", "agent03"]


def test_the_engines_site_is_a_right_one(tmp_path: Path) -> None:
    write_engine_site(tmp_path, AGENTS)
    compiled = compile_config(load(tmp_path))
    queue = compiled.routing.queues["bench"]
    assert queue.strategy == "longest-idle"
    assert queue.wrap_up.seconds == 0
    assert queue.ring_timeout_s == 15
    assert [agent.phone for agent in compiled.routing.agents.values()] == [f"PJSIP/{agent}" for agent in AGENTS]
    assert all(agent.start == "ready" for agent in compiled.routing.agents.values())
    assert compiled.entry_node(ACD) == compiled.entry_node("100")


def test_asterisk_gets_the_same_agents_in_a_queue_and_a_way_to_the_floor(tmp_path: Path) -> None:
    (tmp_path / "extensions.conf").write_text("[general]\n")
    (tmp_path / "queues.conf").write_text("[general]\n")
    add_to_asterisk(tmp_path, AGENTS, 4999)
    dialplan, queues = (tmp_path / "extensions.conf").read_text(), (tmp_path / "queues.conf").read_text()
    assert dialplan.startswith("[general]\n")
    assert f"exten => {APP_QUEUE},1,Goto(bench-app-queue,s,1)" in dialplan
    assert f"exten => {FLOOR},1,Goto(bench-floor,s,1)" in dialplan
    assert "AGI(agi://127.0.0.1:4999)" in dialplan
    assert ACD not in dialplan
    assert [line for line in queues.splitlines() if line.startswith("member ")] == [
        f"member => PJSIP/{agent}" for agent in AGENTS
    ]

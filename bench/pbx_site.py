"""What ``bench.pbx`` configures: app_queue, the way to the floor, and the engine's site, each with the same agents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["ACD", "APP_QUEUE", "FLOOR", "add_to_asterisk", "write_engine_site"]

APP_QUEUE, FLOOR, ACD = "7000001", "7000002", "7000003"
"""Numbers to call. The engine's is any number that nobody else has: it comes in as a site's calls do."""

_DIALPLAN = """
; Added for the comparison. Exact numbers go before the pattern by which callers reach the engine.
[acd-inbound](+)
exten => {app_queue},1,Goto(bench-app-queue,s,1)
exten => {floor},1,Goto(bench-floor,s,1)
[bench-app-queue]
exten => s,1,Answer(,i)
 same => n,Queue(bench)
 same => n,Hangup()
[bench-floor]
exten => s,1,AGI(agi://127.0.0.1:{floor_port})
 same => n,Hangup()
"""

# The settings of app_queue that keep an agent idle for the shortest time: callers do not wait for each other
# (autofill), nothing after a call (wrapuptime), the shortest pause after a round without an answer (retry), no
# announcements, and the strategy that means the same as longest idle.
_QUEUE = """
[bench]
strategy = leastrecent
autofill = yes
ringinuse = no
timeout = 15
retry = 1
wrapuptime = 0
memberdelay = 0
musicclass = default
announce-frequency = 0
periodic-announce-frequency = 0
joinempty = yes
leavewhenempty = no
{members}
"""

_ACD_YAML = "asterisk:\n  fastagi: {max_sessions: 2000}\n"
_ROUTING_YAML = """\
numbers: {default: bench}
queues:
  bench:
    title: Bench
    strategy: longest-idle
    ring_timeout_s: 15
    wrap_up: {seconds: 0}
"""
_IVR_YAML = """\
start: wait
language: en
nodes:
  wait: {type: enqueue, queue: bench}
"""


def add_to_asterisk(etc: Path, agents: Sequence[str], floor_port: int) -> None:
    """Append the comparison's queue and dialplan to a lab's configuration; Asterisk has to reload both."""
    with (etc / "extensions.conf").open("a") as dialplan:
        dialplan.write(_DIALPLAN.format(app_queue=APP_QUEUE, floor=FLOOR, floor_port=floor_port))
    with (etc / "queues.conf").open("a") as queues:
        queues.write(_QUEUE.format(members="\n".join(f"member => PJSIP/{agent}" for agent in agents)))


def write_engine_site(folder: Path, agents: Sequence[str]) -> None:
    """Write the engine's configuration folder."""
    (folder / "ivr").mkdir(parents=True, exist_ok=True)
    (folder / "acd.yaml").write_text(_ACD_YAML)
    (folder / "routing.yaml").write_text(_ROUTING_YAML)
    lines = [f"  {agent}: {{name: {agent}, phone: PJSIP/{agent}, queues: [bench], start: ready}}" for agent in agents]
    (folder / "agents.yaml").write_text("\n".join(["agents:", *lines, ""]))
    (folder / "ivr" / "bench.yaml").write_text(_IVR_YAML)

from __future__ import annotations

import os
import subprocess
import sys

from bench.process_cost import Memory, memory_of, parse_memory, parse_processor_s, processor_s

STAT = "4711 (acd (run) 1) S 1 4711 4711 0 -1 4194304 9000 7 3 1 250 50 11 12 20 0 5 0 1000 300000000 20000 0 0"
ROLLUP = """\
55d0c0000000-7ffd00000000 ---p 00000000 00:00 0                          [rollup]
Rss:               72400 kB
Pss:               63600 kB
Pss_Dirty:         50000 kB
Shared_Clean:      10000 kB
Private_Clean:       300 kB
Private_Dirty:     59000 kB
Referenced:        70000 kB
"""


def test_time_in_user_and_system_mode_whatever_the_process_is_called() -> None:
    assert parse_processor_s(STAT, 100) == 3.0


def test_three_kinds_of_memory() -> None:
    found = parse_memory(ROLLUP)
    assert found == Memory(rss=72400 * 1024, pss=63600 * 1024, uss=59300 * 1024)
    assert found - Memory(1024, 1024, 1024) == Memory(72399 * 1024, 63599 * 1024, 59299 * 1024)


BUSY = """
import sys, time
kept = bytearray(30_000_000)
until = time.process_time() + 0.3
while time.process_time() < until:
    pass
print("done", flush=True)
sys.stdin.readline()
"""


def test_a_real_process() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        # The kernel counts in ticks.
        assert processor_s(process.pid) >= 0.3 - 2 / os.sysconf("SC_CLK_TCK")
        found = memory_of(process.pid)
        process.kill()
    assert found.rss >= found.pss >= found.uss > 30_000_000

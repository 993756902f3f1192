from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from bench.process_cost import Memory, memory_of, parse_memory, processor_s

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
        assert processor_s(process.pid) >= 0.3
        found = memory_of(process.pid)
        process.kill()
    assert found.rss >= found.pss >= found.uss > 30_000_000


def test_a_thousandth_of_a_second_is_seen_and_threads_count_after_their_end() -> None:
    before = processor_s(os.getpid())
    worker = threading.Thread(target=spend, args=(0.001,))
    worker.start()
    worker.join()
    assert processor_s(os.getpid()) - before >= 0.001


def test_a_process_that_is_gone_is_named() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        with pytest.raises(ProcessLookupError, match=f"process {process.pid}"):
            processor_s(process.pid)


def spend(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass

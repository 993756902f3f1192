"""What another process has cost so far, as the kernel counts it (Linux): processor time and memory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["Memory", "memory_of", "parse_memory", "processor_s"]

_NAMES = {"Rss": "rss", "Pss": "pss", "Private_Clean": "uss", "Private_Dirty": "uss"}


class Memory(NamedTuple):
    """Bytes. ``rss``: resident, ``pss``: with what is shared divided by who shares it, ``uss``: its own alone."""

    rss: int
    pss: int
    uss: int

    def __sub__(self, other: Memory) -> Memory:
        """Return how much more this is."""
        return Memory(self.rss - other.rss, self.pss - other.pss, self.uss - other.uss)


def processor_s(pid: int) -> float:
    """Return the processor time of a process, all its threads together, without its children's (seconds).

    Raises ProcessLookupError when there is no such process. Read from the process's own clock, in nanoseconds:
    ``/proc/PID/stat`` counts ticks of 10 ms, in which a process that sleeps most of the time is not seen at all.
    """
    try:
        return time.clock_gettime(_clock_of(pid))
    except OSError as error:
        raise ProcessLookupError(error.errno, f"process {pid} has no clock: {error.strerror}") from None


def memory_of(pid: int) -> Memory:
    """Return the memory of a process of ours."""
    return parse_memory(Path(f"/proc/{pid}/smaps_rollup").read_text())


def parse_memory(rollup: str) -> Memory:
    """Read ``/proc/PID/smaps_rollup``, whose sizes are in kB of 1024 bytes."""
    found = dict.fromkeys(("rss", "pss", "uss"), 0)
    for line in rollup.splitlines():
        name, _, size = line.partition(":")
        if name in _NAMES:
            found[_NAMES[name]] += int(size.split()[0]) * 1024
    return Memory(**found)


def _clock_of(pid: int) -> int:
    # What clock_getcpuclockid(3) returns, which Python does not offer (Linux: MAKE_PROCESS_CPUCLOCK, CPUCLOCK_SCHED).
    return (~pid << 3) | 2

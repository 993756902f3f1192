"""What another process has cost so far, as the kernel counts it (Linux): processor time and memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["Memory", "memory_of", "parse_memory", "parse_processor_s", "processor_s"]

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
    """Return the processor time of a process, all its threads together, without its children's (seconds)."""
    return parse_processor_s(Path(f"/proc/{pid}/stat").read_text(), os.sysconf("SC_CLK_TCK"))


def memory_of(pid: int) -> Memory:
    """Return the memory of a process of ours."""
    return parse_memory(Path(f"/proc/{pid}/smaps_rollup").read_text())


def parse_processor_s(stat: str, ticks_per_s: int) -> float:
    """Read ``/proc/PID/stat``: fields 14 and 15 are the ticks in user and in system mode."""
    # The second field, the name in parentheses, can hold anything; the third begins behind its last parenthesis.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / ticks_per_s


def parse_memory(rollup: str) -> Memory:
    """Read ``/proc/PID/smaps_rollup``, whose sizes are in kB of 1024 bytes."""
    found = dict.fromkeys(("rss", "pss", "uss"), 0)
    for line in rollup.splitlines():
        name, _, size = line.partition(":")
        if name in _NAMES:
            found[_NAMES[name]] += int(size.split()[0]) * 1024
    return Memory(**found)

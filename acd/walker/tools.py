"""What nodes ask of the world in a walk: real look-ups if wanted, everything else faked, so that nothing is done."""

from __future__ import annotations

from acd.walker.clock import VirtualClock
from ivr.tools import Tools

__all__ = ["walk_tools"]


def walk_tools(clock: VirtualClock) -> Tools:
    """The tools of a walk that begins with `clock`."""
    return Tools(clock=clock)

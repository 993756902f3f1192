"""The least that a FastAGI responder can do to distribute calls: the floor that the engine is held against.

A deque of idle agents, a deque of waiting callers' sockets. No states, no time-outs, no errors looked at, nothing kept:
whoever is first gets ``EXEC Dial`` on the caller's own socket. Run as ``python -m bench.pbx_floor PORT AGENT…``; it
prints ``ready`` when it listens.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Sequence

import uvloop

from bench.floor_socket import FloorSocket

__all__ = ["Floor", "FloorCall"]


class Floor:
    """Who is idle, who waits."""

    def __init__(self, agents: Sequence[str]) -> None:
        self.idle = deque(agents)
        self.waiting: deque[FloorCall] = deque()

    def arrived(self, call: FloorCall) -> None:
        """A caller can be connected."""
        if self.idle:
            call.dial(self.idle.popleft())
        else:
            self.waiting.append(call)

    def freed(self, agent: str) -> None:
        """An agent's call is over."""
        if self.waiting:
            self.waiting.popleft().dial(agent)
        else:
            self.idle.append(agent)


class FloorCall(FloorSocket):
    """One caller's socket: environment, answer, music, silence, Dial, end."""

    def __init__(self, floor: Floor) -> None:
        super().__init__(self._environment)
        self._floor = floor
        self._agent = ""

    def dial(self, agent: str) -> None:
        """Connect the caller with the agent."""
        self._agent = agent
        self._write(b"EXEC Dial PJSIP/%s,15,gm\n" % agent.encode(), self._dialled)

    def _environment(self) -> None:
        if self._lines.endswith(b"\n\n"):
            self._write(b"EXEC Answer ,i\n", self._answered)

    def _answered(self) -> None:
        self._write(b"SET MUSIC ON default\n", self._waits)

    def _waits(self) -> None:
        self._step = self._nothing
        self._lines = b""
        self._floor.arrived(self)

    def _dialled(self) -> None:
        self._step = self._nothing
        self._floor.freed(self._agent)
        self._close()

    def _nothing(self) -> None:
        """Nothing is expected."""


async def _serve(port: int, agents: Sequence[str]) -> None:
    floor = Floor(agents)
    server = await asyncio.get_running_loop().create_server(lambda: FloorCall(floor), "127.0.0.1", port, backlog=256)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2:]))

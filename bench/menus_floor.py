"""The least that a FastAGI responder can do for callers in menus: the floor that ``bench.menus`` holds the engine to.

No tree, no states, nothing checked, nothing kept: for each key it writes the two commands that the engine writes when
a caller goes from one menu to the next (the place on the channel, the sound), always the same ones. Run as
``python -m bench.menus_floor PORT SOUND``; it prints ``ready`` when it listens.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from bench.floor_socket import FloorSocket
from bench.menus_site import END_KEY

__all__ = ["FloorCall"]

_ANSWER = b"EXEC Answer ,i\n"
_PLACE = b"EXEC MSet ACD_CALL=20260101T000000-00000000,ACD_STATE=1&ph=menu&at=1767225600.000&n=main.m&l=en&to=100\n"
_WAIT = b"WAIT FOR DIGIT 5000\n"
_GOODBYE = b"SET VARIABLE ACD_DONE hangup\n"
_NO_KEY = b"200 result=0"
_HUNG_UP = b"200 result=-1"
_END = b"200 result=%d" % ord(END_KEY)


class FloorCall(FloorSocket):
    """One caller's socket: environment, answer, then a sound for each key until the one that ends the call."""

    def __init__(self, sound: str) -> None:
        self._play = b"STREAM FILE %s 0123456789*#ABCD 0\n" % sound.encode()
        super().__init__(self._environment)

    def _environment(self) -> None:
        if b"\n\n" in self._lines:  # HANGUP may stand behind it already
            self._write(_ANSWER, self._noted)

    def _noted(self) -> None:
        """The place has been told: play."""
        self._write(self._play, self._played)

    def _played(self) -> None:
        """A key leads on; without one the caller has the usual time for it."""
        if self._lines.startswith(_NO_KEY):
            self._write(_WAIT, self._pressed)
        else:
            self._pressed()

    def _pressed(self) -> None:
        if self._lines.startswith(_END):
            self._write(_GOODBYE, self._close)
        elif self._lines.startswith(b"200") and not self._lines.startswith(_HUNG_UP):
            self._write(_PLACE, self._noted)
        else:
            self._close()


async def _serve(port: int, sound: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: FloorCall(sound), "127.0.0.1", port, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2]))

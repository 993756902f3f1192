from __future__ import annotations

from asyncio import Transport
from typing import cast

from bench.menus_floor import FloorCall

PLAY = b"STREAM FILE /sounds/welcome 0123456789*#ABCD 0\n"


class Socket:
    """What a caller's socket was told."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False
        self.call = FloorCall("/sounds/welcome")
        self.call.connection_made(cast("Transport", self))

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def answer(self, *answers: bytes) -> list[bytes]:
        """What was written upon these answers."""
        before = len(self.written)
        for answer in answers:
            self.call.data_received(answer)
        return self.written[before:]


def entered() -> Socket:
    socket = Socket()
    assert socket.answer(b"agi_network: yes\n", b"agi_callerid: \n") == []
    assert socket.answer(b"\n", b"200 result", b"=0\n") == [b"EXEC Answer ,i\n", PLAY]
    return socket


def test_each_key_is_noted_on_the_channel_and_followed_by_a_sound() -> None:
    socket = entered()
    for _ in range(3):
        place, play = socket.answer(b"200 result=49 endpos=8000\n", b"200 result=0\n")
        assert place.startswith(b"EXEC MSet ACD_CALL=")
        assert play == PLAY
    assert not socket.closed


def test_without_a_key_the_caller_has_time_for_one() -> None:
    socket = entered()
    assert socket.answer(b"200 result=0 endpos=32000\n") == [b"WAIT FOR DIGIT 5000\n"]
    assert socket.answer(b"200 result=50\n")[0].startswith(b"EXEC MSet ")


def test_the_key_for_the_end_ends_the_call() -> None:
    socket = entered()
    assert socket.answer(b"200 result=48 endpos=100\n") == [b"SET VARIABLE ACD_DONE hangup\n"]
    assert not socket.closed
    assert socket.answer(b"200 result=1\n") == []
    assert socket.closed


def test_whoever_hangs_up_at_once_is_let_go() -> None:
    socket = Socket()
    dead = b"511 Command Not Permitted on a dead channel\n"
    assert socket.answer(b"agi_network: yes\n\nHANGUP\n", dead, dead) == [b"EXEC Answer ,i\n", PLAY]
    assert socket.closed


def test_whoever_hangs_up_is_let_go() -> None:
    for answer in (b"200 result=-1 endpos=0\nHANGUP\n", b"HANGUP\n", b"511 Command Not Permitted on a dead channel\n"):
        socket = entered()
        assert socket.answer(answer) == []
        assert socket.closed

from __future__ import annotations

from asyncio import Transport
from typing import cast

from bench.pbx_floor import Floor, FloorCall


class Socket:
    """What a caller's socket was told."""

    def __init__(self, floor: Floor) -> None:
        self.written: list[bytes] = []
        self.closed = False
        self.call = FloorCall(floor)
        self.call.connection_made(cast("Transport", self))

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def enter(self) -> None:
        """As Asterisk does: the environment in pieces, then a reply to each command."""
        self.call.data_received(b"agi_network: yes\n")
        self.call.data_received(b"agi_channel: PJSIP/trunk-1\nagi_callerid: \n")
        assert self.written == []
        self.call.data_received(b"\n")
        assert self.written == [b"EXEC Answer ,i\n"]
        self.call.data_received(b"200 result=0\n")
        assert self.written[-1] == b"SET MUSIC ON default\n"
        self.call.data_received(b"200 result")
        self.call.data_received(b"=0\n")


def dial(agent: str) -> bytes:
    return b"EXEC Dial PJSIP/%s,15,gm\n" % agent.encode()


def test_callers_get_idle_agents_in_turn_and_wait_when_there_are_none() -> None:
    floor = Floor(["anna", "ben"])
    sockets = [Socket(floor) for _ in range(3)]
    for each in sockets:
        each.enter()
    assert [each.written[-1] for each in sockets] == [dial("anna"), dial("ben"), b"SET MUSIC ON default\n"]
    assert len(floor.waiting) == 1


def test_the_end_of_a_dial_gives_the_agent_to_who_waits_longest() -> None:
    floor = Floor(["anna"])
    first, second, third = (Socket(floor) for _ in range(3))
    for each in (first, second, third):
        each.enter()
    first.call.data_received(b"200 result=0\n")
    assert first.closed
    assert second.written[-1] == dial("anna")
    assert third.written[-1] != dial("anna")
    assert not floor.idle


def test_an_agent_without_callers_is_idle_again() -> None:
    floor = Floor(["anna", "ben"])
    only = Socket(floor)
    only.enter()
    only.call.data_received(b"200 result=0\n")
    assert list(floor.idle) == ["ben", "anna"]
    only.call.data_received(b"HANGUP\n")
    assert list(floor.idle) == ["ben", "anna"]

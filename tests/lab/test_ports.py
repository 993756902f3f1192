"""Ports of a lab: the usual ones if free, others if not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from acd.lab import ports
from acd.lab.errors import PbxError
from acd.lab.ports import choose_ports, is_free


@contextmanager
def taken(kind: socket.SocketKind, *, listen: bool = False) -> Iterator[int]:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if listen:
            holder.listen()
        yield holder.getsockname()[1]


def test_usual_ports_when_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _host, _port: True)
    monkeypatch.setattr(ports, "_is_free_block", lambda _host, _start: True)
    chosen = choose_ports()
    assert (chosen.sip, chosen.ami, chosen.agi, chosen.web, chosen.http) == (5060, 5038, 4573, 8080, 8088)
    assert (chosen.rtp_start, chosen.rtp_end) == (10000, 11999)


def test_a_taken_usual_port_is_replaced_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _host, port: port != 5060)
    monkeypatch.setattr(ports, "_is_free_block", lambda _host, start: start != 10000)
    chosen = choose_ports()
    assert 15000 <= chosen.sip < 32000
    assert chosen.ami == 5038
    assert chosen.rtp_start == 12000


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_bound_port_is_not_free(kind: socket.SocketKind) -> None:
    with taken(kind, listen=kind == socket.SOCK_STREAM) as port:
        assert not is_free("127.0.0.1", port)
    assert is_free("127.0.0.1", port)


def test_other_ports_differ_from_each_other() -> None:
    for seed in range(20):
        chosen = choose_ports(usual=False, seed=seed)
        five = {chosen.sip, chosen.ami, chosen.agi, chosen.web, chosen.http}
        assert len(five) == 5
        assert all(15000 <= port < 32000 for port in five)


def test_no_port_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _host, _port: False)
    with pytest.raises(PbxError, match="no free port"):
        choose_ports()

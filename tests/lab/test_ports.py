"""Ports of a lab: the usual ones if free, others if not."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acd.lab import ports
from acd.lab.errors import PbxError
from acd.lab.ports import Claims, choose_ports, is_free


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
    assert 30000 <= chosen.sip < 32000
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
        assert all(30000 <= port < 32000 for port in five)
        assert chosen.rtp_end < 30000


def test_no_port_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _host, _port: False)
    with pytest.raises(PbxError, match="no free port"):
        choose_ports()


CLAIMING = """
import sys
from pathlib import Path
from acd.lab.ports import Claims
claims = Claims(Path(sys.argv[1]))
print(claims.take(30001), claims.take(30001), claims.take_media(10000), flush=True)
sys.stdin.readline()
"""


def test_what_another_process_has_claimed_is_left_to_it_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "ports"
    claims = Claims(path)
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True False True\n"
        assert not claims.take(30001)
        assert claims.take(30002)
        assert not claims.take_media(10000)
        assert claims.take_media(12000)
        other.kill()
        other.wait()
        assert claims.take(30001)
    assert claims.media_start == 12000


def test_labs_of_one_process_choose_different_ports_and_share_the_block_of_media(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "ports")
    labs = [choose_ports(usual=False, seed=1, claims=claims) for _ in range(3)]
    chosen = [port for lab in labs for port in (lab.sip, lab.ami, lab.agi, lab.web, lab.http)]
    assert len(set(chosen)) == 15
    assert len({lab.rtp_start for lab in labs}) == 1


def test_old_claims_are_given_up(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "ports")
    assert all(claims.take(30000 + index) for index in range(ports.MOST_CLAIMS + 1))
    assert claims.take(30000)
    assert not claims.take(30000 + ports.MOST_CLAIMS)


def test_without_a_folder_nothing_is_claimed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    claims = Claims(tmp_path / "file" / "ports")
    assert claims.take(30000)
    assert claims.take_media(10000)

"""Ports for a lab of one's own: the usual ones when they are free, others when they are not."""

from __future__ import annotations

import fcntl
import functools
import os
import random
import socket
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from acd.lab.errors import CacheFolderError, PbxError
from acd.lab.fetch import cache_home

SIP_PORT = 5060
AMI_PORT = 5038
AGI_PORT = 4573
WEB_PORT = 8080
HTTP_PORT = 8088
RTP_BLOCK = 2000
RTP_STARTS = range(10000, 30000, RTP_BLOCK)
# Above all media ports, so that no Asterisk's media takes a chosen port before it is bound, and below Linux' range of
# ports for outgoing connections (32768 and up), so that none of those does.
OTHER_PORTS = (30000, 32000)
TRIES = 200
MOST_CLAIMS = 40


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one lab. ``rtp_end`` is the last port of Asterisk's media."""

    sip: int
    ami: int
    agi: int
    web: int
    http: int
    rtp_start: int
    rtp_end: int


class Claims:
    """What labs of one user have chosen but perhaps not bound yet, so that no two choose the same.

    A claim is a lock on one byte of a file, the port's number being the place: it ends with the process that holds it,
    however that ends. The last ``MOST_CLAIMS`` of a process stand, the older ones are given up. Where there can be no
    such file nothing is claimed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._held: deque[int] = deque()
        self.media_start: int | None = None
        """The first port of this process's block of media ports, which its labs share."""

    def take(self, port: int) -> bool:
        """Claim a port; false when it is claimed already, by us or by others."""
        if port in self._held or not self._lock(port):
            return False
        self._held.append(port)
        if len(self._held) > MOST_CLAIMS:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._held.popleft())
        return True

    def take_media(self, start: int) -> bool:
        """Claim a block of media ports for this process."""
        if self._lock(start):
            self.media_start = start
        return self.media_start == start

    def _lock(self, port: int) -> bool:
        try:
            if self._file < 0:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except (BlockingIOError, PermissionError):
            return self._file < 0
        except OSError:
            return True
        return True


@functools.cache
def _own_claims() -> Claims:
    """The claims of this process: record locks belong to a process, so there is one of these in each."""
    try:
        return Claims(cache_home(os.environ) / "ports")
    except CacheFolderError:
        return Claims(Path(os.devnull) / "ports")


def choose_ports(
    host: str = "127.0.0.1", *, usual: bool = True, seed: int | None = None, claims: Claims | None = None
) -> Ports:
    """Free ports on ``host``; the usual ones where they are free, unless ``usual`` is false (tests in parallel).

    Ports other than the usual ones are claimed, too, in ``claims``: by default those of this process.
    """
    chooser = random.Random(seed)  # noqa: S311 - nothing secret
    claims = claims or _own_claims()

    def choose(preferred: int) -> int:
        return preferred if usual and is_free(host, preferred) else _other(host, chooser, claims)

    sip, ami, agi = choose(SIP_PORT), choose(AMI_PORT), choose(AGI_PORT)
    web, http = choose(WEB_PORT), choose(HTTP_PORT)
    rtp_start = _first_free_block(host, RTP_STARTS) if usual else _own_block(host, chooser, claims)
    return Ports(sip, ami, agi, web, http, rtp_start, rtp_start + RTP_BLOCK - 1)


def is_free(host: str, port: int) -> bool:
    """Whether ``port`` can be bound on ``host`` now, by TCP and by UDP."""
    return _can_bind(host, port, socket.SOCK_STREAM) and _can_bind(host, port, socket.SOCK_DGRAM)


def _other(host: str, chooser: random.Random, claims: Claims) -> int:
    for _ in range(TRIES):
        port = chooser.randrange(*OTHER_PORTS)
        if is_free(host, port) and claims.take(port):
            return port
    raise PbxError(f"no free port on {host} between {OTHER_PORTS[0]} and {OTHER_PORTS[1]}")


def _first_free_block(host: str, starts: Sequence[int]) -> int:
    return next((start for start in starts if _is_free_block(host, start)), starts[0])


def _own_block(host: str, chooser: random.Random, claims: Claims) -> int:
    """Media ports that no other process has claimed, if there are any: who shares some may have to try twice."""
    starts = list(RTP_STARTS)
    chooser.shuffle(starts)
    if claims.media_start is not None:
        starts.insert(0, claims.media_start)
    return next((start for start in starts if _is_free_block(host, start) and claims.take_media(start)), starts[0])


def _is_free_block(host: str, start: int) -> bool:
    return all(_can_bind(host, port, socket.SOCK_DGRAM) for port in range(start, start + RTP_BLOCK))


def _can_bind(host: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As servers do it: a port whose last connections linger in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True

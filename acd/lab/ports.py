"""Ports for a lab of one's own: the usual ones when they are free, others when they are not."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass

from acd.lab.errors import PbxError

SIP_PORT = 5060
AMI_PORT = 5038
AGI_PORT = 4573
WEB_PORT = 8080
HTTP_PORT = 8088
RTP_BLOCK = 2000
RTP_STARTS = range(10000, 30000, RTP_BLOCK)
# Below Linux' range of ports for outgoing connections (32768 and up), so that none of those takes a chosen port.
OTHER_PORTS = (15000, 32000)
TRIES = 200


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


def choose_ports(host: str = "127.0.0.1", *, usual: bool = True, seed: int | None = None) -> Ports:
    """Free ports on ``host``; the usual ones where they are free, unless ``usual`` is false (tests in parallel)."""
    chooser = random.Random(seed)  # noqa: S311 - nothing secret
    taken: set[int] = set()

    def choose(preferred: int) -> int:
        port = preferred if usual and is_free(host, preferred) else _other(host, chooser, taken)
        taken.add(port)
        return port

    sip, ami, agi = choose(SIP_PORT), choose(AMI_PORT), choose(AGI_PORT)
    web, http = choose(WEB_PORT), choose(HTTP_PORT)
    starts = list(RTP_STARTS)
    if not usual:
        chooser.shuffle(starts)
    rtp_start = next((start for start in starts if _is_free_block(host, start)), starts[0])
    return Ports(sip, ami, agi, web, http, rtp_start, rtp_start + RTP_BLOCK - 1)


def is_free(host: str, port: int) -> bool:
    """Whether ``port`` can be bound on ``host`` now, by TCP and by UDP."""
    return _can_bind(host, port, socket.SOCK_STREAM) and _can_bind(host, port, socket.SOCK_DGRAM)


def _other(host: str, chooser: random.Random, taken: set[int]) -> int:
    for _ in range(TRIES):
        port = chooser.randrange(*OTHER_PORTS)
        if port not in taken and is_free(host, port):
            return port
    raise PbxError(f"no free port on {host} between {OTHER_PORTS[0]} and {OTHER_PORTS[1]}")


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

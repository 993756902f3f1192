"""Ports are opened first, and an error tells which setting to change."""

from __future__ import annotations

import socket

import pytest

from acd.service.errors import StartError
from acd.service.listening import listen
from tests.service.sites import free_port


def test_connections_wait_in_the_socket() -> None:
    port = free_port()
    with (
        listen("asterisk.fastagi", "127.0.0.1", port) as listener,
        socket.create_connection(("127.0.0.1", port), timeout=5) as caller,
    ):
        caller.sendall(b"hello")
        accepted, _ = listener.accept()
        with accepted:
            accepted.setblocking(True)
            assert accepted.recv(10) == b"hello"


def test_a_taken_port_names_its_setting() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(StartError, match=rf"port {port} on 127.0.0.1 is taken.*asterisk.fastagi.port.*ACD_FASTAGI"):
            listen("asterisk.fastagi", "127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_names_its_setting(host: str) -> None:
    with pytest.raises(StartError, match=r"web.host or web.port in acd.yaml \(ACD_WEB_HOST, ACD_WEB_PORT\)"):
        listen("web", host, free_port())


def test_a_port_of_a_process_that_just_ended_is_free() -> None:
    port = free_port()
    with (
        listen("web", "127.0.0.1", port) as first,
        socket.create_connection(("127.0.0.1", port), timeout=5) as caller,
    ):
        accepted, _ = first.accept()
        accepted.close()  # our end closes first, so it is ours that lingers
        caller.recv(1)
    listen("web", "127.0.0.1", port).close()

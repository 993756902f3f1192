from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NoReturn

import pytest

from acd.doctor import machine
from acd.doctor.findings import Finding, Level
from acd.doctor.machine import check_engine, check_folders, check_host_name
from acd.lab.ports import choose_ports
from config import Config, load
from tests.doctor.site_files import write_site


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(write_site(tmp_path / "site", choose_ports(usual=False), 5038), env={})


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


@contextmanager
def web(port: int, status: int, body: bytes) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def readiness(*reasons: str) -> bytes:
    return json.dumps({"status": "not ready" if reasons else "ready", "reasons": reasons}).encode()


def test_engine_that_does_not_run(config: Config) -> None:
    found = only(check_engine(config, 1.0))
    assert found.level is Level.WARNING
    assert found.remedy == "start it: acd run"


def test_engine_that_is_ready(config: Config) -> None:
    with listening(config.acd.asterisk.fastagi.port), web(config.acd.web.port, 200, readiness()):
        assert only(check_engine(config, 1.0)).level is Level.OK


def test_engine_that_is_not_ready_says_why(config: Config) -> None:
    body = readiness("AMI: wrong password")
    with listening(config.acd.asterisk.fastagi.port), web(config.acd.web.port, 503, body):
        found = only(check_engine(config, 1.0))
    assert found.level is Level.WARNING
    assert "AMI: wrong password" in found.text


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"reasons": "none"}'])
def test_ports_taken_by_others(config: Config, body: bytes) -> None:
    with listening(config.acd.asterisk.fastagi.port), web(config.acd.web.port, 200, body):
        found = only(check_engine(config, 1.0))
    assert found.level is Level.FAULT
    assert "no engine answers on the web port" in found.text


def test_engine_of_another_configuration(config: Config) -> None:
    with web(config.acd.web.port, 200, readiness()):
        found = only(check_engine(config, 1.0))
    assert found.level is Level.FAULT
    assert "its FastAGI port" in found.text


def test_own_name_that_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    assert only(check_host_name(asterisk_is_here=True)).level is Level.OK


def test_own_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object) -> NoReturn:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr(socket, "gethostname", lambda: "pbx7")
    found = only(check_host_name(asterisk_is_here=True))
    assert found.level is Level.FAULT
    assert "Name or service not known" in found.text
    assert "127.0.1.1 pbx7" in found.remedy


def test_own_name_that_resolves_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_args: object) -> list[object]:
        time.sleep(0.25)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    assert only(check_host_name(asterisk_is_here=True)).level is Level.WARNING


def test_own_name_whose_server_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    hang = threading.Event()
    monkeypatch.setattr(machine, "_NAME_TIMEOUT_S", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: hang.wait(10))
    found = only(check_host_name(asterisk_is_here=True))
    hang.set()
    assert found.level is Level.FAULT
    assert "no answer within 0.1 s" in found.text


def test_name_of_another_machine_is_not_ours_to_ask() -> None:
    assert only(check_host_name(asterisk_is_here=False)).level is Level.UNCHECKED


def test_folders_that_can_be_made(config: Config) -> None:
    found = list(check_folders(config))
    assert [finding.level for finding in found] == [Level.OK, Level.OK]
    assert all("will be made" in finding.text for finding in found)


def test_a_folder_that_is_a_file(config: Config) -> None:
    config.acd.state_dir.write_text("")
    state, cache = check_folders(config)
    assert state.level is Level.FAULT
    assert "chown" in state.remedy
    assert cache.level is Level.OK

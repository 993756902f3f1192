"""Checks of this machine: its name, the engine's folders and ports. No Asterisk is needed for them."""

from __future__ import annotations

import http.client
import json
import os
import queue
import socket
import threading
import time
from typing import Final

from acd.doctor.findings import Findings, fault, ok, unchecked, warning
from config import Config

__all__ = ["check_engine", "check_folders", "check_host_name"]

_SLOW_NAME_S: Final = 0.2
_NAME_TIMEOUT_S: Final = 5.0
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_MAX_BODY_BYTES: Final = 65536


def check_host_name(asterisk_is_here: bool) -> Findings:
    """Does the machine's own name resolve, and at once? Asterisk asks for it at every SIP call."""
    name = socket.gethostname()
    if not asterisk_is_here:
        yield unchecked(
            "host-name",
            "Asterisk runs on another machine, whose own name must resolve at once",
            'look there: time getent ahosts "$(hostname)" must answer within milliseconds',
        )
        return
    remedy = f"put '127.0.1.1 {name}' into /etc/hosts: otherwise each SIP call of Asterisk waits for the name server"
    answer: queue.SimpleQueue[str] = queue.SimpleQueue()
    began = time.monotonic()
    threading.Thread(target=lambda: answer.put(_resolve(name)), daemon=True).start()
    try:
        trouble = answer.get(timeout=_NAME_TIMEOUT_S)
    except queue.Empty:
        trouble = f"no answer within {_NAME_TIMEOUT_S:g} s"
    took_s = time.monotonic() - began
    if trouble:
        yield fault("host-name", f"this machine's name {name!r} does not resolve: {trouble}", remedy)
    elif took_s > _SLOW_NAME_S:
        yield warning("host-name", f"resolving this machine's name {name!r} took {took_s:.1f} s", remedy)
    else:
        yield ok("host-name", f"{name} resolves in {took_s * 1000:.0f} ms")


def _resolve(name: str) -> str:
    try:
        socket.getaddrinfo(name, None)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def check_folders(config: Config) -> Findings:
    """Can the engine keep its state and cache, seen with this command's own user?"""
    for key, folder in (("state_dir", config.acd.state_dir), ("cache_dir", config.acd.cache_dir)):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
            yield ok("folders", f"{key} {folder} can be written" + ("" if existing == folder else " (will be made)"))
        else:
            yield fault(
                "folders",
                f"{key} {folder} can't be written by user {_user()}",
                f"run this as the engine's user, or: mkdir -p {folder} && chown ENGINE-USER {folder}; "
                f"or set {key} in acd.yaml",
            )


def _user() -> str:
    return os.environ.get("USER") or str(os.getuid())


def check_engine(config: Config, timeout_s: float) -> Findings:
    """Does the engine run, and is it ready? Are its ports free when it does not?"""
    web, agi = config.acd.web, config.acd.asterisk.fastagi
    state = _ask(_reachable(web.host), web.port, "/readyz", timeout_s)
    listens = _accepts(_reachable(agi.host), agi.port, timeout_s)
    if state is None and not listens:
        yield warning(
            "engine", f"the engine does not run (nobody listens on {agi.host}:{agi.port})", "start it: acd run"
        )
    elif state is None:
        yield fault(
            "engine",
            f"something listens on the FastAGI port {agi.host}:{agi.port}, but no engine answers on the web port "
            f"{web.host}:{web.port}",
            "another program has a port of the engine's: change asterisk.fastagi.port or web.port in acd.yaml",
        )
    elif not listens:
        yield fault(
            "engine",
            f"the engine's web port answers, but its FastAGI port {agi.host}:{agi.port} does not",
            "see asterisk.fastagi in acd.yaml: is it the engine of this configuration that runs?",
        )
    elif state:
        yield warning("engine", f"the engine runs but is not ready: {'; '.join(state)}", "see its log")
    else:
        yield ok("engine", f"runs and is ready (FastAGI {agi.host}:{agi.port}, web {web.host}:{web.port})")


def _reachable(host: str) -> str:
    return _ANY.get(host, host)


def _accepts(host: str, port: int, timeout_s: float) -> bool:
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError:
        return False
    return True


def _ask(host: str, port: int, path: str, timeout_s: float) -> list[str] | None:
    """The engine's reasons for not being ready, none when it is ready; None when no engine answers."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        body = json.loads(connection.getresponse().read(_MAX_BODY_BYTES))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    reasons = body.get("reasons") if isinstance(body, dict) else None
    return [str(reason) for reason in reasons] if isinstance(reasons, list) else None

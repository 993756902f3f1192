"""Small configuration folders for tests."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from config import Config, load

AGENTS: Mapping[str, Iterable[str]] = {"anna": ["cards"], "bob": ["cards", "general"]}


def write_site(
    folder: Path,
    *,
    agents: Mapping[str, Iterable[str]] = AGENTS,
    start: str = "ready",
    routing: Mapping[str, object] | None = None,
    queues: Mapping[str, Mapping[str, object]] | None = None,
    defaults: Mapping[str, object] | None = None,
    acd: Mapping[str, object] | None = None,
    trees: Mapping[str, Mapping[str, object]] | None = None,
    extensions: Mapping[str, str] | None = None,
) -> Path:
    """Write a site: 100 has a menu (1 cards, 2 general), 200 goes straight into the queue cards, 300 into general.

    ``agents``: queues by agent; the phone is ``PJSIP/<agent>``. ``extensions``: of some agents. Short times, so that
    tests are quick.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ivr").mkdir(exist_ok=True)
    queue_names = queues if queues is not None else {"cards": {}, "general": {}}
    files: dict[str, Mapping[str, object]] = {
        "acd.yaml": {"log": {"level": "debug", "format": "json"}, "drain_timeout_s": "5", **(acd or {})},
        "routing.yaml": {
            "numbers": {"100": "main", "200": "main.cards", "300": "main.general", "default": "main"},
            "defaults": {"ring_timeout_s": "2", "wrap_up": {"seconds": "0"}, **(defaults or {})},
            "queues": {name: {"title": name.title(), **settings} for name, settings in queue_names.items()},
            "missed_ring": {"back_off_s": "30"},
            "rejected": {"back_off_s": "30"},
            "unreachable": {"back_off_s": "30"},
            **(routing or {}),
        },
        "agents.yaml": {
            "agents": {
                name: {"phone": f"PJSIP/{name}", "queues": list(served), "start": start}
                | ({"extension": extensions[name]} if extensions and name in extensions else {})
                for name, served in agents.items()
            },
            "not_ready_reasons": {"1": "lunch"},
        },
    }
    for name, tree in (trees or {"main": MAIN}).items():
        files[f"ivr/{name}.yaml"] = tree
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False))
    return folder


MAIN: Mapping[str, Any] = {
    "start": "menu",
    "prompts": {
        "choose": {"en": {"text": "One or two?"}},
        "wrong": {"en": {"text": "That is no choice."}},
    },
    "nodes": {
        "menu": {
            "type": "menu",
            "prompt": "choose",
            "timeout_s": "1",
            "choices": {"1": "cards", "2": "general"},
            "invalid": {"prompt": "wrong", "retries": "1"},
            "no_input": {"retries": "1"},
            "on_failure": "general",
        },
        "cards": {"type": "enqueue", "queue": "cards"},
        "general": {"type": "enqueue", "queue": "general"},
    },
}


def free_ports(count: int) -> list[int]:
    """TCP ports, all different, that are free at this moment."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def free_port() -> int:
    """A TCP port that is free at this moment."""
    return free_ports(1)[0]


def load_site(folder: Path) -> Config:
    """Load a site as the process does, with a password and folders beside it."""
    fastagi, web, ami = free_ports(3)
    env = {
        "ACD_AMI_PASSWORD": "secret-of-the-test",
        "ACD_STATE_DIR": str(folder / "state"),
        "ACD_CACHE_DIR": str(folder / "cache"),
        "ACD_RECORDINGS_DIR": str(folder / "recordings"),
        "ACD_FASTAGI_PORT": str(fastagi),
        "ACD_WEB_PORT": str(web),
        "ACD_AMI_PORT": str(ami),
    }
    return load(folder, env)

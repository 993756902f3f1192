"""The site of ``bench.menus``: menus four levels deep, information to hear, numbers said and asked for, and a goodbye.

On each menu ``1`` to ``4`` lead down (the keys of a menu on the lowest level lead to something to hear, or ask for four
digits, which are then read back), ``9`` leads back up, ``0`` ends the call; any other key is wrong. What is heard leads
back to its menu.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["END_KEY", "INVALID_KEY", "NUMBER", "UP_KEY", "WELCOME", "write_site"]

NUMBER = "100"
"""What the callers dial."""
UP_KEY, END_KEY, INVALID_KEY = "9", "0", "7"
WELCOME = "welcome.wav"
"""The recording that every caller hears first, below ``prompts/en`` of the site."""

_LEVELS = 3
_BRANCHES = "1234"
_DIGITS = 4
_RATE_HZ = 8000
_RECORDED_S = {"welcome": 4, "information": 12}

_ACD_YAML = "asterisk:\n  fastagi: {max_sessions: 2000}\n"
_ROUTING_YAML = """\
numbers: {default: main}
queues:
  general: {title: General}
"""
_AGENTS_YAML = "agents:\n  anna: {phone: PJSIP/anna, queues: [general], start: not-ready}\n"


def write_site(folder: Path) -> None:
    """Write the configuration folder and its recordings."""
    (folder / "ivr").mkdir(parents=True)
    (folder / "acd.yaml").write_text(_ACD_YAML)
    (folder / "routing.yaml").write_text(_ROUTING_YAML)
    (folder / "agents.yaml").write_text(_AGENTS_YAML)
    # JSON is YAML as well.
    (folder / "ivr" / "main.yaml").write_text(json.dumps(_tree(), indent=1))
    recordings = folder / "prompts" / "en"
    recordings.mkdir(parents=True)
    for name, seconds in _RECORDED_S.items():
        with wave.open(str(recordings / f"{name}.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(_RATE_HZ)
            sound.writeframes(bytes(2 * _RATE_HZ * seconds))


def _tree() -> Mapping[str, Any]:
    return {
        "start": "hello",
        "language": "en",
        "prompts": {
            **{name: {"en": {"file": f"{name}.wav"}} for name in _RECORDED_S},
            "which": {"en": {"text": "For each of the four parts, press its number. To go back up, press nine."}},
            "part": {"en": {"text": "You have chosen a part. It has four parts in turn: one, two, three and four."}},
            "account": {"en": {"text": "Please enter the four digits of your account."}},
            "wrong": {"en": {"text": "That is not one of the choices."}},
            "bye": {"en": {"text": "Thank you for your call. Goodbye."}},
        },
        "nodes": {
            "hello": {"type": "play", "prompt": "welcome", "next": "m"},
            "bye": {"type": "hangup", "prompt": "bye"},
            **dict(_menus("m", None, _LEVELS)),
        },
    }


def _menus(name: str, parent: str | None, levels: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """One menu and all below it. A menu is named by the way to it: ``m``, ``m1``, ``m14`` …"""
    lowest = levels == 0
    below = {key: f"{name}{key}" for key in _BRANCHES}
    yield (
        name,
        {
            "type": "menu",
            "prompt": ["part", "which"] if parent else "which",
            "choices": {**below, UP_KEY: parent or name, END_KEY: "bye"},
            "invalid": {"prompt": "wrong", "retries": 2},
            "no_input": {"retries": 2},
            "on_failure": "bye",
        },
    )
    for key, child in below.items():
        if lowest:
            yield from _below(key, child, name)
        else:
            yield from _menus(child, name, levels - 1)


def _below(key: str, name: str, menu: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What a key of a menu on the lowest level leads to; from there it goes back to the menu."""
    if key == "1":
        yield name, {"type": "play", "prompt": "information", "next": menu}
    elif key == "2":
        yield name, {"type": "say", "kind": "number", "value": "1248", "next": menu}
    elif key == "3":
        yield name, {"type": "say", "kind": "phone", "value": "{call.caller}", "next": menu}
    else:
        said = f"{name}-said"
        digits = {"min_digits": _DIGITS, "max_digits": _DIGITS, "on_failure": menu}
        yield name, {"type": "collect", "prompt": "account", "name": "account", "next": said, **digits}
        yield said, {"type": "say", "kind": "digits", "value": "{data.account}", "next": menu}

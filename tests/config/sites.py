"""A small sound site as texts, to be broken in one place at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

ACD: Final = """\
asterisk:
  ami:
    host: 127.0.0.1
    password_file: ami-password
  fastagi: {port: 4573}
web: {port: 8080}
log:
  level: info
"""

ROUTING: Final = """\
numbers:
  "100": main
  default: main
skills:
  english: English
  cards: Card services
defaults:
  ring_timeout_s: 15
queues:
  cards:
    title: Cards
    requires: {cards: 3}
  general:
    wrap_up: {seconds: 5}
    opening_hours: office
    join:
      - when: {out_of_hours: yes}
        then: {closing: goodbye}
"""

CALENDARS: Final = """\
calendars:
  office:
    zone: Europe/Berlin
    hours:
      mon-fri: ["09:00-12:30", "13:30-18:00"]
      sat: ["10:00-14:00"]
    closed: ["2026-12-25"]
    open:
      "2026-12-24": ["09:00-12:00"]
"""

AGENTS: Final = """\
agents:
  anna:
    name: Anna Li
    phone: PJSIP/anna
    queues: [cards, general]
    skills: {cards: 5, english: 3}
    start: ready
  bob:
    phone: PJSIP/bob
    queues:
      - general
"""

MAIN: Final = """\
start: welcome
language: en
prompts:
  hello:
    en: {text: "Hello."}
  choose:
    en: {text: "Press one."}
    zh: {file: choose.wav}
nodes:
  welcome:
    type: play
    prompt: hello
    barge_in: yes
    next: ask
  ask:
    type: menu
    prompt: choose
    timeout_s: 5
    choices:
      "1": to-cards
      "2": other.greet
    invalid: {prompt: not-valid, retries: 2}
    on_failure: bye
  to-cards:
    type: enqueue
    queue: cards
    requires: {english: 2}
    data: {topic: "{call.dialled}"}
    next: ask
  bye:
    type: hangup
    cause: normal
"""

OTHER: Final = """\
start: greet
nodes:
  greet:
    type: say
    kind: digits
    value: "42"
    next: leave
  leave:
    type: enqueue
    queue: general
"""

Changes = dict[str, str | bytes | None]
"""Files of the site with other content; None for a file left out."""

FILES: Final[Mapping[str, str]] = {
    "acd.yaml": ACD,
    "routing.yaml": ROUTING,
    "agents.yaml": AGENTS,
    "calendars.yaml": CALENDARS,
    "ivr/main.yaml": MAIN,
    "ivr/other.yaml": OTHER,
    "ami-password": "top-secret\n",
}

WAV: Final = (
    b"RIFF\x34\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00"
    b"data\x10\x00\x00\x00" + bytes(16)
)


def write_site(folder: Path, changes: Mapping[str, str | bytes | None] | None = None) -> Path:
    """Write the sound site with some files changed; None leaves a file out."""
    files: dict[str, str | bytes | None] = {**FILES, "prompts/zh/choose.wav": WAV, **(changes or {})}
    for name, content in files.items():
        if content is None:
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "ivr").mkdir(exist_ok=True)
    password = folder / "ami-password"
    if password.exists():
        password.chmod(0o600)
    return folder


def changed(name: str, old: str, new: str) -> Changes:
    """Return one file of the sound site with one place in it changed."""
    return {name: replaced(FILES[name], old, new)}


def replaced(text: str, old: str, new: str) -> str:
    """Return a text with its one place ``old`` changed. Raises ValueError when there is none, or more."""
    if text.count(old) != 1:
        raise ValueError(f"{old!r} is there {text.count(old)} times")
    return text.replace(old, new)

"""Recorded traffic of a real Asterisk; see recorded/README.md."""

from __future__ import annotations

import json
from pathlib import Path

from ami_bridge.ami_codec import AmiMessage, AmiParser

FOLDER = Path(__file__).with_name("recorded")
CALLS = (FOLDER / "calls.ami").read_bytes()
MIXED = (FOLDER / "mixed.ami").read_bytes()
TORN = (FOLDER / "torn.ami").read_bytes()


def agi_sessions() -> dict[str, list[tuple[str, str]]]:
    """Who (``asterisk`` or ``engine``) said what, by session."""
    sessions = json.loads((FOLDER / "agi_sessions.json").read_text(encoding="utf-8"))
    return {entry["session"]: [(who, text) for who, text in entry["talk"]] for entry in sessions}


def parse(data: bytes, size: int | None = None) -> tuple[list[AmiMessage], AmiParser]:
    """The messages in `data`, fed whole or `size` bytes at a time."""
    parser = AmiParser()
    step = size or len(data)
    return [
        message for start in range(0, len(data), step) for message in parser.feed(data[start : start + step])
    ], parser


def facts(messages: list[AmiMessage]) -> list[tuple[dict[str, str], list[str], list[str]]]:
    """All that a message holds, to compare."""
    return [(dict(message), message.all("ChanVariable"), message.all("Output")) for message in messages]

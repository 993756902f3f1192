"""A store of prompts with a voice, a clock and a log of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from structlog.testing import CapturingLogger

from acd.service.prompts import PromptLimits, PromptStore
from acd.service.prompts.audio import read_format, write_wav
from acd.service.prompts.defaults import DEFAULT_TEXTS, ON_DEMAND, PromptTable, SpokenText
from acd.service.prompts.tools import ToolError
from tests.service.prompts.sounds import tone

GENERAL = [name for name in DEFAULT_TEXTS if not name.startswith(ON_DEMAND)]
"""Default prompts that every site prepares."""
TABLE: PromptTable = {
    "welcome": {"en": SpokenText("Welcome."), "zh": SpokenText("欢迎。")},
    "closed": {"en": SpokenText("We are closed.")},
}


PATIENT = PromptLimits(patience_s=90)


class FakeVoice:
    """A synthesiser in memory that tells what it was asked for, and can be made to wait or fail."""

    def __init__(self, name: str = "fake", languages: tuple[str, ...] = ("en", "zh")) -> None:
        self.name = name
        self.languages = languages
        self.spoken: list[tuple[str, str]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self.started = asyncio.Event()
        self.failing: dict[str, str] = {}

    def identity(self, language: str) -> str | None:
        return f"{self.name}-{language}" if language in self.languages else None

    async def synthesise(self, text: str, language: str) -> bytes:
        voice = f"{self.name}-{language}"
        self.spoken.append((voice, text))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.started.set()
        try:
            await self.may_finish.wait()
        finally:
            self.at_once -= 1
        if voice in self.failing or text in self.failing:
            raise ToolError(self.failing.get(voice) or self.failing[text])
        return write_wav(tone(440, 22050, 0.2))


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Log(CapturingLogger):
    def events(self) -> list[tuple[str, Mapping[str, Any]]]:
        return [(call.args[0], call.kwargs) for call in self.calls]

    def reasons(self) -> list[str]:
        return [fields["reason"] for event, fields in self.events() if event == "prompt sound unavailable"]


Make = Callable[..., PromptStore]


def sound(path: str) -> Path:
    file = Path(f"{path}.wav")
    assert file.is_absolute()
    assert read_format(file.read_bytes()).plays_in_asterisk
    return file


def rate_of(path: str) -> int:
    return read_format(Path(path).read_bytes()).rate_hz

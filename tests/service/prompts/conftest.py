from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from acd.service.prompts import PromptStore
from acd.service.prompts import audio as prompts_audio
from acd.service.prompts.converting import Converters
from acd.service.prompts.tools import ToolError
from tests.service.prompts.stores import PATIENT, TABLE, Clock, FakeVoice, Log, Make


@pytest.fixture
def voice() -> FakeVoice:
    return FakeVoice()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def quick_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convert in this process and each sound once: starting processes takes long."""
    known: dict[tuple[bytes, int, bool], bytes] = {}

    async def quick(_: Converters, wav: bytes, rate_hz: int, *, speech: bool) -> bytes:
        await asyncio.sleep(0)
        if (wav, rate_hz, speech) not in known:
            try:
                known[wav, rate_hz, speech] = prompts_audio.convert(wav, rate_hz, speech=speech)
            except prompts_audio.AudioError as error:
                raise ToolError(str(error)) from error
        return known[wav, rate_hz, speech]

    monkeypatch.setattr(Converters, "convert", quick)


@pytest.fixture
async def make_converting(tmp_path: Path, voice: FakeVoice, clock: Clock, log: Log) -> AsyncIterator[Make]:
    stores = []

    def build(**more: Any) -> PromptStore:
        settings: dict[str, Any] = {
            "recorded_dir": tmp_path / "prompts",
            "synthesisers": [voice],
            "log": log,
            "clock": clock,
            "limits": PATIENT,
        }
        store = PromptStore(tmp_path / "cache", **(settings | more))
        store.use(TABLE)
        stores.append(store)
        return store

    yield build
    for store in stores:
        await store.close()


@pytest.fixture
def make(make_converting: Make, quick_conversion: None) -> Make:
    """Make stores that convert quickly."""
    return make_converting

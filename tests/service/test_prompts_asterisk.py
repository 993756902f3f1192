"""The real Asterisk reads what the prompt store writes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from acd.lab.fetch import ensure_asterisk
from acd.lab.pbx import Pbx
from acd.service.prompts import PromptLimits, PromptStore
from acd.service.prompts.audio import read_wav
from acd.service.prompts.defaults import Recording, SpokenText
from acd.service.prompts.synthesis import EspeakNg
from ivr.speech import Prompt
from tests.service.test_prompts_audio import tone, wav_file

pytestmark = pytest.mark.pbx

GSM_FRAME_BYTES, GSM_FRAME_S = 33, 0.02
SLIN16_BYTES_PER_S = 32_000


def size(path: Path) -> int:
    return path.stat().st_size


async def test_asterisk_plays_spoken_and_recorded_prompts_from_beginning_to_end(tmp_path: Path) -> None:
    install = await asyncio.to_thread(ensure_asterisk)
    studio = wav_file(1, 2, 44100, 16, bytes(4) * 22050 + stereo_tone())
    (tmp_path / "prompts" / "en").mkdir(parents=True)
    (tmp_path / "prompts" / "en" / "studio.wav").write_bytes(studio)
    store = PromptStore(
        tmp_path / "cache",
        recorded_dir=tmp_path / "prompts",
        synthesisers=[EspeakNg(argv=install.espeak_ng, timeout_s=60)],
        rates_hz=(8000, 16000),
        limits=PromptLimits(patience_s=90),
    )
    store.use({"welcome": {"zh": SpokenText("欢迎致电，请按一。")}, "studio": {"en": Recording("studio.wav")}})

    async with Pbx(install, tmp_path / "pbx", usual_ports=False) as pbx:
        for name in ("welcome", "studio"):
            (base,) = await store.resolve(Prompt(name), "zh")
            duration_s = read_wav(await asyncio.to_thread(Path(f"{base}.wav").read_bytes)).duration_s
            narrow, wide = tmp_path / f"{name}.gsm", tmp_path / f"{name}.sln16"

            assert "Converted" in await pbx.cli(f"file convert {base}.wav {narrow}")
            assert "Converted" in await pbx.cli(f"file convert {base}.wav16 {wide}")

            assert size(narrow) / GSM_FRAME_BYTES * GSM_FRAME_S == pytest.approx(duration_s, abs=2 * GSM_FRAME_S)
            assert size(wide) / SLIN16_BYTES_PER_S == pytest.approx(duration_s, abs=2 * GSM_FRAME_S)


def stereo_tone() -> bytes:
    samples = (round(value * 32767) for value in tone(440, 44100, 0.5).samples)
    return b"".join(sample.to_bytes(2, "little", signed=True) * 2 for sample in samples)

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
from config.recordings import look_at
from ivr.speech import Number, Prompt
from tests.service.prompts.sounds import tone, wav_file

pytestmark = pytest.mark.pbx

GSM_FRAME_BYTES, GSM_FRAME_S = 33, 0.02
SLIN_BYTES_PER_S, SLIN16_BYTES_PER_S = 16_000, 32_000


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
        await native_recordings_play(tmp_path, pbx, store)
        await joined_parts_play(tmp_path, pbx, store)
    await store.close()


async def native_recordings_play(tmp_path: Path, pbx: Pbx, store: PromptStore) -> None:
    """Asterisk plays a recording of each kind that is left to it, and we know how long it takes."""
    folder = tmp_path / "prompts" / "en"
    (base,) = await store.resolve(Prompt("welcome"), "zh")
    said_s = read_wav(await asyncio.to_thread(Path(f"{base}.wav").read_bytes)).duration_s
    for ending in ("alaw", "ulaw", "gsm", "sln", "sln16", "g722"):
        source = f"{base}.wav16" if ending in ("sln16", "g722") else f"{base}.wav"
        assert "Converted" in await pbx.cli(f"file convert {source} {folder}/native-{ending}.{ending}")
        found = await asyncio.to_thread(look_at, folder / f"native-{ending}.{ending}")
        assert found.plays_as_it_is, ending
        assert found.duration_s == pytest.approx(said_s, abs=0.1), ending
        store.use({"native": {"en": Recording(f"native-{ending}.{ending}")}})
        (resolved,) = (await store.resolve_all((Prompt("native"),), "en")).files
        assert resolved == str(folder / f"native-{ending}")
        heard = tmp_path / f"{ending}.sln"
        assert "Converted" in await pbx.cli(f"file convert {resolved}.{ending} {heard}")
        assert size(heard) / SLIN_BYTES_PER_S == pytest.approx(said_s, abs=0.1), ending


async def joined_parts_play(tmp_path: Path, pbx: Pbx, store: PromptStore) -> None:
    store.use({"you-are": {"en": SpokenText("You are number")}})
    (joined,) = (await store.resolve_all((Prompt("you-are"), Number(3)), "en")).files
    duration_s = read_wav(await asyncio.to_thread(Path(f"{joined}.wav").read_bytes)).duration_s
    for ending, out, rate in ((".wav", "joined.sln", SLIN_BYTES_PER_S), (".wav16", "joined.sln16", SLIN16_BYTES_PER_S)):
        assert "Converted" in await pbx.cli(f"file convert {joined}{ending} {tmp_path / out}")
        assert size(tmp_path / out) / rate == pytest.approx(duration_s, abs=0.05)


def stereo_tone() -> bytes:
    samples = (round(value * 32767) for value in tone(440, 44100, 0.5).samples)
    return b"".join(sample.to_bytes(2, "little", signed=True) * 2 for sample in samples)

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from acd.lab.fetch import ensure_asterisk
from acd.lab.install import Tool
from acd.service.prompts import PromptStore
from acd.service.prompts.audio import Sound, read_wav, write_wav
from acd.service.prompts.defaults import Recording, SpokenText
from acd.service.prompts.joining import PAUSE_MAX_S, PAUSE_S, SENTENCE_PAUSE_S, JoinError, join, pause_after
from acd.service.prompts.synthesis import EspeakNg
from ivr.speech import Number, Prompt

RATE_HZ = 8000


def tone(seconds: float, before_s: float = 0.0, after_s: float = 0.0, level: float = 0.5) -> bytes:
    """A tone that begins and ends at its crest, so that it clicks unless it is faded, with silence around."""
    wave = [level * math.cos(2 * math.pi * 400 * at / RATE_HZ) for at in range(round(seconds * RATE_HZ))]
    return write_wav(Sound([0.0] * round(before_s * RATE_HZ) + wave + [0.0] * round(after_s * RATE_HZ), RATE_HZ))


def gaps(samples: Sequence[float]) -> list[float]:
    """How long the silences are between loud samples (seconds), from 20 ms on."""
    threshold = 0.01 * max(map(abs, samples))
    loud = [at for at, value in enumerate(samples) if abs(value) > threshold]
    return [(after - at) / RATE_HZ for at, after in pairwise(loud) if after - at > 0.02 * RATE_HZ]


def jump(samples: Sequence[float]) -> float:
    return max(abs(after - before) for before, after in pairwise(samples))


@pytest.mark.parametrize("silence_s", [0.0, 0.03, 0.5])
@pytest.mark.parametrize("pause_s", [PAUSE_S, SENTENCE_PAUSE_S])
def test_the_pause_is_what_was_asked_for_whatever_silence_the_parts_bring(silence_s: float, pause_s: float) -> None:
    part = tone(0.3, before_s=silence_s, after_s=silence_s)

    joined = read_wav(join([part, part, part], [pause_s, pause_s]))

    assert gaps(joined.samples) == pytest.approx([pause_s, pause_s], abs=0.012)
    outer_s = 2 * silence_s
    assert joined.duration_s == pytest.approx(3 * 0.3 + 2 * pause_s + outer_s, abs=0.03), "the outer ends stay"


def test_there_is_no_click_where_two_meet() -> None:
    part = tone(0.3)
    within = jump(read_wav(part).samples)

    joined = read_wav(join([part, part], [0.0])).samples

    assert jump(joined) <= within * 1.05


def test_recordings_keep_their_own_silence_within_reason() -> None:
    for silence_s, kept_s in ((0.05, 0.1), (0.1, 0.2), (2.0, PAUSE_MAX_S)):
        part = tone(0.3, before_s=silence_s, after_s=silence_s)
        assert gaps(read_wav(join([part, part], [None])).samples) == pytest.approx([kept_s], abs=0.012)


def test_silence_and_very_quiet_parts_are_joined_too() -> None:
    silent, quiet = tone(0.2, level=0.0), tone(0.2, level=0.002)

    assert len(read_wav(join([silent, quiet, silent], [PAUSE_S, PAUSE_S])).samples) > 0


def test_other_kinds_are_refused() -> None:
    part = tone(0.1)
    other_rate = write_wav(Sound([0.1] * 100, 16000))
    for parts in ([part, b"RIFF"], [part, other_rate], [part, part[:20] + b"\x07" + part[21:]]):
        with pytest.raises(JoinError):
            join(parts, [PAUSE_S])


@pytest.mark.parametrize(
    ("text", "pause_s"),
    [
        ("Your balance is", PAUSE_S),
        ("Welcome.", SENTENCE_PAUSE_S),
        ("您好。", SENTENCE_PAUSE_S),
        ("Well, ", 0.16),
        ("", PAUSE_S),
    ],
)
def test_pauses_by_punctuation(text: str, pause_s: float) -> None:
    assert pause_after(text) == pytest.approx(pause_s)


def heard(file: str) -> Sound:
    return read_wav(Path(f"{file}.wav").read_bytes())


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_balance_is_said_in_one_go(tmp_path: Path, language: str) -> None:
    """What callers hear of a sentence made of parts has no longer silences than the same sentence said at once."""
    espeak = EspeakNg(argv=ensure_asterisk({Tool.ESPEAK_NG}).espeak_ng, timeout_s=60)
    store = PromptStore(tmp_path, recorded_dir=tmp_path, synthesisers=[espeak])
    store.use(
        {
            "balance": {"en": SpokenText("Your balance is"), "zh": SpokenText("您的余额是")},
            "currency": {"en": SpokenText("euros"), "zh": SpokenText("欧元")},
            "whole": {
                "en": SpokenText("Your balance is four hundred and twelve euros"),
                "zh": SpokenText("您的余额是四百一十二欧元"),
            },
        }
    )

    words = (Prompt("balance"), Number(412), Prompt("currency"))
    parts = await store.resolve_all(words, language)
    whole = await store.resolve_all((Prompt("whole"),), language)
    apart = [file for part in words for file in await store.resolve(part, language)]
    await store.close()

    (file,), (natural,) = parts.files, whole.files
    said, at_once = heard(file), heard(natural)
    longest_s = max(gaps(at_once.samples), default=0.0)
    assert max(gaps(said.samples)) <= longest_s + 0.08
    assert jump(said.samples) <= 1.05 * max(jump(heard(each).samples) for each in apart)


def record(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "hello.wav").write_bytes(tone(0.3))
    (folder / "hello.ulaw").write_bytes(bytes(array("B", [255] * 800)))


async def test_recordings_are_joined_with_what_is_spoken_and_left_alone_in_other_formats(tmp_path: Path) -> None:
    record(tmp_path / "prompts" / "en")
    espeak = EspeakNg(argv=ensure_asterisk({Tool.ESPEAK_NG}).espeak_ng, timeout_s=60)
    store = PromptStore(tmp_path / "cache", recorded_dir=tmp_path / "prompts", synthesisers=[espeak])
    store.use({"hello": {"en": Recording("hello.wav")}, "native": {"en": Recording("hello.ulaw")}})

    joined = await store.resolve_all((Prompt("hello"), Number(4)), "en")
    apart = await store.resolve_all((Prompt("native"), Number(4), Prompt("hello")), "en")
    await store.close()

    assert len(joined.files) == 1
    assert len(apart.files) == 2
    assert apart.files[0] == str(tmp_path / "prompts" / "en" / "hello")

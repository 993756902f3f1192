"""espeak-ng itself: the machine's own, or the one that the lab fetches."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.lab.fetch import ensure_asterisk
from acd.lab.install import Tool
from acd.service.prompts import PromptStore, WarmUp
from acd.service.prompts.audio import convert, read_wav
from acd.service.prompts.defaults import DEFAULT_TEXTS, ON_DEMAND
from acd.service.prompts.synthesis import (
    DEFAULT_VOICES,
    TEXT_LENGTH_MAX,
    EspeakNg,
    EspeakVoice,
    clean_text,
    find_espeak_ng,
    voice_for,
)
from acd.service.prompts.tools import ToolError
from ivr.speech import Digits


@pytest.fixture(scope="module")
def espeak_argv() -> tuple[str, ...]:
    return ensure_asterisk({Tool.ESPEAK_NG}).espeak_ng


def said(espeak_argv: tuple[str, ...], text: str, language: str) -> float:
    """Speaks a text; returns how long it takes, in seconds."""
    wav = asyncio.run(EspeakNg(argv=espeak_argv, timeout_s=30).synthesise(text, language))
    return read_wav(convert(wav, 8000, speech=True)).duration_s


@pytest.mark.parametrize(
    ("text", "language", "shortest_s", "longest_s"),
    [
        ("Welcome to the bank.", "en", 0.8, 2.5),
        ("one", "en", 0.2, 1.0),
        ("欢迎致电。", "zh", 0.8, 2.5),
        ("幺", "zh", 0.15, 1.0),
        ("两万二千二百二十二", "zh-CN", 1.2, 4.0),
    ],
)
def test_texts_are_spoken(
    espeak_argv: tuple[str, ...], text: str, language: str, shortest_s: float, longest_s: float
) -> None:
    assert shortest_s < said(espeak_argv, text, language) < longest_s


def test_chinese_is_spoken_as_chinese(espeak_argv: tuple[str, ...]) -> None:
    argv = [*espeak_argv, "-v", DEFAULT_VOICES["zh"].voice, "-q", "-x", "--stdin"]

    phonemes = subprocess.run(
        argv, input="欢迎致电，请按一。".encode(), capture_output=True, check=True, timeout=30
    ).stdout

    assert b"(en)" not in phonemes, "syllables are read as English words"


@pytest.mark.parametrize("text", ["--version", "-v zh", "$(id)", "`id`", "'; echo x", "</speak>", "&amp;"])
def test_no_text_is_an_option_or_a_command(espeak_argv: tuple[str, ...], text: str) -> None:
    assert said(espeak_argv, text, "en") > 0.2


def test_the_default_prompts_are_ready_in_every_language(espeak_argv: tuple[str, ...], tmp_path: Path) -> None:
    store = PromptStore(
        tmp_path,
        recorded_dir=tmp_path,
        synthesisers=[EspeakNg(argv=espeak_argv, timeout_s=60)],
    )

    async def warmed_up() -> WarmUp:
        try:
            return await store.warm_up({}, speech=[Digits("0123456789*#+")], languages=["en", "zh"])
        finally:
            await store.close()

    result = asyncio.run(warmed_up())

    prepared = {name: variants for name, variants in DEFAULT_TEXTS.items() if not name.startswith(ON_DEMAND)}
    assert result.failures == ()
    assert result.ready == 2 * len(prepared) + 2
    sounds = [read_wav(path.read_bytes()) for path in tmp_path.glob("*.wav")]
    texts = {(language, text) for variants in prepared.values() for language, text in variants.items()}
    assert len(sounds) == len(texts) + 2 * 13
    assert all(sound.rate_hz == 8000 and 0.15 < sound.duration_s < 10 for sound in sounds)


def test_its_version_is_found_and_part_of_its_identity(espeak_argv: tuple[str, ...]) -> None:
    espeak = asyncio.run(find_espeak_ng(espeak_argv))

    assert espeak.version.startswith("1.")
    faster = replace(espeak, voices={"en": EspeakVoice("en-us", words_per_minute=200)})
    higher = replace(espeak, voices={"en": EspeakVoice("en-us", pitch=70)})
    others = (EspeakNg(argv=espeak_argv), faster, higher)
    assert espeak.version in (espeak.identity("en") or "")
    assert espeak.identity("en") not in [other.identity("en") for other in others]
    assert faster.identity("zh") is None


async def test_what_is_not_espeak_is_told() -> None:
    with pytest.raises(ToolError, match="espeak-ng cannot be run"):
        await find_espeak_ng(("/nowhere/espeak-ng",))
    with pytest.raises(ToolError, match="does not tell a version"):
        await find_espeak_ng((sys.executable, "-c", "print('hello')"))


async def test_a_voice_that_it_does_not_have_is_told(espeak_argv: tuple[str, ...]) -> None:
    with pytest.raises(ToolError, match="espeak-ng failed with exit code"):
        await EspeakNg(argv=espeak_argv, voices={"en": EspeakVoice("xx")}).synthesise("hello", "en")


async def test_a_data_folder_can_be_named(tmp_path: Path, espeak_argv: tuple[str, ...]) -> None:
    with pytest.raises(ToolError, match="espeak-ng failed with exit code"):
        await EspeakNg(argv=espeak_argv, data_path=tmp_path).synthesise("hello", "en")


def test_voices_by_language() -> None:
    voices = {"en": "en-gb", "en-us": "en-us", "zh": "cmn"}

    found = [voice_for(voices, language) for language in ("en", "en-us", "en-au", "zh-CN", "fr", "")]

    assert found == ["en-gb", "en-us", "en-gb", "cmn", None, None]


async def test_speed_and_pitch_are_heard(espeak_argv: tuple[str, ...]) -> None:
    text = "This takes a while to say."
    plain, fast = (
        EspeakNg(argv=espeak_argv, voices={"en": EspeakVoice("en-us", words_per_minute=speed)}) for speed in (120, 240)
    )

    slow_s, fast_s = [read_wav(await voice.synthesise(text, "en")).duration_s for voice in (plain, fast)]

    assert slow_s > 1.3 * fast_s
    high = EspeakNg(argv=espeak_argv, voices={"en": EspeakVoice("en-us", words_per_minute=120, pitch=90)})
    assert await high.synthesise(text, "en") != await plain.synthesise(text, "en")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  Hello\r\n world\t ", "Hello world"),
        ("a\0b\x1b[31mc\u200bd", "a b [31mc d"),
        ("[[h@l'oU]] [[[x]]]", "[h@l'oU] [x]"),
        ("e\u0301", "é"),
        ("\ud800x", "x"),
        ("欢迎，请按一。", "欢迎，请按一。"),
        (" \n\0 ", ""),
        ("x" * 9000, "x" * TEXT_LENGTH_MAX),
    ],
)
def test_texts_are_cleaned(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("[]\n\0 ")))
@settings(deadline=None)
def test_what_is_clean_is_safe_and_stays_so(text: str) -> None:
    clean = clean_text(text)

    assert "[[" not in clean
    assert "]]" not in clean
    assert all(char.isprintable() or char.isspace() for char in clean)
    assert clean_text(clean) == clean
    clean.encode()

"""What is prepared before callers come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acd.service.prompts import PromptFailure
from acd.service.prompts.defaults import DEFAULT_TEXTS, PromptTable, Recording, SpokenText, with_defaults
from ivr.speech import Digits, Prompt, Text
from tests.service.prompts.stores import GENERAL, PATIENT, TABLE, Clock, FakeVoice, Log, Make, sound


async def test_warming_up_prepares_everything(make: Make, voice: FakeVoice, log: Log) -> None:
    store = make()

    result = await store.warm_up(
        TABLE,
        speech=[Digits("01"), Text("Hi.", "en"), Prompt("welcome"), Prompt("voicemail-new")],
        languages=["en", "zh"],
    )

    expected = 3 + 2 * (len(GENERAL) + 1) + 2 + 1
    assert (result.ready, result.failures) == (expected, ())
    assert log.events()[-1][0] == "prompts prepared"
    made = len(voice.spoken)
    for name in (*TABLE, *GENERAL, "voicemail-new"):
        for language in ("en", "zh"):
            sound((await store.resolve(Prompt(name), language))[0])
    assert len(voice.spoken) == made, "a caller had to wait for a prompt"


async def test_default_prompts_are_prepared_in_the_site_s_languages_alone(make: Make, voice: FakeVoice) -> None:
    result = await make().warm_up({}, languages=["zh"])
    assert result.ready == len(GENERAL)
    assert len({language for language, _ in voice.spoken}) == 1


async def test_warming_up_again_makes_nothing_anew(make: Make, voice: FakeVoice) -> None:
    await make().warm_up(TABLE)
    made = len(voice.spoken)

    result = await make().warm_up(TABLE)

    assert result.failures == ()
    assert len(voice.spoken) == made


async def test_warming_up_tells_what_failed_and_goes_on(make: Make, voice: FakeVoice, log: Log) -> None:
    voice.failing["Welcome."] = "broken"
    table: PromptTable = {**TABLE, "recorded": {"zh": Recording("gone.wav")}}

    result = await make().warm_up(table)

    assert {(failure.prompt, failure.language) for failure in result.failures} == {
        ("welcome", "en"),
        ("recorded", "zh"),
    }
    assert PromptFailure("welcome", "en", "broken") in result.failures
    assert any("gone.wav cannot be read" in failure.reason for failure in result.failures)
    assert result.ready == 2 + 2 * len(GENERAL)


async def test_progress_is_logged_when_it_takes_long(make: Make, voice: FakeVoice, clock: Clock, log: Log) -> None:
    original = voice.synthesise

    async def slow(text: str, language: str) -> bytes:
        clock.now_s += 1.0
        return await original(text, language)

    voice.synthesise = slow  # type: ignore[method-assign]
    await make().warm_up(TABLE)

    progress = [fields for event, fields in log.events() if event == "preparing prompts"]
    assert 2 <= len(progress) <= 1 + (3 + 2 * len(GENERAL)) / 2
    assert all(fields["total"] == 3 + 2 * len(GENERAL) for fields in progress)
    assert [fields["done"] for fields in progress] == sorted(fields["done"] for fields in progress)


async def test_prompts_that_were_prepared_stay_when_others_go(make: Make, clock: Clock, tmp_path: Path) -> None:
    store = make(limits=replace(PATIENT, bytes_max=10_000))
    await store.warm_up(TABLE)
    prepared = set((tmp_path / "cache").iterdir())

    for index in range(4):
        clock.now_s += 1000
        await store.resolve(Text(f"text {index}"), "en")

    left = set((tmp_path / "cache").iterdir())
    assert prepared <= left
    assert len(left) == len(prepared) + 1


def test_a_sites_own_prompts_go_before_the_default_ones_language_by_language() -> None:
    own: PromptTable = {"goodbye": {"en": SpokenText("So long.")}, "mine": {"en": SpokenText("Mine.")}}

    table = with_defaults(own)

    assert table["goodbye"]["en"] == SpokenText("So long.")
    assert table["goodbye"]["zh"] == SpokenText(DEFAULT_TEXTS["goodbye"]["zh"])
    assert table["mine"] == own["mine"]
    assert all(set(texts) == {"en", "zh"} for texts in DEFAULT_TEXTS.values())

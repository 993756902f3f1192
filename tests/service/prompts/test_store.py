"""Parts of speech turned into sounds: made once, shared, kept, in the best language there is."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from acd.service.prompts import PromptLimits, PromptStore, PromptUnavailableError
from acd.service.prompts import audio as prompts_audio
from acd.service.prompts import cache as prompts_cache
from acd.service.prompts.audio import read_wav, write_wav
from acd.service.prompts.defaults import Recording, SpokenText
from acd.service.prompts.joining import PAUSE_S, SENTENCE_PAUSE_S
from ivr.speech import Digits, DigitStyle, Number, Prompt, Speech, Text
from tests.service.prompts.sounds import tone
from tests.service.prompts.stores import PATIENT, TABLE, Clock, FakeVoice, Log, Make, rate_of, sound


async def test_a_text_is_spoken_once_and_kept(make: Make, voice: FakeVoice) -> None:
    store = make()

    first = await store.resolve(Prompt("welcome"), "en")
    second = await store.resolve(Prompt("welcome"), "en")
    again = await make().resolve(Prompt("welcome"), "en")

    assert first == second == again
    assert len(first) == 1
    assert read_wav(sound(first[0]).read_bytes()).duration_s == pytest.approx(0.2, abs=0.02)
    assert voice.spoken == [("fake-en", "Welcome.")]


async def test_equal_texts_share_a_sound_and_other_voices_and_languages_do_not(make: Make) -> None:
    store = make(synthesisers=[FakeVoice("a")])
    other = make(synthesisers=[FakeVoice("b")])

    assert await store.resolve(Text("Welcome."), "en") == await store.resolve(Prompt("welcome"), "en")
    assert await store.resolve(Text("Welcome."), "zh") != await store.resolve(Prompt("welcome"), "en")
    assert await other.resolve(Prompt("welcome"), "en") != await store.resolve(Prompt("welcome"), "en")


async def test_callers_who_want_it_at_once_share_one_making(make: Make, voice: FakeVoice) -> None:
    store = make()
    voice.may_finish.clear()
    callers = [asyncio.create_task(store.resolve(Prompt("welcome"), "en")) for _ in range(20)]
    await voice.started.wait()
    voice.may_finish.set()

    assert len({tuple(paths) for paths in await asyncio.gather(*callers)}) == 1
    assert len(voice.spoken) == 1


async def test_a_caller_who_goes_does_not_take_the_sound_from_the_others(make: Make, voice: FakeVoice) -> None:
    store = make()
    voice.may_finish.clear()
    first = asyncio.create_task(store.resolve(Prompt("welcome"), "en"))
    await voice.started.wait()
    second = asyncio.create_task(store.resolve(Prompt("welcome"), "en"))

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    voice.may_finish.set()

    sound((await second)[0])
    assert len(voice.spoken) == 1


async def test_the_callers_language_goes_before_others(make: Make, voice: FakeVoice) -> None:
    store = make()

    for language in ("zh", "zh-CN", "en", "fr"):
        await store.resolve(Prompt("welcome"), language)
    await store.resolve(Prompt("closed"), "zh")

    assert voice.spoken == [("fake-zh", "欢迎。"), ("fake-en", "Welcome."), ("fake-en", "We are closed.")]


async def test_a_prompt_in_no_known_language_is_better_than_silence(make: Make, voice: FakeVoice) -> None:
    voice.languages = ("en", "zh", "de")
    store = make()
    store.use({"odd": {"de": SpokenText("Hallo.")}})

    await store.resolve(Prompt("odd"), "zh")

    assert voice.spoken == [("fake-de", "Hallo.")]


async def test_when_a_language_fails_another_is_heard(make: Make, voice: FakeVoice) -> None:
    voice.failing["fake-zh"] = "the Chinese voice is broken"
    store = make()

    assert await store.resolve(Prompt("welcome"), "zh") == await store.resolve(Prompt("welcome"), "en")
    assert await store.resolve(Number(7), "zh") == await store.resolve(Text("seven"), "en")


async def test_when_a_voice_fails_the_next_one_speaks(make: Make) -> None:
    best, plain = FakeVoice("best"), FakeVoice("plain")
    best.failing["best-en"] = "no answer"
    store = make(synthesisers=[best, plain])

    sound((await store.resolve(Prompt("welcome"), "en"))[0])

    assert plain.spoken == [("plain-en", "Welcome.")]


async def test_what_cannot_be_had_at_all_is_told_with_all_reasons(make: Make, voice: FakeVoice) -> None:
    voice.failing |= {"fake-zh": "Chinese is broken", "fake-en": "English too"}
    store = make()

    with pytest.raises(PromptUnavailableError, match="zh: Chinese is broken; en: English too"):
        await store.resolve(Prompt("welcome"), "zh")
    with pytest.raises(PromptUnavailableError, match="no such prompt"):
        await store.resolve(Prompt("nothing"), "en")
    with pytest.raises(PromptUnavailableError, match="the text is empty"):
        await store.resolve(Text(" \n"), "en")
    with pytest.raises(PromptUnavailableError, match="no voice for the language 'fr'"):
        await store.resolve(Text("Bonjour.", "fr"), "en")
    with pytest.raises(PromptUnavailableError, match="nothing to say"):
        await store.resolve(Digits(""), "en")


async def test_without_any_voice_calls_still_go_on(make: Make, log: Log) -> None:
    store = make(synthesisers=[])

    resolved = await store.resolve_all([Prompt("welcome"), Number(7)], "en")

    assert resolved.files == ()
    assert resolved.missing == (Prompt("welcome"), Number(7))
    assert len(log.reasons()) == 2


async def test_a_failure_is_remembered_for_a_while_and_then_tried_again(
    make: Make, voice: FakeVoice, clock: Clock
) -> None:
    voice.failing["fake-en"] = "broken"
    store = make(limits=replace(PATIENT, retry_after_s=30))

    for _ in range(3):
        with pytest.raises(PromptUnavailableError):
            await store.resolve(Prompt("closed"), "en")
    assert len(voice.spoken) == 1

    clock.now_s += 31
    voice.failing.clear()
    sound((await store.resolve(Prompt("closed"), "en"))[0])
    assert len(voice.spoken) == 2


async def test_only_so_many_failures_are_remembered(make: Make, voice: FakeVoice) -> None:
    voice.failing["fake-en"] = "broken"
    store = make(limits=replace(PATIENT, failures_remembered=2))
    for text in ("a", "b", "c", "a"):
        with pytest.raises(PromptUnavailableError):
            await store.resolve(Text(text), "en")

    assert [text for _, text in voice.spoken] == ["a", "b", "c", "a"]


async def test_the_same_fault_is_logged_once_in_a_while(make: Make, voice: FakeVoice, clock: Clock, log: Log) -> None:
    voice.failing["fake-en"] = "broken"
    store = make()
    for text in ("a", "b", "c"):
        await store.resolve_all([Text(text)], "en")
    assert log.reasons() == ["broken", "en: broken"]

    clock.now_s += 31
    await store.resolve_all([Text("a")], "en")
    assert log.reasons() == ["broken", "en: broken"] * 2


async def test_what_callers_are_told_is_not_logged(make: Make, voice: FakeVoice, log: Log) -> None:
    voice.failing["fake-en"] = "broken"

    await make().resolve_all([Text("Your PIN is 1234"), Digits("1234"), Prompt("closed")], "en")

    assert "1234" not in repr(log.calls)
    assert {fields.get("prompt") for _, fields in log.events()} == {None, "text", "digits", "closed"}


async def test_digits_are_a_sound_each_and_a_number_is_one(make: Make, voice: FakeVoice) -> None:
    store = make()

    digits = await store.resolve(Digits("1+21", DigitStyle.PHONE), "zh")
    number = await store.resolve(Number(-22), "en")

    assert len(digits) == 4
    assert digits[0] == digits[3]
    assert len(number) == 1
    assert [text for _, text in voice.spoken] == ["幺", "加", "二", "minus twenty-two"]


async def test_several_parts_are_resolved_in_order(make: Make) -> None:
    store = make()
    parts: list[Speech] = [Prompt("welcome"), Prompt("gone"), Digits("12"), Text("Bye.")]

    resolved = await store.resolve_all(parts, "en")

    assert resolved.missing == (Prompt("gone"),)
    apart = [path for part in (parts[0], parts[2], parts[3]) for path in await store.resolve(part, "en")]
    assert len(apart) == 4
    (joined,) = resolved.files
    spoken_s = sum(read_wav(sound(path).read_bytes()).duration_s for path in apart)
    pauses_s = SENTENCE_PAUSE_S + 2 * PAUSE_S
    assert read_wav(sound(joined).read_bytes()).duration_s == pytest.approx(spoken_s + pauses_s, abs=0.03)
    assert await store.resolve_all(parts, "en") == resolved


async def test_a_caller_waits_only_so_long_and_the_sound_is_there_for_the_next(make: Make, voice: FakeVoice) -> None:
    store = make(limits=PromptLimits(patience_s=0.05))
    voice.may_finish.clear()

    with pytest.raises(PromptUnavailableError, match=r"not ready within 0\.05 s"):
        await store.resolve(Text("Hello."), "en")
    voice.may_finish.set()
    patient = make()
    await asyncio.gather(*store._maker._making.values())

    sound((await patient.resolve(Text("Hello."), "en"))[0])
    assert len(voice.spoken) == 1


async def test_only_so_many_sounds_are_made_at_once(make: Make, voice: FakeVoice) -> None:
    store = make(limits=replace(PATIENT, at_once=2))
    voice.may_finish.clear()
    callers = [asyncio.create_task(store.resolve(Text(f"text {index}"), "en")) for index in range(8)]
    for _ in range(100):
        await asyncio.sleep(0)
    assert voice.at_once == 2

    voice.may_finish.set()
    await asyncio.gather(*callers)

    assert (voice.most_at_once, len(voice.spoken)) == (2, 8)


async def test_a_callers_text_does_not_stand_behind_all_prompts(make: Make, voice: FakeVoice) -> None:
    store = make(limits=replace(PATIENT, at_once=2))
    many = {f"p{index}": {"en": SpokenText(f"Prompt {index}.")} for index in range(30)}
    warm_up = asyncio.create_task(store.warm_up(many))
    await voice.started.wait()

    await store.resolve(Text("A caller's own text."), "en")

    assert not warm_up.done()
    await warm_up
    assert [text for _, text in voice.spoken].index("A caller's own text.") <= 6


async def test_a_sound_that_was_removed_is_made_again(make: Make, voice: FakeVoice) -> None:
    store = make()
    path = sound((await store.resolve(Prompt("closed"), "en"))[0])
    path.unlink()

    assert sound((await store.resolve(Prompt("closed"), "en"))[0]) == path
    assert len(voice.spoken) == 2


async def test_a_full_disk_is_told_and_calls_go_on(make: Make, monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    def full(folder: Path, key: str, files: Mapping[str, bytes]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = make()
    with monkeypatch.context() as patch:
        patch.setattr(prompts_cache, "_write_files", full)
        result = await store.warm_up(TABLE)
        resolved = await store.resolve_all([Prompt("closed")], "en")

    assert result.ready == 0
    assert resolved.missing == (Prompt("closed"),)
    assert all(reason.endswith("cannot be written: No space left on device") for reason in log.reasons())
    assert 1 <= len(log.reasons()) <= 2


async def test_a_cache_folder_that_cannot_be_is_told(make: Make, tmp_path: Path, log: Log) -> None:
    (tmp_path / "cache").write_text("a file")

    result = await make().warm_up(TABLE)

    assert result.ready == 0
    assert "cannot be used" in log.reasons()[0]


async def test_both_rates_are_made_where_both_are_wanted(make: Make) -> None:
    path = (await make(rates_hz=(8000, 16000)).resolve(Prompt("closed"), "en"))[0]

    assert rate_of(f"{path}.wav") == 8000
    assert rate_of(f"{path}.wav16") == 16000


@pytest.mark.parametrize("rates_hz", [(), (16000,), (8000, 44100)])
def test_rates_that_asterisk_does_not_know_are_refused(make: Make, rates_hz: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rates_hz"):
        make(rates_hz=rates_hz)


async def test_recordings(make: Make, tmp_path: Path, voice: FakeVoice) -> None:
    folder = tmp_path / "prompts" / "en"
    folder.mkdir(parents=True)
    (folder / "good.wav").write_bytes(write_wav(tone(440, 8000, 0.3)))
    (folder / "studio.wav").write_bytes(write_wav(tone(440, 44100, 0.3)))
    (folder / "old.gsm").write_bytes(b"gsm")
    store = make()
    store.use(
        {name: {"en": Recording(f"{name}.{end}")} for name, end in (("good", "wav"), ("studio", "wav"), ("old", "gsm"))}
    )

    good, studio, old = [(await store.resolve(Prompt(name), "zh"))[0] for name in ("good", "studio", "old")]

    assert (good, old) == (str(folder / "good"), str(folder / "old"))
    assert Path(studio).parent == tmp_path / "cache"
    assert read_wav(sound(studio).read_bytes()).duration_s == pytest.approx(0.3, abs=0.001)
    assert voice.spoken == []


async def test_a_recording_that_changes_is_converted_anew(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "prompts" / "en"
    folder.mkdir(parents=True)
    store = make()
    store.use({"studio": {"en": Recording("studio.wav")}})

    (folder / "studio.wav").write_bytes(write_wav(tone(440, 44100, 0.3)))
    before = await store.resolve(Prompt("studio"), "en")
    (folder / "studio.wav").write_bytes(write_wav(tone(440, 44100, 0.5)))
    after = await store.resolve(Prompt("studio"), "en")

    assert before != after
    assert read_wav(sound(after[0]).read_bytes()).duration_s == pytest.approx(0.5, abs=0.001)


async def test_a_missing_recording_is_spoken_in_another_language(make: Make, voice: FakeVoice) -> None:
    store = make()
    store.use({"hours": {"zh": Recording("hours.wav"), "en": SpokenText("Nine to five.")}})

    assert await store.resolve(Prompt("hours"), "zh") == await store.resolve(Text("Nine to five."), "en")


async def test_closing_stops_what_is_under_way(make: Make, voice: FakeVoice) -> None:
    store = make()
    voice.may_finish.clear()
    caller = asyncio.create_task(store.resolve(Prompt("closed"), "en"))
    await voice.started.wait()

    await store.close()

    with pytest.raises(PromptUnavailableError, match="store is closed"):
        await caller
    with pytest.raises(PromptUnavailableError, match="store is closed"):
        await store.resolve(Text("Another."), "en")
    assert voice.at_once == 0


async def test_sounds_are_not_computed_in_our_own_process(
    make_converting: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed_here(*_: object) -> None:
        pytest.fail("the event loop's process did the computing")

    for step in ("convert", "read_wav", "resample", "trim", "even_out"):
        monkeypatch.setattr(prompts_audio, step, computed_here)

    sound((await make_converting().resolve(Text("A text."), "en"))[0])


async def test_without_a_log_of_its_own_it_uses_the_common_one(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        store = PromptStore(tmp_path, recorded_dir=tmp_path, synthesisers=[])
        await store.resolve_all([Prompt("nothing")], "en")

    assert [entry["event"] for entry in logs] == ["prompt sound unavailable"]

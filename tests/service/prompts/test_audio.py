from __future__ import annotations

import io
import math
import struct
import subprocess
import sys
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.service.prompts import audio as prompts_audio
from acd.service.prompts.audio import (
    AudioError,
    Sound,
    convert,
    even_out,
    read_format,
    read_wav,
    resample,
    trim,
    write_wav,
)
from tests.service.prompts.sounds import joined, silence, tone, wav_file


def level_db(samples: list[float]) -> float:
    return 10 * math.log10(sum(value * value for value in samples) / len(samples) + 1e-20)


def test_a_written_file_is_read_by_others() -> None:
    sound = tone(440, 8000)

    with wave.open(io.BytesIO(write_wav(sound))) as file:
        assert file.getparams()[:4] == (1, 2, 8000, 4000)
        samples = struct.unpack("<4000h", file.readframes(4000))

    assert max(abs(value / 32767 - wanted) for value, wanted in zip(samples, sound.samples, strict=True)) < 1 / 32767


def test_what_is_written_is_read_again() -> None:
    sound = read_wav(write_wav(Sound([0.0, 0.5, -0.5, 2.0, -2.0], 16000)))

    assert sound.rate_hz == 16000
    assert sound.samples == pytest.approx([0.0, 0.5, -0.5, 1.0, -1.0], abs=1e-4)


@pytest.mark.parametrize(
    ("encoding", "bits", "body", "samples"),
    [
        (1, 8, bytes([128, 192, 64, 255, 0]), [0, 0.5, -0.5, 127 / 128, -1]),
        (1, 16, struct.pack("<3h", 0, 16384, -32768), [0, 0.5, -1]),
        (1, 24, b"\x00\x00\x00" + b"\x00\x00\x40" + b"\x00\x00\x80", [0, 0.5, -1]),
        (1, 32, struct.pack("<3i", 0, 2**30, -(2**31)), [0, 0.5, -1]),
        (3, 32, struct.pack("<5f", 0, 0.5, -1, 7.0, math.nan), [0, 0.5, -1, 1, 0]),
        (3, 64, struct.pack("<3d", 0, 0.5, -math.inf), [0, 0.5, -1]),
        # ITU-T G.711: the values of some codes.
        (6, 8, bytes([0xD5, 0x55, 0xAA, 0x2A, 0x80, 0xD4]), [v / 32768 for v in (8, -8, 32256, -32256, 5504, 24)]),
        (7, 8, bytes([0xFF, 0x7F, 0x80, 0x00, 0xF0, 0xFE]), [v / 32768 for v in (0, 0, 32124, -32124, 120, 8)]),
    ],
)
def test_encodings_are_read(encoding: int, bits: int, body: bytes, samples: list[float]) -> None:
    assert read_wav(wav_file(encoding, 1, 8000, bits, body)).samples == pytest.approx(samples, abs=1e-9)


def test_channels_are_mixed() -> None:
    body = struct.pack("<6h", 16384, 0, 0, 16384, 16384, -16384)

    assert read_wav(wav_file(1, 2, 8000, 16, body)).samples == pytest.approx([0.25, 0.25, 0.0])


def test_the_extensible_format_is_read() -> None:
    chunk = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8000, 16000, 2, 16, 22, 16, 4) + struct.pack("<H", 1) + bytes(14)
    data = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(chunk)) + chunk + b"data\x02\0\0\0\x00\x40"

    assert read_wav(data).samples == [0.5]


@pytest.mark.parametrize("length", [0x7FFFF000, 0xFFFFFFFF])
def test_a_length_that_was_not_known_when_it_was_written_is_no_fault(length: int) -> None:
    body = struct.pack("<2h", 16384, -16384)

    assert read_wav(wav_file(1, 1, 8000, 16, body, length=length)).samples == [0.5, -0.5]


def test_other_chunks_are_passed_over() -> None:
    plain = wav_file(1, 1, 8000, 16, b"\x00\x40")
    data = plain[:12] + b"LIST\x03\0\0\0abc\0" + plain[12:] + b"id3 \0\0\0\0"

    assert read_wav(data).samples == [0.5]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a WAV file"),
        (b"ID3\x04 this is an MP3 file", "not a WAV file"),
        (b"RIFF\0\0\0\0WAVE", "holds no data"),
        (b"RIFF\0\0\0\0WAVEdata\x02\0\0\0ab", "does not say its format"),
        (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0\1\0\1\0", "cut short"),
        (wav_file(1, 0, 8000, 16, b""), "0 channels"),
        (wav_file(1, 1, 0, 16, b""), "0 samples a second"),
        (wav_file(1, 1, 8000, 12, b"ab"), "encoding 1 with 12 bits"),
        (wav_file(49, 1, 8000, 0, b"ab"), "encoding 49"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(AudioError, match=reason):
        read_wav(data)


@given(st.binary(max_size=200), st.integers(0, 60), st.integers(0, 255))
@settings(deadline=None)
def test_no_damaged_file_breaks_the_reader(tail: bytes, cut: int, value: int) -> None:
    data = bytearray(wav_file(1, 2, 8000, 16, b"\x00\x40" * 8))
    data[cut % len(data)] = value
    for damaged in (bytes(data), bytes(data[:cut]), bytes(data[:cut]) + tail):
        try:
            sound = read_wav(damaged)
        except AudioError:
            continue
        assert all(-1 <= sample <= 1 for sample in sound.samples)


def test_what_asterisk_plays_as_it_is() -> None:
    assert read_format(wav_file(1, 1, 8000, 16, b"")).plays_in_asterisk
    for other in ((1, 2, 8000, 16), (1, 1, 44100, 16), (1, 1, 8000, 8), (7, 1, 8000, 8)):
        assert not read_format(wav_file(*other, b"")).plays_in_asterisk


@pytest.mark.parametrize("from_hz", [11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("to_hz", [8000, 16000])
@pytest.mark.parametrize("frequency_hz", [300, 1000, 3000])
def test_a_tone_comes_through_unchanged(from_hz: int, to_hz: int, frequency_hz: int) -> None:
    result = resample(tone(frequency_hz, from_hz, 0.2), to_hz)

    wanted = tone(frequency_hz, to_hz, 0.2).samples[: len(result.samples)]
    middle = slice(to_hz // 50, -to_hz // 50)
    noise = [heard - sample for heard, sample in zip(result.samples, wanted, strict=True)]
    assert result.duration_s == pytest.approx(0.2, abs=0.001)
    assert level_db(noise[middle]) < level_db(wanted[middle]) - 60


@pytest.mark.parametrize("frequency_hz", [4500, 5000, 7000, 10_000])
def test_what_is_above_the_telephones_band_does_not_come_back_inside_it(frequency_hz: int) -> None:
    result = resample(tone(frequency_hz, 22050, 0.2), 8000)

    assert level_db(result.samples[200:-200]) < level_db(tone(frequency_hz, 22050).samples) - 60


def test_the_level_and_an_equal_rate_are_kept() -> None:
    constant = Sound([0.5] * 2205, 22050)

    assert resample(constant, 8000).samples[200:-200] == pytest.approx([0.5] * 400, abs=1e-6)
    assert resample(constant, 22050) is constant
    assert resample(Sound([], 22050), 8000).samples == []


def test_silence_is_cut_down_to_a_little_rest() -> None:
    speech = tone(500, 8000, 0.3)

    result = trim(joined(silence(8000, 1.0), speech, silence(8000, 2.0)))

    assert result.duration_s == pytest.approx(0.3 + 0.02 + 0.08, abs=0.011)
    assert max(map(abs, result.samples[160 + 40 : -640 - 40])) == pytest.approx(0.5, abs=0.01)


def test_silence_within_is_kept_and_nothing_clicks_at_the_ends() -> None:
    speech = tone(500, 8000, 0.3)

    result = trim(joined(speech, silence(8000, 1.0), speech))

    assert result.duration_s == pytest.approx(1.6, abs=0.01)
    assert result.samples[0] == 0
    assert max(abs(b - a) for a, b in zip(result.samples[:32], result.samples[1:33], strict=True)) < 0.2


def test_noise_far_below_the_speech_counts_as_silence() -> None:
    noise = tone(50, 8000, 1.0, level=0.5 * 10 ** (-60 / 20))

    assert trim(joined(noise, tone(500, 8000, 0.3), noise)).duration_s == pytest.approx(0.4, abs=0.02)


def test_nothing_but_silence_leaves_nothing() -> None:
    assert trim(silence(8000, 1.0)).samples == []
    assert trim(Sound([], 8000)).samples == []


@pytest.mark.parametrize("level", [0.01, 0.1, 0.9])
def test_quiet_and_loud_speech_come_out_alike(level: float) -> None:
    speech = joined(tone(500, 8000, 1.0, level), silence(8000, 2.0))

    result = even_out(speech)

    assert level_db(result.samples[:8000]) == pytest.approx(-20, abs=0.2)


def test_peaks_are_not_clipped() -> None:
    samples = tone(500, 8000, 1.0, 0.01).samples
    samples[4000] = 0.9

    assert max(even_out(Sound(samples, 8000)).samples) == pytest.approx(10 ** (-1 / 20))


def test_near_silence_is_not_blown_up_without_end_and_silence_stays() -> None:
    assert max(even_out(tone(500, 8000, 1.0, 1e-4)).samples) <= 30e-4
    assert even_out(silence(8000, 1.0)).samples == silence(8000, 1.0).samples


def test_speech_is_converted_and_a_recordings_level_left_alone() -> None:
    data = write_wav(joined(silence(22050, 1.0), tone(500, 22050, 1.0, 0.25), silence(22050, 1.0)))

    speech, recording = read_wav(convert(data, 8000, speech=True)), read_wav(convert(data, 8000, speech=False))

    assert speech.duration_s == pytest.approx(1.1, abs=0.02)
    assert level_db(speech.samples[800:8000]) == pytest.approx(-20, abs=0.5)
    assert recording.duration_s == pytest.approx(3.0, abs=0.001)
    assert max(recording.samples) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(22050, 8000), (22050, 16000), (8000, 16000), (11025, 8000)])
def test_the_loudest_sounds_come_through_without_spilling(from_hz: int, to_hz: int) -> None:
    """Full scale in the order that drives the low-pass filter highest: the signs of its impulse response."""
    scale = min(1.0, to_hz / from_hz)
    for fraction in (0.0, 0.5):
        signs = [math.copysign(1.0, math.sin(math.pi * (at - fraction) * scale * 0.92) or 1.0) for at in range(1, 200)]
        signs = [sign * (1 if at > fraction else -1) for at, sign in enumerate(signs, start=1)]
        loud = Sound([*reversed(signs), 1.0, *signs], from_hz)
        quiet = Sound([sample / 16 for sample in loud.samples], from_hz)

        highest, lowest = resample(loud, to_hz).samples, resample(quiet, to_hz).samples

        # A sample that spills is off by four times full scale.
        assert highest == pytest.approx([16 * sample for sample in lowest], abs=2e-3)
        assert max(map(abs, highest)) > 1.2, "louder than full scale"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 17, 4095, 4096, 4097, 9000])
def test_sounds_of_any_length_keep_it_and_are_whole_where_blocks_meet(count: int) -> None:
    short = resample(Sound([0.25] * count, 22050), 8000)

    assert len(short.samples) == count * 8000 // 22050
    assert short.samples[40:-40] == pytest.approx([0.25] * len(short.samples[40:-40]), abs=1e-6)


def request(wav: bytes, rate_hz: int, *, speech: bool) -> bytes:
    return prompts_audio.REQUEST.pack(rate_hz, speech, len(wav)) + wav


def answers(written: bytes) -> list[tuple[int, bytes]]:
    found = []
    while written:
        good, length = prompts_audio.ANSWER.unpack_from(written)
        found.append((good, written[prompts_audio.ANSWER.size :][:length]))
        written = written[prompts_audio.ANSWER.size + length :]
    return found


def test_as_a_program_it_needs_no_packages_and_answers_until_nothing_is_asked() -> None:
    argv = [sys.executable, "-I", "-S", prompts_audio.__file__]
    asked = [
        request(write_wav(tone(500, 22050)), 16000, speech=True),
        request(write_wav(silence(22050, 1.0)), 8000, speech=True),
        request(b"ID3", 8000, speech=False),
        request(write_wav(silence(8000, 1.0)), 8000, speech=False),
    ]

    ended = subprocess.run(argv, input=b"".join(asked), capture_output=True, check=True, timeout=60)

    (good, sound), bad, odd, (after, plain) = answers(ended.stdout)
    assert (good, after, ended.stderr) == (1, 1, b"")
    assert read_format(sound).rate_hz == 16000
    assert bad == (0, b"there is no sound in it")
    assert odd == (0, b"it is not a WAV file")
    assert plain == write_wav(silence(8000, 1.0))

"""Sound for prompts: read WAV files of many kinds, trim silence, even out the level, change the rate, write what
Asterisk plays.

Standard library only and without imports of its own package, because it also runs as a program of its own (`main`):
converting is pure computing, tens of milliseconds for a sentence, which in the engine's process would hold up the
calls.

As a program it answers requests until its standard input ends. A request is `REQUEST` and a WAV file of so many bytes,
an answer is `ANSWER` and as many bytes: the converted file, or the reason why there is none.
"""

from __future__ import annotations

import math
import os
import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from operator import mul
from typing import BinaryIO

FULL_SCALE = 32767

REQUEST = struct.Struct("<IBI")
"""To the program: samples per second, 1 for synthesised speech or 0, the length of the WAV file (bytes)."""
ANSWER = struct.Struct("<BI")
"""From the program: 1 if it could be converted or 0, the length of what follows (bytes)."""

# Trimming: what is this much quieter than the loudest part counts as silence; a little of it is kept, so that the
# first and last sounds are not bitten off and parts played one after the other do not run together.
SILENCE_DB = -45.0
KEEP_BEFORE_S = 0.02
KEEP_AFTER_S = 0.08
FRAME_S = 0.005
FADE_S = 0.004

# Level of speech, measured while it is loud enough to count as speech: what Asterisk's own prompts have, near enough.
SPEECH_DBFS = -20.0
PEAK_DBFS = -1.0
SPEECH_RANGE_DB = -30.0
GAIN_MAX = 30.0

# The low-pass filter: zero crossings on each side, Kaiser window, and how much of the band is kept.
ZERO_CROSSINGS = 16
KAISER_BETA = 8.0
BAND = 0.92
# The filter that takes samples from between those that the low-pass filter has left: it sees a signal that fills a
# small part of its band, because the low-pass filter makes so many samples for each one that is wanted. That leaves
# 1 - 2 * 0.54 / 2.7 of the rate for the transition, in which eight taps reach 77 dB (Kaiser's formula).
OVERSAMPLING = 2.7
SHORT_REACH = 4
SHORT_BETA = 7.5

# Filtering by multiplying: the samples, 32 bits for each, read as one large number, times the taps as another one, is
# the filtered sound (Kronecker substitution). Python multiplies large numbers in C, twenty times faster than it goes
# through as many products one by one. No slot spills into the next one: samples are 0 to 65535, the taps are whole
# numbers of which the negative ones add up to 0.53 * TAPS_SUM at most (half a sample behind, the sound made faster) and
# the positive ones to 1.53 * TAPS_SUM, and SPARE is added to each slot.
TAPS_SUM = 30_000
SPARE = 1 << 30
SLOT_BYTES = 4
BLOCK = 4096
SLOT_UNIT = 1 / (32768 * TAPS_SUM)
SLOT_SILENCE = float(SPARE + 32768 * TAPS_SUM)
_FLIP_SIGN = bytes(code ^ 0x80 for code in range(256))

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


class AudioError(Exception):
    """A sound cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One channel of samples from -1 to 1."""

    samples: list[float]
    rate_hz: int

    @property
    def duration_s(self) -> float:
        """How long it takes to play."""
        return len(self.samples) / self.rate_hz


@dataclass(frozen=True, slots=True)
class WavFormat:
    """What a WAV file holds."""

    encoding: int
    channels: int
    rate_hz: int
    bits: int

    @property
    def plays_in_asterisk(self) -> bool:
        """Whether Asterisk plays a `.wav` file of this format as it is (format_wav: 8 kHz, 16 bits, mono)."""
        return (self.encoding, self.channels, self.rate_hz, self.bits) == (_PCM, 1, 8000, 16)


def read_format(data: bytes) -> WavFormat:
    """The format of a WAV file, of which the beginning is enough.

    Raises:
        AudioError: it is no WAV file.
    """
    return _parse(data)[0]


def read_wav(data: bytes) -> Sound:
    """Read a WAV file: PCM of 8 to 32 bits, floats, A-law or µ-law, any rate, channels mixed into one.

    A length that is too large in the header is no fault: programs that write into a pipe cannot know it beforehand.

    Raises:
        AudioError: it is no WAV file, or one of a kind that is not known.
    """
    wav, body = _parse(data)
    samples = _decode(wav, body)
    if wav.channels > 1:
        channels = [samples[index :: wav.channels] for index in range(wav.channels)]
        samples = [sum(frame) / wav.channels for frame in zip(*channels, strict=False)]
    return Sound(samples, wav.rate_hz)


def write_wav(sound: Sound) -> bytes:
    """A WAV file of 16-bit samples; what is louder than full scale is clipped."""
    values = [value * FULL_SCALE for value in sound.samples]
    if max(map(abs, values), default=0.0) > FULL_SCALE:
        values = [max(-FULL_SCALE, min(FULL_SCALE, value)) for value in values]
    samples = array("h", map(round, values))
    if sys.byteorder == "big":
        samples.byteswap()
    body = samples.tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(body), b"WAVE"),
        *(b"fmt ", 16, _PCM, 1, sound.rate_hz, sound.rate_hz * 2, 2, 16),
        *(b"data", len(body)),
    )
    return head + body


def resample(sound: Sound, rate_hz: int) -> Sound:
    """The same sound at another rate, exactly, with 16 bits of precision: windowed sinc filters (J. O. Smith, Digital
    Audio Resampling) in two steps, a long one that removes what the new rate cannot hold, and a short one that takes
    the samples at the new places."""
    if rate_hz == sound.rate_hz:
        return sound
    return _resample(_to_16_bits(sound.samples), sound.rate_hz, rate_hz)


def trim(sound: Sound) -> Sound:
    """Cut the silence at both ends, down to a little rest, and fade in and out over it so that nothing clicks."""
    frame = max(1, round(FRAME_S * sound.rate_hz))
    loudness = [_rms(sound.samples[at : at + frame]) for at in range(0, len(sound.samples), frame)]
    threshold = max(loudness, default=0.0) * _ratio(SILENCE_DB)
    loud = [index for index, value in enumerate(loudness) if value > threshold]
    if not loud:
        return Sound([], sound.rate_hz)
    start = max(0, loud[0] * frame - round(KEEP_BEFORE_S * sound.rate_hz))
    end = (loud[-1] + 1) * frame + round(KEEP_AFTER_S * sound.rate_hz)
    return _fade(Sound(sound.samples[start:end], sound.rate_hz))


def even_out(sound: Sound) -> Sound:
    """Bring speech to `SPEECH_DBFS` while it lasts, without passing `PEAK_DBFS`."""
    frame = max(1, round(4 * FRAME_S * sound.rate_hz))
    loudness = [_rms(sound.samples[at : at + frame]) for at in range(0, len(sound.samples), frame)]
    threshold = max(loudness, default=0.0) * _ratio(SPEECH_RANGE_DB)
    speech = [value for value in loudness if value > threshold]
    peak = max(map(abs, sound.samples), default=0.0)
    if not speech or peak == 0:
        return sound
    gain = min(_ratio(SPEECH_DBFS) / _rms(speech), _ratio(PEAK_DBFS) / peak, GAIN_MAX)
    return Sound([value * gain for value in sound.samples], sound.rate_hz)


def convert(data: bytes, rate_hz: int, *, speech: bool) -> bytes:
    """A WAV file as 16-bit mono at `rate_hz`; synthesised speech is trimmed and evened out as well.

    Raises:
        AudioError: it cannot be read, or there is no sound in it.
    """
    wav, body = _parse(data)
    if (wav.encoding, wav.channels, wav.bits) == (_PCM, 1, 16) and wav.rate_hz != rate_hz:
        # What voices make: its samples need not become floats first.
        sound = _resample(_upper_16_bits(body, 2), wav.rate_hz, rate_hz)
    else:
        sound = resample(read_wav(data), rate_hz)
    if speech:
        sound = even_out(trim(sound))
    if not sound.samples:
        raise AudioError("there is no sound in it")
    return write_wav(sound)


def main() -> int:
    """Answer requests; see the module."""
    # Calls come first: whoever shares the processor with this goes before it.
    os.nice(10)
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := given.read(REQUEST.size):
        rate_hz, speech, length = REQUEST.unpack(head)
        _answer(answers, given.read(length), rate_hz, speech=bool(speech))
    return 0


def _answer(answers: BinaryIO, wav: bytes, rate_hz: int, *, speech: bool) -> None:
    try:
        good, content = 1, convert(wav, rate_hz, speech=speech)
    except AudioError as error:
        good, content = 0, str(error).encode()
    answers.write(ANSWER.pack(good, len(content)) + content)
    answers.flush()


def _parse(data: bytes) -> tuple[WavFormat, bytes]:
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise AudioError("it is not a WAV file")
    wav: WavFormat | None = None
    at = 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        chunk = data[at + 8 : at + 8 + length]
        if name == b"fmt ":
            wav = _parse_format(chunk)
        elif name == b"data":
            if wav is None:
                raise AudioError("the WAV file does not say its format before its data")
            return wav, chunk
        at += 8 + length + length % 2
    raise AudioError("the WAV file holds no data")


def _parse_format(chunk: bytes) -> WavFormat:
    if len(chunk) < 16:
        raise AudioError("the WAV file's format is cut short")
    encoding, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if encoding == _EXTENSIBLE and len(chunk) >= 26:
        (encoding,) = struct.unpack_from("<H", chunk, 24)
    if channels == 0 or not 1000 <= rate_hz <= 400_000:
        raise AudioError(f"the WAV file has {channels} channels and {rate_hz} samples a second")
    return WavFormat(encoding, channels, rate_hz, bits)


def _decode(wav: WavFormat, body: bytes) -> list[float]:
    match wav.encoding, wav.bits:
        case (1, 8):
            return [(value - 128) / 128 for value in body]
        case (1, 16 | 24 | 32):
            return [value / 32768 for value in _upper_16_bits(body, wav.bits // 8)]
        case (3, 32 | 64):
            # A NaN in a damaged file is silence.
            return [0.0 if math.isnan(value) else max(-1.0, min(1.0, value)) for value in _floats(body, wav.bits)]
        case (6, 8):
            table = [_alaw(code) for code in range(256)]
            return [table[code] for code in body]
        case (7, 8):
            table = [_ulaw(code) for code in range(256)]
            return [table[code] for code in body]
        case _:
            raise AudioError(f"WAV encoding {wav.encoding} with {wav.bits} bits is not known")


def _upper_16_bits(body: bytes, width: int) -> array[int]:
    count = len(body) // width
    upper = bytearray(2 * count)
    upper[0::2] = body[width - 2 : count * width : width]
    upper[1::2] = body[width - 1 : count * width : width]
    samples = array("h", bytes(upper))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _floats(body: bytes, bits: int) -> array[float]:
    samples = array("f" if bits == 32 else "d", body[: len(body) // (bits // 8) * (bits // 8)])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _ulaw(code: int) -> float:
    """ITU-T G.711 µ-law."""
    code = ~code & 0xFF
    magnitude = ((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)
    return (0x84 - magnitude if code & 0x80 else magnitude - 0x84) / 32768


def _alaw(code: int) -> float:
    """ITU-T G.711 A-law."""
    code ^= 0x55
    exponent = code >> 4 & 7
    magnitude = (code & 0x0F) << 4
    magnitude = magnitude + 8 if exponent == 0 else magnitude + 0x108 << exponent - 1
    return (magnitude if code & 0x80 else -magnitude) / 32768


def _to_16_bits(samples: Sequence[float]) -> array[int]:
    return array("h", [max(-32768, min(32767, round(value * 32768))) for value in samples])


def _resample(samples: array[int], from_hz: int, to_hz: int) -> Sound:
    times = math.ceil(OVERSAMPLING * to_hz / from_hz)
    scale = min(1.0, to_hz / from_hz)
    reach = math.ceil(ZERO_CROSSINGS / scale)
    around = array("h", bytes(2 * (reach + SHORT_REACH)))
    slots = _slots(around + samples + around)
    dense = [0.0] * (times * (len(samples) + 2 * SHORT_REACH))
    for place in range(times):
        dense[place::times] = _filtered(slots, _long_filter(place / times, reach, scale), reach)
    return Sound(_picked(dense, len(samples) * to_hz // from_hz, times * from_hz, to_hz, SHORT_REACH * times), to_hz)


def _slots(samples: array[int]) -> bytearray:
    """The samples as numbers from 0 to 65535, each in its slot."""
    if sys.byteorder == "big":
        samples.byteswap()
    body = samples.tobytes()
    slots = bytearray(SLOT_BYTES * len(samples))
    slots[0::SLOT_BYTES] = body[0::2]
    slots[1::SLOT_BYTES] = body[1::2].translate(_FLIP_SIGN)
    return slots


def _filtered(slots: bytearray, taps: int, reach: int) -> list[float]:
    """The slots through a filter, all but `reach` at each end; in slots' units."""
    total = len(slots) // SLOT_BYTES
    values: list[float] = []
    for at in range(0, total - 2 * reach, BLOCK):
        piece = slots[at * SLOT_BYTES : (at + BLOCK + 2 * reach) * SLOT_BYTES]
        size = len(piece) + 2 * reach * SLOT_BYTES
        product = int.from_bytes(piece, "little") * taps + _spare(size)
        filtered = array("I", product.to_bytes(size, "little"))
        if sys.byteorder == "big":
            filtered.byteswap()
        values.extend([slot - SLOT_SILENCE for slot in filtered[2 * reach : len(piece) // SLOT_BYTES]])
    return values


def _picked(dense: list[float], count: int, from_hz: int, to_hz: int, start: int) -> list[float]:
    """`count` samples at `to_hz` from between those of `dense`, from place `start` on."""
    common = math.gcd(to_hz, from_hz)
    up, down = to_hz // common, from_hz // common
    samples = [0.0] * count
    for phase, (first, (a, b, c, d, e, f, g, h)) in enumerate(_short_filters(up, down)[:count]):
        begin = start + first + 1 - SHORT_REACH
        around = zip(*(dense[begin + place :: down] for place in range(2 * SHORT_REACH)), strict=False)
        samples[phase::up] = [
            a * s + b * t + c * u + d * v + e * w + f * x + g * y + h * z
            for s, t, u, v, w, x, y, z in islice(around, (count - phase + up - 1) // up)
        ]
    return samples


@lru_cache(maxsize=64)
def _long_filter(fraction: float, reach: int, scale: float) -> int:
    """The low-pass filter for samples that lie `fraction` of a sample behind the given ones, as one number."""
    distances = [(offset - fraction) * scale for offset in range(-reach, reach + 1)]
    taps = [round(tap * TAPS_SUM) for tap in _windowed_sinc(distances, BAND, ZERO_CROSSINGS, KAISER_BETA)]
    taps[reach] += TAPS_SUM - sum(taps)
    # Backwards: in a product the slots' places add up, and sample and tap of the same offset are to meet in one.
    return sum(tap << 8 * SLOT_BYTES * place for place, tap in enumerate(reversed(taps)))


@lru_cache(maxsize=16)
def _spare(size: int) -> int:
    return int.from_bytes(SPARE.to_bytes(SLOT_BYTES, "little") * (size // SLOT_BYTES), "little")


@lru_cache(maxsize=8)
def _short_filters(up: int, down: int) -> list[tuple[int, list[float]]]:
    """For each place within a period: the sample before it, and the taps from `SHORT_REACH` - 1 samples before that
    one on."""
    filters = []
    for phase in range(up):
        first, part = divmod(phase * down, up)
        distances = [offset - part / up for offset in range(1 - SHORT_REACH, SHORT_REACH + 1)]
        taps = _windowed_sinc(distances, 1.0, SHORT_REACH, SHORT_BETA)
        filters.append((first, [tap * SLOT_UNIT for tap in taps]))
    return filters


def _windowed_sinc(distances: Sequence[float], band: float, reach: float, beta: float) -> list[float]:
    """The taps of a filter at these distances from its middle, which together make 1."""
    taps = []
    for distance in distances:
        x = distance * band
        sinc = 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)
        taps.append(sinc * _kaiser(distance / reach, beta))
    total = sum(taps)
    return [tap / total for tap in taps]


def _kaiser(x: float, beta: float) -> float:
    """The Kaiser window from -1 to 1, not normalised (the filter is, as a whole)."""
    return _bessel_i0(beta * math.sqrt(1 - x * x)) if abs(x) < 1 else 0.0


def _bessel_i0(x: float) -> float:
    total = term = 1.0
    k = 1
    while term > total * 1e-12:
        term *= (x / (2 * k)) ** 2
        total += term
        k += 1
    return total


def _fade(sound: Sound) -> Sound:
    length = min(round(FADE_S * sound.rate_hz), len(sound.samples) // 2)
    samples = list(sound.samples)
    for index in range(length):
        samples[index] *= index / length
        samples[-1 - index] *= index / length
    return Sound(samples, sound.rate_hz)


def _rms(samples: Sequence[float]) -> float:
    return math.sqrt(sum(map(mul, samples, samples)) / len(samples)) if samples else 0.0


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))


if __name__ == "__main__":
    sys.exit(main())

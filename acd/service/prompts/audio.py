"""Sound for prompts: read WAV files of many kinds, trim silence, even out the level, change the rate, write what
Asterisk plays.

Standard library only and without imports of its own package, because it also runs as a program of its own (`main`):
converting takes tenths of a second of pure computing, which in the engine's process would hold up the calls.

As a program: a WAV file on standard input, an 8 kHz 16-bit mono one on standard output; exit code 1 and a line of
text on standard error if the input cannot be used.
"""

from __future__ import annotations

import argparse
import math
import os
import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

FULL_SCALE = 32767
INPUT_BYTES_MAX = 200_000_000

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

# The resampler's filter: zero crossings on each side, Kaiser window, and how much of the band is kept.
ZERO_CROSSINGS = 16
KAISER_BETA = 8.0
BAND = 0.92

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
    samples = array("h", (max(-FULL_SCALE, min(FULL_SCALE, round(value * FULL_SCALE))) for value in sound.samples))
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
    """The same sound at another rate: polyphase filter, windowed sinc (J. O. Smith, Digital Audio Resampling)."""
    if rate_hz == sound.rate_hz:
        return sound
    common = math.gcd(rate_hz, sound.rate_hz)
    up, down = rate_hz // common, sound.rate_hz // common
    scale = min(1.0, rate_hz / sound.rate_hz)
    reach = math.ceil(ZERO_CROSSINGS / scale)
    padded = [0.0] * reach + sound.samples + [0.0] * (reach + 1)
    filters: dict[int, list[float]] = {}
    output = []
    for index in range(len(sound.samples) * up // down):
        first, phase = divmod(index * down, up)
        taps = filters.get(phase)
        if taps is None:
            taps = filters[phase] = _taps(phase / up, reach, scale)
        # The taps' middle is at `reach`, which is where the padding has moved sample `first` to.
        output.append(sum(map(mul, taps, padded[first : first + 2 * reach + 1])))
    return Sound(output, rate_hz)


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
    sound = resample(read_wav(data), rate_hz)
    if speech:
        sound = even_out(trim(sound))
    if not sound.samples:
        raise AudioError("there is no sound in it")
    return write_wav(sound)


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert standard input to standard output; see the module."""
    parser = argparse.ArgumentParser(description="Convert a WAV file on standard input into one that Asterisk plays.")
    parser.add_argument("--rate", type=int, default=8000, choices=(8000, 16000), help="samples per second")
    parser.add_argument("--speech", action="store_true", help="synthesised speech: trim silence, even out the level")
    options = parser.parse_args(arguments)
    # Calls come first: whoever shares the processor with this goes before it.
    os.nice(10)
    try:
        converted = convert(sys.stdin.buffer.read(INPUT_BYTES_MAX), options.rate, speech=options.speech)
    except AudioError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(converted)
    return 0


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


def _taps(fraction: float, reach: int, scale: float) -> list[float]:
    """The filter for an output sample that lies `fraction` of an input sample behind the middle one."""
    taps = []
    for offset in range(-reach, reach + 1):
        distance = (offset - fraction) * scale
        x = distance * BAND
        sinc = 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)
        taps.append(sinc * _kaiser(distance / ZERO_CROSSINGS))
    total = sum(taps)
    return [tap / total for tap in taps]


def _kaiser(x: float) -> float:
    """The Kaiser window from -1 to 1, not normalised (the filter is, as a whole)."""
    return _bessel_i0(KAISER_BETA * math.sqrt(1 - x * x)) if abs(x) < 1 else 0.0


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

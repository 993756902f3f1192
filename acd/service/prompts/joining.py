"""Several sounds made into one: what is said in parts is heard as if it were said in one go.

The silence where two sounds meet is cut to what the words ask for, and both are faded over a few milliseconds there, so
that there is neither a gap nor a click. Their outer ends stay as they are.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence

__all__ = ["PAUSE_MAX_S", "PAUSE_S", "SENTENCE_PAUSE_S", "JoinError", "join", "pause_after"]

PAUSE_S = 0.06
"""Between parts of one sentence: what speakers leave between words that belong together."""
COMMA_PAUSE_S = 0.16
SENTENCE_PAUSE_S = 0.30
PAUSE_MAX_S = 0.30
"""What is left of a recording's own silence."""

LOUD = 0.01
"""Share of a sound's peak from which on it counts as sound: -40 dB."""
FADE_S = 0.004
KEPT_S = 0.012
"""Kept beyond the last loud sample, and before the first: speech dies away."""

_HEAD_BYTES = 44
_SENTENCE_ENDS = ".!?。！？…"
_COMMAS = ",;:，；：、"


class JoinError(Exception):
    """A sound is not of the kind that can be joined."""


def pause_after(text: str) -> float:
    """How long speakers pause behind `text` (seconds), by how it ends."""
    last = text.rstrip(" \"'”’」』)）")[-1:]
    if last and last in _SENTENCE_ENDS:
        return SENTENCE_PAUSE_S
    return COMMA_PAUSE_S if last and last in _COMMAS else PAUSE_S


def join(sounds: Sequence[bytes], pauses_s: Sequence[float | None]) -> bytes:
    """Join WAV files as `acd.service.prompts.audio.write_wav` makes them: 16 bits, mono, one rate.

    `pauses_s` has one pause for each place where two meet; None leaves the silence that is there, up to
    `PAUSE_MAX_S`.

    Raises:
        JoinError: a file is of another kind, or of another rate than the first.
    """
    parts = [_samples(sound) for sound in sounds]
    rates = {rate_hz for _, rate_hz in parts}
    if len(rates) != 1 or len(pauses_s) != len(parts) - 1:
        raise JoinError("sounds of one rate, with a pause between each two")
    (rate_hz,) = rates
    ends = [_ends(samples) for samples, _ in parts]
    joined = array("h")
    kept, fade = round(KEPT_S * rate_hz), round(FADE_S * rate_hz)
    for place, ((samples, _), (first, last)) in enumerate(zip(parts, ends, strict=True)):
        begin = max(0, first - kept) if place else 0
        end = min(len(samples), last + kept) if place < len(parts) - 1 else len(samples)
        piece = samples[begin:end]
        if place:
            _fade(piece, fade, from_end=False)
        if place < len(parts) - 1:
            _fade(piece, fade, from_end=True)
        joined += piece
        if place < len(parts) - 1:
            own = len(samples) - last + ends[place + 1][0]
            wanted = pauses_s[place]
            pause = min(own, round(PAUSE_MAX_S * rate_hz)) if wanted is None else round(wanted * rate_hz)
            rest = (end - last) + min(kept, ends[place + 1][0])
            joined += array("h", bytes(2 * max(0, pause - rest)))
    return _wav(joined, rate_hz)


def _samples(sound: bytes) -> tuple[array[int], int]:
    if len(sound) < _HEAD_BYTES or sound[:4] != b"RIFF" or sound[12:16] != b"fmt " or sound[36:40] != b"data":
        raise JoinError("not a plain WAV file")
    encoding, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", sound, 20)
    if (encoding, channels, bits) != (1, 1, 16):
        raise JoinError("not 16 bits, mono")
    (length,) = struct.unpack_from("<I", sound, 40)
    body = sound[_HEAD_BYTES : _HEAD_BYTES + length]
    samples = array("h", body[: len(body) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples, rate_hz


def _ends(samples: array[int]) -> tuple[int, int]:
    """Where the sound begins and, behind its last loud sample, ends."""
    peak = max(max(samples, default=0), -min(samples, default=0))
    threshold = max(1, int(peak * LOUD))
    loud = range(len(samples))
    first = next((at for at in loud if not -threshold < samples[at] < threshold), 0)
    last = next((at + 1 for at in reversed(loud) if not -threshold < samples[at] < threshold), len(samples))
    return first, last


def _fade(samples: array[int], length: int, *, from_end: bool) -> None:
    length = min(length, len(samples))
    for step in range(length):
        at = len(samples) - 1 - step if from_end else step
        samples[at] = samples[at] * step // length


def _wav(samples: array[int], rate_hz: int) -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    body = samples.tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(body), b"WAVE"),
        *(b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16),
        *(b"data", len(body)),
    )
    return head + body

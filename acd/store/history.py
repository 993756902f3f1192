"""Why a call of the past went where it went: its journal is replayed up to the call's end, and explained there.

The engine of that moment knows what the running one has forgotten, so the answer is the one that it would have given.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from acd.core.explain import Explanation, explain_call
from acd.store.journal import digest_of, segments
from acd.store.replay import Segment, other_version, read_segment
from routing.strategies import installed_strategies

__all__ = ["Recalled", "recall_call"]


@dataclass(frozen=True, slots=True)
class Recalled:
    """What one engine knew of a call. ``wall_s`` is to be added to the explanation's times to have UNIX time."""

    segment: Segment
    explanation: Explanation
    wall_s: float
    parts_at: int | None
    """The number of the input from which on this version decides differently, so that its reasons are not those."""


def recall_call(place: Path, call_id: str) -> list[Recalled]:
    """Tell what a journal (a folder, or one segment) knows of a call: one for each engine that had it, oldest first.

    Raises:
        JournalError: a segment that names the call cannot be read.
        OSError: the place cannot be read.
    """
    found: list[Recalled] = []
    for path in segments(place) if place.is_dir() else [place]:
        last = _last_mention(path, call_id)
        if not last:
            continue
        segment = read_segment(path)
        recalled = _recall(segment, call_id, last)
        if recalled is None:
            continue
        if segment.goes_on and found:
            found.pop()  # the same engine, which knew all that and more
        found.append(recalled)
    return found


def _last_mention(path: Path, call_id: str) -> int:
    """Return how many inputs there are up to the last one that names the call; 0 when none does."""
    name = orjson.dumps(call_id)[:-1]  # offers are called by it, with a number behind
    last = 0
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if number and name in line:
                last = number
    return last


def _recall(segment: Segment, call_id: str, last: int) -> Recalled | None:
    engine = segment.engine(installed_strategies())
    now = segment.began_at_s
    parts_at: int | None = None
    for number, (entry, made) in enumerate(segment.run_through(engine), start=1):
        now = entry.now
        if parts_at is None and digest_of(made) != entry.digest:
            parts_at = entry.number
        if number >= last and call_id not in engine.calls:
            break
    try:
        explanation = explain_call(engine.world, call_id, now)
    except AttributeError as error:
        if not segment.goes_on:
            raise
        raise other_version(segment.path, error) from error
    if explanation is None:
        return None
    return Recalled(segment, explanation, segment.wall_s - segment.began_at_s, parts_at)

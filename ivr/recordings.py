"""Recording what a caller says: a place for the sound, and how it is made. The dialogue is in `ivr.taking`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from ivr.context import CallContext
from ivr.line import RecordLimits
from ivr.speech import Speech

__all__ = ["Draft", "Manner", "NoRecordings", "RecordingImpossible", "Recordings"]


class RecordingImpossible(Exception):
    """There is no place for a recording; the text says why, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A recording that is being made."""

    id: str
    path: str
    """Where the line records, without the file's ending."""
    seconds: float = 0.0
    """What is there already: the call's former line was lost while it was being recorded, and the caller is back."""
    is_kept: bool = False
    """That recording has been taken care of meanwhile: nothing is left to do."""


class Recordings(Protocol):
    """Keeps recordings that belong to a call (`record`)."""

    async def open(self, call: CallContext, node: str) -> Draft:
        """Make place for what the caller is about to say at this node.

        Raises:
            RecordingImpossible: the disk is full, or the folder cannot be written.
        """
        ...

    async def keep(self, draft: Draft) -> None:
        """The sound is as it is meant to be. Raises RecordingImpossible."""
        ...

    async def discard(self, draft: Draft) -> None:
        """It is not wanted."""
        ...

    def leave(self, draft: Draft) -> None:
        """The line was lost while the recording goes on: it will be found later."""
        ...


class NoRecordings:
    """No place for anything."""

    async def open(self, call: CallContext, node: str) -> Draft:  # noqa: ARG002
        """See `Recordings`."""
        raise RecordingImpossible("nothing can be recorded here")

    async def keep(self, draft: Draft) -> None:
        """See `Recordings`."""

    async def discard(self, draft: Draft) -> None:
        """See `Recordings`."""

    def leave(self, draft: Draft) -> None:
        """See `Recordings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a recording is made. `shortest_s`: what is shorter counts as nothing said."""

    limits: RecordLimits
    shortest_s: float = 1.0
    review: bool = True
    """The caller may hear it, record again, or cancel."""
    urgent: bool = False
    """The review offers to mark it as urgent."""
    said: Mapping[str, tuple[Speech, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """What is said instead of the built-in prompts, by their names (`record-review` …)."""

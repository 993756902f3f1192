"""Callbacks as screens and programs see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from acd.service.callbacks.entries import Callback, Stage
from acd.service.callbacks.policy import QueueCallbacks
from acd.web.backend import Json

__all__ = ["Shown", "row_of"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One callback for a screen."""

    entry: Callback
    stage: Stage
    agents: tuple[str, ...]
    """Whose phones ring for it, or who has picked up."""
    next_at: float = 0.0
    """When it goes on waiting in its queue, after a pause or at the next opening (UNIX time); 0: it does, or as soon as
    others are done with."""


def row_of(one: Shown, how: QueueCallbacks) -> Mapping[str, Json]:
    """Tell of one callback in words that JSON can carry."""
    entry = one.entry
    return {
        "id": entry.id,
        "number": entry.number,
        "name": entry.name,
        "queue": entry.queue,
        "state": one.stage.value,
        "first": "customer" if how.customer_first else "agent",
        "agents": list(one.agents),
        "waiting_since": _date(entry.entered_at),
        "promised_at": _date(entry.promised_at),
        "expires_at": _date(entry.expires_at),
        "not_before": _date(entry.not_before),
        "next_at": _date(one.next_at),
        "attempts": entry.attempts,
        "attempts_most": how.attempts,
        "priority": entry.priority,
        "requires": dict(entry.requires),
        "agent": entry.agent,
        "dialled": entry.dialled,
        "language": entry.language,
        "data": dict(entry.data),
    }


def _date(moment_s: float) -> str | None:
    """Write a moment (UNIX time) in ISO 8601; None for none."""
    return datetime.fromtimestamp(moment_s, UTC).isoformat(timespec="seconds") if moment_s else None

"""Moments as the interfaces and files write them: ISO 8601 in UTC, with Z."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

__all__ = ["utc_text", "wall_text"]

Exactness = Literal["seconds", "milliseconds"]


def utc_text(moment: datetime, exact_to: Exactness = "milliseconds") -> str:
    """Write a moment, which has a zone."""
    return moment.astimezone(UTC).isoformat(timespec=exact_to).replace("+00:00", "Z")


def wall_text(wall_s: float, exact_to: Exactness = "milliseconds") -> str:
    """Write a moment of the wall clock (UNIX time, seconds)."""
    return utc_text(datetime.fromtimestamp(wall_s, UTC), exact_to)

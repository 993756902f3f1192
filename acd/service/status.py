"""The state of everything as plain JSON values, for the web port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from acd.core.snapshot import Snapshot
from acd.web.backend import Json

__all__ = ["status_of"]


def status_of(snapshot: Snapshot, wall_s: float, reasons: tuple[str, ...]) -> Mapping[str, Json]:
    """Write a snapshot as JSON values. ``wall_s``: the moment (UNIX time); ``reasons``: why callers are not served."""
    return {
        "at": datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ready": not reasons,
        "reasons": list(reasons),
        **asdict(snapshot),
    }

"""The state of everything as plain JSON values, for the web port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from acd.core.snapshot import Snapshot
from acd.service.moments import wall_text
from acd.web.backend import Json

__all__ = ["dated", "status_of"]


def status_of(snapshot: Snapshot, wall_s: float, reasons: tuple[str, ...]) -> Mapping[str, Json]:
    """Write a snapshot as JSON values. ``wall_s``: the moment (UNIX time); ``reasons``: why callers are not served."""
    return {
        "at": wall_text(wall_s),
        "ready": not reasons,
        "reasons": list(reasons),
        **asdict(snapshot),
    }


def dated(value: Any, to_wall: Callable[[float], float]) -> Any:
    """Copy a JSON value; beside each moment on the engine's clock (``…at_s``) put the date (``…at``)."""
    if isinstance(value, Mapping):
        copy = {}
        for key, part in value.items():
            copy[key] = dated(part, to_wall)
            if key.endswith("at_s") and isinstance(part, int | float):
                copy[key.removesuffix("_s")] = wall_text(to_wall(part))
        return copy
    if isinstance(value, list | tuple):
        return [dated(part, to_wall) for part in value]
    return value

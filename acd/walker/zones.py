"""Which moment a walk begins at: as it was given, in the zone that was meant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["MomentError", "beginning"]


class MomentError(ValueError):
    """A moment or zone cannot be understood; the text says why."""


def beginning(at: str, zone: str, calendar_zones: Iterable[str], now: datetime) -> datetime:
    """The moment at which a walk begins, with its zone.

    Args:
        at: as in ISO 8601, such as `2026-11-23T10:00`, with an offset or without; empty for `now`.
        zone: IANA name of the zone that a moment without an offset is in; empty for the zone of the calendars if they
            have one in common, else UTC.
        calendar_zones: the zones of the site's calendars.
        now: the present, with a zone.

    Raises:
        MomentError: see there.
    """
    place = _zone(zone, calendar_zones)
    if not at:
        return now.astimezone(place)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise MomentError(f"{at!r} is not a moment such as 2026-11-23T10:00") from None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=place)
    return moment.astimezone(place) if zone else moment


def _zone(zone: str, calendar_zones: Iterable[str]) -> tzinfo:
    if not zone:
        common = set(calendar_zones)
        if len(common) != 1:
            return UTC
        zone = common.pop()
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MomentError(f"{zone!r} is not a zone such as Asia/Shanghai") from None

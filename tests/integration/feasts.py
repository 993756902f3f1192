"""A public holiday that is being kept somewhere right now, so that a running engine can be asked on one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config.public_holidays import Country, country_codes

__all__ = ["holiday_now"]

_LASTS = timedelta(hours=1)
"""The day must not end within so long: a test may take some minutes."""


def holiday_now(now: datetime | None = None) -> tuple[dict[str, Any], str] | None:
    """Return a calendar (as written) that is open every day but for today's holiday, and the holiday's name.

    Somewhere on earth it is one on all but a few days of a year; None on those.
    """
    now = now or datetime.now(UTC)
    days = {}
    for west in range(-14, 13):
        local = now.astimezone(ZoneInfo(f"Etc/GMT{west:+}"))
        if (local + _LASTS).date() == local.date():
            days[local.date()] = f"Etc/GMT{west:+}"
    for code in sorted(country_codes()):
        country = Country(code)
        for part in ("", *country.subdivisions):
            for day, zone in days.items():
                name = country.in_year(day.year, part).get(day)
                if name is not None:
                    kept = {"country": code, **({"subdivision": part} if part else {})}
                    return {"zone": zone, "hours": {"mon-sun": "00:00-24:00"}, "holidays": kept}, name
    return None

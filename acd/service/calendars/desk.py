"""What calendars say now, for everybody who asks: menus, pages, and who opens or closes them by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from acd.core.calendars import Calendar, OpenState, Override
from acd.service.calendars.overrides import Overrides, SetOverride
from acd.service.compile import Compiled
from acd.web.backend import Json
from ivr.opening import Opening

__all__ = ["CalendarDesk", "told"]

log = structlog.get_logger(__name__)

_LOOK_AGAIN_AFTER = timedelta(hours=1)
"""So long an answer without an end in sight is used: finding that out is a search through a year."""


@dataclass(frozen=True, slots=True)
class _Known:
    """An answer, with what it was made of and from when on it holds."""

    calendar: Calendar
    override: Override | None
    since: datetime
    state: OpenState

    def holds_at(self, now: datetime) -> bool:
        return self.since <= now < (self.state.until or self.since + _LOOK_AGAIN_AFTER)


class CalendarDesk:
    """The site's calendars (implements ``ivr.opening.Calendars`` and ``acd.web.calendars.Desk``).

    ``site``: the configuration in force. ``changed`` is called when somebody has opened or closed a calendar by hand.
    ``wall``: UNIX time (seconds).
    """

    def __init__(
        self,
        overrides: Overrides,
        site: Callable[[], Compiled],
        wall: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._overrides = overrides
        self._site = site
        self._wall = wall
        self._changed = changed
        self._known: dict[str, _Known] = {}

    def load(self) -> None:
        """Read the overrides that were kept."""
        self._overrides.load()

    def opening(self, calendar: str) -> Opening | None:
        """See ``ivr.opening.Calendars``."""
        found = self._site().calendars.get(calendar)
        if found is None:
            return None
        state = self._state(calendar, found)
        until = state.until.astimezone(found.zone) if state.until is not None else None
        return Opening(state.is_open, state.why, until, state.cause.value, found.zone, state.why_in)

    def _state(self, name: str, calendar: Calendar) -> OpenState:
        now, override = self._now(), self._overrides.override(name)
        known = self._known.get(name)
        if known is None or known.calendar is not calendar or known.override != override or not known.holds_at(now):
            known = self._known[name] = _Known(calendar, override, now, calendar.at(now, override))
        return known.state

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), UTC)

    # What the web port asks (acd.web.calendars.Desk).

    def names(self) -> list[str]:
        """Return the names of all calendars."""
        return list(self._site().calendars)

    def zone(self, calendar: str) -> ZoneInfo:
        """Return a calendar's time zone. Raises KeyError."""
        return self._site().calendars[calendar].zone

    def now(self) -> datetime:
        """Return the moment, in UTC."""
        return self._now()

    def told(self, calendar: str, at: datetime | None = None) -> Mapping[str, Json]:
        """Tell what a calendar says now, or at another moment. Raises KeyError."""
        site = self._site()
        found = site.calendars[calendar]
        by_hand = self._overrides.get(calendar)
        if at is None:
            at, state = self._now(), self._state(calendar, found)
        else:
            state = found.at(at, by_hand.override if by_hand is not None and by_hand.set_at <= at else None)
        return {
            "calendar": calendar,
            "zone": found.zone.key,
            "at": _iso(at, found.zone),
            "open": state.is_open,
            "why": state.why,
            "cause": state.cause.value,
            "until": _iso(state.until, found.zone) if state.until is not None else None,
            "override": _told(by_hand, found.zone) if by_hand is not None else None,
            "queues": [queue for queue, name in site.opening_hours.items() if name == calendar],
        }

    async def set_override(self, calendar: str, override: Override, by: str, remote: str) -> Mapping[str, Json]:
        """Open or close a calendar by hand, from now on. ``by``: who; ``remote``: from which address.

        Raises:
            KeyError: there is no such calendar.
            NotKept: it cannot be kept over a restart, so nothing has changed.
        """
        zone = self.zone(calendar)
        before = self._overrides.get(calendar)
        await self._overrides.set(calendar, override, by)
        log.info(
            "calendar overridden",
            calendar=calendar,
            state=_word(override.is_open),
            until=_iso(override.until, zone),
            reason=override.why,
            by=by,
            remote=remote,
            instead_of=_word(before.override.is_open) if before is not None else "",
        )
        self._changed()
        return self.told(calendar)

    async def withdraw_override(self, calendar: str, by: str, remote: str) -> bool:
        """End a calendar's override; False when there is none. Raises KeyError and NotKept as ``set_override``."""
        self.zone(calendar)
        found = await self._overrides.withdraw(calendar)
        if found is None:
            return False
        log.info(
            "calendar override withdrawn",
            calendar=calendar,
            state=_word(found.override.is_open),
            set_by=found.by,
            by=by,
            remote=remote,
        )
        self._changed()
        return True


def told(state: OpenState, zone: ZoneInfo) -> str:
    """Say in a sentence whether it is open, until when and why: for explanations."""
    until = f" until {state.until.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})" if state.until is not None else ""
    return f"{_word(state.is_open)}{until}: {state.why}"


def _told(by_hand: SetOverride, zone: ZoneInfo) -> Mapping[str, Json]:
    return {
        "state": _word(by_hand.override.is_open),
        "until": _iso(by_hand.override.until, zone),
        "reason": by_hand.override.why,
        "by": by_hand.by,
        "set_at": _iso(by_hand.set_at, zone),
    }


def _word(is_open: bool) -> str:
    return "open" if is_open else "closed"


def _iso(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")

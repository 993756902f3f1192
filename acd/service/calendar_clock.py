"""What the wall clock brings: opening hours that begin and end, and the daily reset of counts. One timer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog

from acd.core.calendars import Override
from acd.core.events import CountsReset, Event, HoursChanged
from acd.service.calendars.desk import told
from acd.service.compile import Compiled

__all__ = ["CalendarClock"]

log = structlog.get_logger(__name__)

_LOOK_AGAIN_S = 60.0
"""The clock is looked at so often at least: it may be set while we wait (seconds)."""


class _Timer(Protocol):
    def cancel(self) -> None: ...


class CalendarClock:
    """Tells the engine of hours and resets.

    ``wall``: UNIX time; ``call_later(seconds, action)``: the event loop's; ``override``: what somebody has set by hand
    for a calendar. Whoever changes that calls ``look``.
    """

    def __init__(
        self,
        post: Callable[[Event], None],
        wall: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], _Timer],
        override: Callable[[str], Override | None] = lambda _: None,
    ) -> None:
        self._post = post
        self._wall = wall
        self._call_later = call_later
        self._override = override
        self._site: Compiled | None = None
        self._told: dict[str, HoursChanged] = {}
        self._next_reset: datetime | None = None
        self._timer: _Timer | None = None

    def take(self, site: Compiled) -> None:
        """Go by this site from now on: at the start and after each change of the configuration."""
        closed = {queue for queue, told in self._told.items() if not told.is_open}
        self._told = {}
        for queue in closed & set(site.routing.queues):
            if site.calendar_of(queue) is None:
                self._post(HoursChanged(queue, True))
        self._site = site
        self._next_reset = site.counts_reset.next_after(self._now()) if site.counts_reset else None
        self.look()

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), UTC)

    def look(self) -> None:
        """Tell of what is not as it was told before, and wait for the next change."""
        site, now = self._site, self._now()
        if site is None:
            return
        changes = [change for queue in site.opening_hours if (change := self._look_at(site, queue, now)) is not None]
        if self._next_reset is not None and site.counts_reset is not None:
            if self._next_reset <= now:
                log.info("call counts start anew")
                self._post(CountsReset())
                self._next_reset = site.counts_reset.next_after(now)
            changes.append(self._next_reset)
        self.close()
        if changes:
            wait_s = (min(changes) - self._now()).total_seconds()
            self._timer = self._call_later(min(max(wait_s, 0.0), _LOOK_AGAIN_S), self.look)

    def _look_at(self, site: Compiled, queue: str, now: datetime) -> datetime | None:
        """Tell of a queue's hours if they have changed; returns when they change next."""
        name = site.opening_hours.get(queue)
        if name is None:
            return None
        calendar = site.calendars[name]
        state = calendar.at(now, self._override(name))
        hours = HoursChanged(queue, state.is_open, told(state, calendar.zone))
        before = self._told.get(queue)
        if before != hours:
            self._told[queue] = hours
            self._post(hours)
            if before is None or before.is_open is not hours.is_open:
                log.info("opening hours", queue=queue, is_open=state.is_open, why=hours.why)
        return state.until

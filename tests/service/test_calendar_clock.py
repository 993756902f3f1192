"""Hours that begin and end, clocks that are set, resets: told to the engine once and on time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import yaml

from acd.core.calendars import Override
from acd.core.events import CountsReset, Event, HoursChanged
from acd.service.calendar_clock import CalendarClock
from acd.service.compile import Compiled, compile_config
from tests.service.sites import load_site, write_site

MONDAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
HOUR = 3600.0


class Timer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Wall:
    """A wall clock that moves when told; timers fire in its time."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.timers: list[tuple[float, Timer, Callable[[], None]]] = []

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        timer = Timer()
        self.timers.append((self.now + seconds, timer, action))
        return timer

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := sorted(
            (at, place) for place, (at, timer, _) in enumerate(self.timers) if not timer.cancelled and at <= end
        ):
            self.now = max(self.now, due[0][0])
            self.timers.pop(due[0][1])[2]()
        self.now = end


def site(folder: Path, *, opening_hours: bool = True, **routing: object) -> Compiled:
    queues: dict[str, dict[str, object]] = {
        "cards": {"opening_hours": "office"} if opening_hours else {},
        "general": {},
    }
    write_site(folder, queues=queues, routing=routing)
    calendars = {"calendars": {"office": {"zone": "UTC", "hours": {"mon-fri": ["09:00-17:00"]}}}}
    (folder / "calendars.yaml").write_text(yaml.safe_dump(calendars))
    return compile_config(load_site(folder))


def test_hours_are_told_at_the_start_and_at_each_change(tmp_path: Path) -> None:
    told: list[Event] = []
    wall = Wall(MONDAY + 8 * HOUR)
    clock = CalendarClock(told.append, lambda: wall.now, wall.call_later)
    clock.take(site(tmp_path / "site"))
    assert told == [HoursChanged("cards", False, "closed until 2026-11-23 09:00 (UTC): outside opening hours")]
    wall.advance(0.999 * HOUR)
    assert len(told) == 1
    wall.advance(0.002 * HOUR)
    assert told[1:] == [HoursChanged("cards", True, "open until 2026-11-23 17:00 (UTC): opening hours")]
    wall.advance(8 * HOUR)
    assert told[2:] == [HoursChanged("cards", False, "closed until 2026-11-24 09:00 (UTC): outside opening hours")]
    clock.close()
    wall.advance(24 * HOUR)
    assert len(told) == 3


def test_a_clock_that_is_set_is_noticed(tmp_path: Path) -> None:
    told: list[Event] = []
    wall = Wall(MONDAY + 2 * HOUR)
    clock = CalendarClock(told.append, lambda: wall.now + skew[0], wall.call_later)
    skew = [0.0]
    clock.take(site(tmp_path / "site"))
    skew[0] = 8 * HOUR
    wall.advance(61)
    assert [is_open(event) for event in told] == [False, True]


def is_open(event: Event) -> bool:
    assert isinstance(event, HoursChanged)
    return event.is_open


def test_an_override_is_told_when_it_is_set_and_when_it_ends(tmp_path: Path) -> None:
    told: list[Event] = []
    wall = Wall(MONDAY + 10 * HOUR)
    overrides: dict[str, Override] = {}
    clock = CalendarClock(told.append, lambda: wall.now, wall.call_later, overrides.get)
    clock.take(site(tmp_path / "site"))
    assert [is_open(event) for event in told] == [True]
    overrides["office"] = Override(False, datetime(2026, 11, 23, 11, tzinfo=UTC), "fire drill")
    clock.look()
    assert told[1:] == [HoursChanged("cards", False, "closed until 2026-11-23 11:00 (UTC): fire drill")]
    wall.advance(HOUR)
    assert told[2:] == [HoursChanged("cards", True, "open until 2026-11-23 17:00 (UTC): opening hours")]


def test_a_new_reason_is_told(tmp_path: Path) -> None:
    told: list[Event] = []
    wall = Wall(MONDAY)
    overrides: dict[str, Override] = {}
    clock = CalendarClock(told.append, lambda: wall.now, wall.call_later, overrides.get)
    clock.take(site(tmp_path / "site"))
    overrides["office"] = Override(False, datetime(2026, 11, 23, 12, tzinfo=UTC), "power cut")
    clock.look()
    clock.look()
    assert [is_open(event) for event in told] == [False, False]
    assert told[1:] == [HoursChanged("cards", False, "closed until 2026-11-23 12:00 (UTC): power cut")]


def test_a_reload_tells_what_differs(tmp_path: Path) -> None:
    told: list[Event] = []
    wall = Wall(MONDAY)
    clock = CalendarClock(told.append, lambda: wall.now, wall.call_later)
    clock.take(site(tmp_path / "a"))
    clock.take(site(tmp_path / "b", opening_hours=False))
    assert [is_open(event) for event in told] == [False, True], "a queue without hours is open"


def test_counts_are_reset_once_a_day(tmp_path: Path) -> None:
    told: list[Event] = []
    wall = Wall(MONDAY + 23 * HOUR)
    clock = CalendarClock(told.append, lambda: wall.now, wall.call_later)
    clock.take(site(tmp_path / "a", opening_hours=False, call_counts={"reset_at": "00:00", "zone": "UTC"}))
    wall.advance(0.99 * HOUR)
    assert told == []
    wall.advance(0.02 * HOUR)
    assert told == [CountsReset()]
    wall.advance(24 * HOUR)
    assert told == [CountsReset()] * 2

"""docs/calendars.md says what is so: its example loads, and each kind of day in it is as the page tells."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from acd.core.calendars import Calendar
from acd.service.calendars.compiling import compile_calendar
from config import load
from tests.config.sites import write_site

PAGE = Path(__file__).parents[2] / "docs" / "calendars.md"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def office(tmp_path: Path) -> Calendar:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    config = load(write_site(tmp_path, {"calendars.yaml": example}), {})
    assert config.warnings == ()
    return compile_calendar(config.calendars["office"])


@pytest.mark.parametrize(
    ("moment", "is_open", "why", "until"),
    [
        ("2026-11-23T10:00", True, "opening hours", "2026-11-23T12:30"),
        ("2026-11-28T13:00", True, "opening hours", "2026-11-28T14:00"),
        ("2026-12-24T11:00", True, "Christmas Eve", "2026-12-24T12:00"),
        ("2026-12-25T11:00", False, "Christmas Day", "2026-12-26T10:00"),
        ("2026-12-26T11:00", True, "Second Day of Christmas", "2026-12-26T12:00"),
        ("2026-12-30T11:00", False, "stock-taking", "2027-01-01T10:00"),
        ("2026-11-30T15:00", False, "staff meeting", "2026-11-30T16:00"),
        ("2027-03-08T10:00", True, "opening hours", "2027-03-08T12:30"),
    ],
)
def test_the_example(office: Calendar, moment: str, is_open: bool, why: str, until: str) -> None:
    state = office.at(datetime.fromisoformat(moment).replace(tzinfo=BERLIN))
    assert (state.is_open, state.why) == (is_open, why)
    assert state.why_in == ({"en": "staff meeting", "zh": "员工会议"} if why == "staff meeting" else {})
    assert state.until is not None
    assert f"{state.until.astimezone(BERLIN):%Y-%m-%dT%H:%M}" == until

"""Public holidays from the library, and a site that asks for them where the library is not installed."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from config import ConfigErrors, load
from config.public_holidays import INSTALL, Country, HolidaysMissingError, PublicHolidays, country_codes
from tests.config.sites import changed, write_site

HOLIDAYS = changed("calendars.yaml", "    closed: [", "    holidays: {country: DE}\n    closed: [")


def test_a_country_and_a_part_of_it() -> None:
    everywhere, berlin = PublicHolidays("DE"), PublicHolidays("DE", "BE")
    assert everywhere.in_year(2026)[date(2026, 4, 6)] == "Easter Monday"
    assert date(2026, 3, 8) not in everywhere.in_year(2026)
    assert berlin.in_year(2026)[date(2026, 3, 8)] == "Women's Day"
    assert PublicHolidays("DE", "Berlin").in_year(2026) == berlin.in_year(2026)


def test_names_are_in_the_language_asked_for_wherever_the_process_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "th")
    assert PublicHolidays("DE").in_year(2026)[date(2026, 1, 1)] == "New Year's Day"
    assert PublicHolidays("DE", language="de").in_year(2026)[date(2026, 1, 1)] == "Neujahr"


def test_years_are_asked_for_once_and_forgotten_when_there_are_many() -> None:
    source = PublicHolidays("CN")
    assert source.in_year(2026) is source.in_year(2026)
    for year in range(2000, 2030):
        assert source.in_year(year)
    assert source == PublicHolidays("CN")


def test_the_countries() -> None:
    assert {"DE", "CN", "US", "NZ"} <= set(country_codes())
    assert "Good Friday" in Country("DE").names()


def test_a_site_that_asks_for_them_is_told_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_site(tmp_path, HOLIDAYS)
    assert load(folder, {}).warnings == ()
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(HolidaysMissingError):
        country_codes()
    with pytest.raises(ConfigErrors) as caught:
        load(folder, {})
    (error,) = caught.value.errors
    needed = "public holidays need the package 'holidays', which is not installed"
    assert str(error).removeprefix(f"{folder}/") == f"calendars.yaml:7:5: {needed}; install it: {INSTALL}"


def test_a_site_that_does_not_ask_loads_nothing_of_it(tmp_path: Path) -> None:
    folder = write_site(tmp_path)
    program = (
        "import sys; from config import load; from acd.service.compile import compile_config;"
        f"compile_config(load({str(folder)!r}, {{}})); sys.exit('holidays' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

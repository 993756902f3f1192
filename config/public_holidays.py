"""Public holidays by country, from the library ``holidays``, which is installed only where a calendar asks for it.

The library knows some 250 countries; only the module of the one asked for is loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from types import MappingProxyType, ModuleType
from typing import Any, Final

__all__ = ["INSTALL", "Country", "HolidaysMissingError", "PublicHolidays", "country_codes"]

INSTALL: Final = "pip install 'acd-engine[holidays]'"
"""How the library comes to where the engine runs."""

_ENGLISH: Final = "en_US"
_MOST_YEARS: Final = 8
_NAMES_BEFORE: Final = 1
_NAMES_AFTER: Final = 3
"""Years before and after this one whose holidays have the names that a calendar may use."""


class HolidaysMissingError(Exception):
    """The library is not installed."""


def _library() -> ModuleType:
    try:
        import holidays
    except ImportError as error:
        raise HolidaysMissingError(
            f"public holidays need the package 'holidays', which is not installed; install it: {INSTALL}"
        ) from error
    return holidays


def country_codes() -> Collection[str]:
    """Return the countries there are, by their two letters. Raises HolidaysMissingError."""
    return frozenset(code for code in _library().list_supported_countries() if len(code) == 2)


class Country:
    """One country's entry in the library. ``code`` must be one of ``country_codes``."""

    def __init__(self, code: str) -> None:
        """Load the country's module. Raises HolidaysMissingError."""
        self.code = code
        self._of = _library().country_holidays
        entry: Any = self._of(code)
        self.subdivisions: tuple[str, ...] = tuple(entry.subdivisions)
        self.aliases: Mapping[str, str] = dict(getattr(entry, "subdivisions_aliases", {}))
        """Subdivisions' names, each with its code."""
        self.languages: tuple[str, ...] = tuple(entry.supported_languages)
        self.default_language: str | None = entry.default_language

    def language(self, wanted: str = "") -> str | None:
        """Return the language in which holidays are named: the one asked for, else English, else the country's own."""
        return wanted or (_ENGLISH if _ENGLISH in self.languages else self.default_language)

    def in_year(self, year: int, subdivision: str = "", language: str = "") -> Mapping[date, str]:
        """Name the holidays of a year."""
        found: Any = self._of(
            self.code, subdiv=subdivision or None, years=year, expand=False, language=self.language(language)
        )
        return MappingProxyType({day: str(name) for day, name in found.items()})

    def names(self, subdivision: str = "", language: str = "") -> frozenset[str]:
        """Return the names that holidays have about now."""
        this_year = datetime.now(UTC).year
        return frozenset(
            name
            for year in range(this_year - _NAMES_BEFORE, this_year + _NAMES_AFTER + 1)
            for together in self.in_year(year, subdivision, language).values()
            for name in together.split("; ")
        )


@dataclass(frozen=True)
class PublicHolidays:
    """The holidays of a country or a part of it (``acd.core.calendars.HolidaySource``)."""

    country: str
    subdivision: str = ""
    language: str = ""
    _known: dict[int, Mapping[date, str]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def _country(self) -> Country:
        return Country(self.country)

    def in_year(self, year: int) -> Mapping[date, str]:
        """Name the holidays of a year. Raises HolidaysMissingError."""
        known = self._known.get(year)
        if known is None:
            if len(self._known) >= _MOST_YEARS:
                self._known.clear()
            known = self._known[year] = self._country.in_year(year, self.subdivision, self.language)
        return known

"""One way of writing for the many in which a caller's number arrives, so that customers are found by any of them.

The rule, in order; ``49`` stands for the country's code, ``0`` and ``00`` for its prefixes, ``10`` for the least digits
of a number of the country:

1. Spaces and ``-./()`` are left out. What then is anything but digits behind an optional ``+`` stays as it is.
2. ``+49…`` stays; ``00 49…`` becomes ``+49…``.
3. ``0 30…`` becomes ``+49 30…``.
4. ``49…`` with at least 10 digits behind it becomes ``+49…``: some networks leave the ``+`` out.
5. 10 digits or more become ``+49…``: some networks leave the ``0`` out.
6. Everything else, extensions above all, stays as it is.

Without a country's code only 1 and 2 apply. The ``0`` that stands in brackets in ``+49 (0) 30…`` is left out, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Numbering"]

_SEPARATORS = re.compile(r"[\s./()-]")
_NUMBER = re.compile(r"\+?[0-9]+")
_LEAST_AFTER_PREFIX = 5
"""With fewer digits behind it, what looks like a prefix is the beginning of an extension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """How numbers are written where the site is."""

    country_code: str = ""
    """Empty: national numbers are not told from others."""
    national_prefix: str = "0"
    """Empty: the country has none."""
    international_prefix: str = "00"
    least_national_digits: int = 10

    def normal(self, number: str) -> str:
        """Return the number as it is compared. Two ways of writing one number give the same text."""
        text = number.strip()
        if text.startswith("+") and self.national_prefix:
            text = text.replace(f"({self.national_prefix})", "", 1)
        digits = _SEPARATORS.sub("", text)
        if not _NUMBER.fullmatch(digits):
            return text
        if digits.startswith("+"):
            return digits
        for prefix, instead in self._prefixes():
            if prefix and digits.startswith(prefix) and len(digits) >= len(prefix) + _LEAST_AFTER_PREFIX:
                return instead + digits.removeprefix(prefix)
        return self._without_prefix(digits)

    def _prefixes(self) -> tuple[tuple[str, str], ...]:
        international = (self.international_prefix, "+")
        national = (self.national_prefix if self.country_code else "", f"+{self.country_code}")
        # The longer first: 00 before 0, and 011 before 0 where numbers have that.
        return (international, national) if len(international[0]) >= len(national[0]) else (national, international)

    def _without_prefix(self, digits: str) -> str:
        code = self.country_code
        if code and digits.startswith(code) and len(digits) - len(code) >= self.least_national_digits:
            return f"+{digits}"
        if code and len(digits) >= self.least_national_digits:
            return f"+{code}{digits}"
        return digits

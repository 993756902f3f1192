"""Numbers that callers key in: how they are read from the line, and which are accepted."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.patterns import Pattern
from ivr.visit import Visit

__all__ = ["ENTRY_DIGITS_MAX", "EntryCheck", "EntryRules", "luhn", "read_entry"]

DIGITS = "0123456789"
ENTRY_DIGITS_MAX = 40
"""More digits than anybody is asked for."""
TIMEOUT_S_MAX = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRules:
    """How an entry is keyed in.

    It is over with `max_digits`, at the `terminator` (empty for none), or when no digit comes for `inter_digit_s`. The
    first one is awaited for `first_digit_s`.
    """

    min_digits: int = 1
    max_digits: int = 20
    terminator: str = "#"
    first_digit_s: float = 5.0
    inter_digit_s: float = 3.0

    def __post_init__(self) -> None:
        if not 1 <= self.min_digits <= self.max_digits <= ENTRY_DIGITS_MAX:
            raise ValueError(f"digits must be 1 to {ENTRY_DIGITS_MAX}, at least no more than at most")
        if self.terminator not in ("", "*", "#"):
            raise ValueError(f"the terminator is * or #, not {self.terminator!r}")
        for timeout_s in (self.first_digit_s, self.inter_digit_s):
            if not 0 <= timeout_s <= TIMEOUT_S_MAX:
                raise ValueError(f"a time-out must be 0 to {TIMEOUT_S_MAX:g} s, not {timeout_s:g}")

    @property
    def keys(self) -> str:
        """The keys that have a meaning in an entry."""
        return DIGITS + self.terminator

    def complete(self, entry: str) -> bool:
        """Whether these are digits, and enough of them."""
        return entry.isascii() and entry.isdigit() and self.min_digits <= len(entry) <= self.max_digits


async def read_entry(visit: Visit, rules: EntryRules, *, secret: bool = False) -> str | None:
    """Read an entry; None when no key came at all.

    A key that is no digit is part of it: it is not `complete` then. The terminator of an entry that was over without
    it means nothing when it comes after all.
    """
    read = visit.read_secret if secret else visit.read_digit
    entry = ""
    while True:
        key = await read(rules.inter_digit_s if entry else rules.first_digit_s)
        if not key:
            return entry or None
        if key == rules.terminator:
            return entry
        entry += key
        if len(entry) == rules.max_digits:
            visit.call.late_terminator = rules.terminator
            return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCheck:
    """Which entries are accepted: those that pass all that is asked for."""

    pattern: Pattern | None = None
    """Has to match the whole entry."""
    luhn: bool = False
    """The last digit is the check digit of ISO/IEC 7812, as on payment cards."""
    least: int | None = None
    most: int | None = None
    """As a number, both ends included."""
    one_of: frozenset[str] = frozenset()
    """Nothing else, unless empty."""

    def accepts(self, entry: str) -> bool:
        """Whether `entry`, which has digits only, passes."""
        number = int(entry)
        return (
            (self.pattern is None or self.pattern.matches(entry))
            and (not self.luhn or luhn(entry))
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (not self.one_of or entry in self.one_of)
        )


def luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0

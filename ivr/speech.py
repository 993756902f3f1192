"""What can be said on a line. Who owns the sound (recorded, synthesised) is the line's affair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from ivr.currencies import decimals_of


class DigitStyle(StrEnum):
    """How digits are read one by one. It matters in Chinese, where a telephone number's 1 is said 幺."""

    PLAIN = "plain"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt by its name in the configuration; the line takes the variant in the caller's language.

    Without `barge_in` no key stops it, whatever holds for what is said before and after it.
    """

    name: str
    barge_in: bool = True

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be read out. `language` is the text's own language; empty means the caller's."""

    text: str
    language: str = ""

    def __str__(self) -> str:
        return f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class Digits:
    """Keys (0-9, *, #), letters (A-Z) and a leading + said one by one, in the caller's language."""

    digits: str
    style: DigitStyle = DigitStyle.PLAIN

    def __str__(self) -> str:
        return f"digits {self.digits}"


@dataclass(frozen=True, slots=True)
class Number:
    """A number said as a number, in the caller's language; decimals digit by digit."""

    value: int | Decimal

    def __str__(self) -> str:
        return f"number {self.value}"


@dataclass(frozen=True, slots=True)
class Ordinal:
    """A place in a row (`twenty-first`), 0 or more, in the caller's language."""

    value: int

    def __str__(self) -> str:
        return f"ordinal {self.value}"


@dataclass(frozen=True, slots=True)
class Money:
    """A sum of money, in the caller's language.

    `minor_units` is the sum in the currency's smallest unit (cents), `currency` its code of ISO 4217.
    """

    minor_units: int
    currency: str

    def __str__(self) -> str:
        decimals = decimals_of(self.currency) or 0
        whole, rest = divmod(abs(self.minor_units), 10**decimals)
        sign, point = "-" if self.minor_units < 0 else "", f".{rest:0{decimals}}" if decimals else ""
        return f"money {sign}{whole}{point} {self.currency}"


@dataclass(frozen=True, slots=True)
class Date:
    """A day, in the caller's language, with the day of the week and the year as asked for."""

    day: date
    weekday: bool = False
    year: bool = True

    def __str__(self) -> str:
        return f"date {self.day.isoformat()}"


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A time of day, in the caller's language, on a clock of 12 or 24 hours (`clock_h`)."""

    hour: int
    minute: int
    clock_h: int = 12

    def __str__(self) -> str:
        return f"time {self.hour:02}:{self.minute:02}"


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, in the caller's language."""

    seconds: int

    def __str__(self) -> str:
        return f"duration {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Recording:
    """What somebody has said into a line: a sound file by its path, without its ending, and how long it is."""

    path: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return "a recording"


Speech = Prompt | Text | Digits | Number | Ordinal | Money | Date | TimeOfDay | Duration | Recording
"""One part of what is said. Parts are played one after the other without a gap."""

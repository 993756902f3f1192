"""From a text (fixed, keyed in, or out of a look-up) to something that can be said: what is written how.

Whatever does not have the form of its kind is refused as a whole; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from types import MappingProxyType

from ivr.currencies import decimals_of
from ivr.record import ProblemKind
from ivr.speech import Date, Digits, DigitStyle, Duration, Money, Number, Ordinal, Speech, Text, TimeOfDay

__all__ = ["PROBLEMS", "SayKind", "Wording", "to_speech"]

DURATION_MAX_S = 10**9
"""Longer ones (some thirty years) are no durations that anybody wants to hear."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})(\.[0-9]{1,20})?")
_ORDINAL = re.compile(r"[0-9]{1,15}")
_AMOUNT = re.compile(r"([+-]?)([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(\.[0-9]{1,20})?")
_CURRENCY_FIRST = re.compile(r"([A-Za-z]{3})\s*([^A-Za-z]+)")
_CURRENCY_LAST = re.compile(r"([^A-Za-z]+?)\s*([A-Za-z]{3})")
_DATE = re.compile(r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})(?:[T ].{1,40})?")
_TIME = re.compile(
    r"(?:[0-9-]{8,10}[T ])?([0-9]{1,2}):([0-9]{2})(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_SECONDS = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,15})?")
_CLOCK_SPAN = re.compile(r"([0-9]{1,6}):([0-5][0-9]):([0-5][0-9])")
_ISO_SPAN = re.compile(
    r"P(?:([0-9]{1,6})W|(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?)"
)
_KEYS = {DigitStyle.PLAIN: re.compile(r"[A-Z]*[0-9*#][0-9*#A-Z]*"), DigitStyle.PHONE: re.compile(r"[0-9*#A-D]+")}
_BETWEEN_KEYS = re.compile(r"[\s()./_-]")


class SayKind(StrEnum):
    """How a value is read."""

    TEXT = "text"
    DIGITS = "digits"
    PHONE = "phone"
    NUMBER = "number"
    ORDINAL = "ordinal"
    MONEY = "money"
    DATE = "date"
    TIME = "time"
    DURATION = "duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What is chosen about how values are said.

    `currency` (ISO 4217) is meant by a sum that names none; a date is said with `weekday` and `year`; `clock_h` is 12
    or 24.
    """

    currency: str = ""
    weekday: bool = False
    year: bool = True
    clock_h: int = 12

    def __post_init__(self) -> None:
        if self.currency and decimals_of(self.currency) is None:
            raise ValueError(f"{self.currency!r} is no currency of ISO 4217")
        if self.clock_h not in (12, 24):
            raise ValueError("a clock has 12 or 24 hours")


PLAIN = Wording()


def to_speech(kind: SayKind, text: str, language: str = "", wording: Wording = PLAIN) -> Speech | None:
    """`text` as speech of this kind; None if it does not suit.

    - text: as it stands, in `language` (empty: the caller's).
    - digits, phone: keys and a leading +, with spaces, dashes and the like between; digits: letters, too, beside keys.
    - number: a decimal number, thousands apart by commas, spaces or not; zeros at the end of decimals are not said.
    - ordinal: a whole number that is not negative.
    - money: a decimal number, thousands apart by commas or not, with the currency before or behind it, or that of
      `wording`; it is rounded to the currency's smallest unit, halves away from zero.
    - date: ISO 8601 (2026-11-21, 20261121), a time of day behind it is not said. time: 9:05, 21:05:30; of an ISO
      moment the time as it is written.
    - duration: seconds, H:MM:SS, or ISO 8601 (PT2H5M, P1DT2H, P2W); parts of a second are rounded.
    """
    text = text.strip()
    return _READERS[kind](text, language, wording) if text else None


def _text(text: str, language: str, _: Wording) -> Speech:
    return Text(text, language)


def _digits(text: str, style: DigitStyle) -> Speech | None:
    keys = _BETWEEN_KEYS.sub("", text).upper() if style is DigitStyle.PLAIN else _BETWEEN_KEYS.sub("", text)
    return Digits(keys, style) if _KEYS[style].fullmatch(keys.removeprefix("+")) else None


def _number(text: str, _language: str, _: Wording) -> Speech | None:
    found = _NUMBER.fullmatch(text.replace(" ", ""))
    if found is None:
        return None
    written = found[0].replace(",", "")
    decimals = (found[1] or "").rstrip("0")
    return Number(Decimal(written) if decimals.strip(".") else int(written.partition(".")[0]))


def _ordinal(text: str, _language: str, _: Wording) -> Speech | None:
    return Ordinal(int(text)) if _ORDINAL.fullmatch(text) else None


def _money(text: str, _language: str, wording: Wording) -> Speech | None:
    amount, currency = text, wording.currency
    if first := _CURRENCY_FIRST.fullmatch(text):
        currency, amount = first.groups()
    elif last := _CURRENCY_LAST.fullmatch(text):
        amount, currency = last.groups()
    currency = currency.upper()
    decimals = decimals_of(currency)
    found = _AMOUNT.fullmatch(amount.strip())
    if decimals is None or found is None:
        return None
    sign, whole, rest = found.groups()
    value = Decimal(sign + whole.replace(",", "") + (rest or "")).scaleb(decimals)
    return Money(int(value.to_integral_value(ROUND_HALF_UP)), currency)


def _date(text: str, _language: str, wording: Wording) -> Speech | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None  # no such day in the calendar
    return Date(day, wording.weekday, wording.year)


def _time(text: str, _language: str, wording: Wording) -> Speech | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2])
    if (hour, minute) == (24, 0):
        hour = 0
    return TimeOfDay(hour, minute, wording.clock_h) if hour < 24 and minute < 60 else None


def _duration(text: str, _language: str, _: Wording) -> Speech | None:
    seconds = _seconds(text)
    return Duration(seconds) if seconds is not None and seconds <= DURATION_MAX_S else None


def _seconds(text: str) -> int | None:
    if _SECONDS.fullmatch(text):
        return _rounded(text)
    if clock := _CLOCK_SPAN.fullmatch(text):
        hours, minutes, seconds = (int(part) for part in clock.groups())
        return (hours * 60 + minutes) * 60 + seconds
    iso = _ISO_SPAN.fullmatch(text)
    if iso is None or text[-1] in "PT":
        return None
    weeks, days, hours, minutes = (int(part or 0) for part in iso.groups()[:4])
    return (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + _rounded(iso[5] or "0")


def _rounded(number: str) -> int:
    return int(Decimal(number).to_integral_value(ROUND_HALF_UP))


_READERS: Mapping[SayKind, Callable[[str, str, Wording], Speech | None]] = MappingProxyType(
    {
        SayKind.TEXT: _text,
        SayKind.DIGITS: lambda text, _language, _: _digits(text, DigitStyle.PLAIN),
        SayKind.PHONE: lambda text, _language, _: _digits(text, DigitStyle.PHONE),
        SayKind.NUMBER: _number,
        SayKind.ORDINAL: _ordinal,
        SayKind.MONEY: _money,
        SayKind.DATE: _date,
        SayKind.TIME: _time,
        SayKind.DURATION: _duration,
    }
)

PROBLEMS: Mapping[SayKind, ProblemKind] = MappingProxyType(
    {
        SayKind.TEXT: ProblemKind.NO_TEXT,
        SayKind.DIGITS: ProblemKind.NOT_DIGITS,
        SayKind.PHONE: ProblemKind.NOT_DIGITS,
        SayKind.NUMBER: ProblemKind.NOT_A_NUMBER,
        SayKind.ORDINAL: ProblemKind.NOT_A_NUMBER,
        SayKind.MONEY: ProblemKind.NOT_AN_AMOUNT,
        SayKind.DATE: ProblemKind.NOT_A_DATE,
        SayKind.TIME: ProblemKind.NOT_A_TIME,
        SayKind.DURATION: ProblemKind.NOT_A_DURATION,
    }
)
"""What is amiss about a value that cannot be said as its kind."""

"""What is written how: texts that can be said as their kind, and those that cannot."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.languages import LANGUAGES, texts
from ivr.speech import Date, Digits, DigitStyle, Duration, Money, Ordinal, Speech, TimeOfDay
from ivr.values import PROBLEMS, SayKind, Wording, to_speech

EURO = Wording(currency="EUR")


@pytest.mark.parametrize(
    ("kind", "text", "speech"),
    [
        ("ordinal", " 21 ", Ordinal(21)),
        ("ordinal", "007", Ordinal(7)),
        ("money", "12.50 USD", Money(1250, "USD")),
        ("money", "USD 12.50", Money(1250, "USD")),
        ("money", "12.50 usd", Money(1250, "USD")),
        ("digits", "RR-12 34cn", Digits("RR1234CN")),
        ("digits", "+49 (30) 1/2", Digits("+493012")),
        ("phone", "+49 (30) 1/2", Digits("+493012", DigitStyle.PHONE)),
        ("money", "USD-12.5", Money(-1250, "USD")),
        ("money", "-0.05EUR", Money(-5, "EUR")),
        ("money", "+3 GBP", Money(300, "GBP")),
        ("money", "1,234,567.80 CNY", Money(123_456_780, "CNY")),
        ("money", "0.30000000000000004 USD", Money(30, "USD")),
        ("money", "12.499999999999998 USD", Money(1250, "USD")),
        ("money", "0.125 USD", Money(13, "USD")),
        ("money", "-0.125 USD", Money(-13, "USD")),
        ("money", "1500 JPY", Money(1500, "JPY")),
        ("money", "1.5 KWD", Money(1500, "KWD")),
        ("date", "2026-11-21", Date(date(2026, 11, 21))),
        ("date", "20261121", Date(date(2026, 11, 21))),
        ("date", "2026-11-21T23:59:59Z", Date(date(2026, 11, 21))),
        ("date", "2026-11-21 10:00", Date(date(2026, 11, 21))),
        ("date", "2024-02-29", Date(date(2024, 2, 29))),
        ("time", "9:05", TimeOfDay(9, 5)),
        ("time", "09:05:59", TimeOfDay(9, 5)),
        ("time", "00:00", TimeOfDay(0, 0)),
        ("time", "24:00", TimeOfDay(0, 0)),
        ("time", "2026-11-21T15:30:00.5+08:00", TimeOfDay(15, 30)),
        ("time", "15:30Z", TimeOfDay(15, 30)),
        ("duration", "7500", Duration(7500)),
        ("duration", "59.5", Duration(60)),
        ("duration", "2:05:00", Duration(7500)),
        ("duration", "100:00:01", Duration(360_001)),
        ("duration", "PT2H5M", Duration(7500)),
        ("duration", "PT90.5S", Duration(91)),
        ("duration", "P1DT2H", Duration(93_600)),
        ("duration", "P2W", Duration(1_209_600)),
        ("duration", "PT0S", Duration(0)),
    ],
)
def test_what_is_written_how(kind: str, text: str, speech: Speech) -> None:
    assert to_speech(SayKind(kind), text) == speech


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(("digits", text) for text in ("none", "+", "1,5", "1+1", "٣", "4711é")),
        *(("phone", text) for text in ("anonymous", "1800FLOWERS", "sip:100")),
        *(("ordinal", text) for text in ("-1", "1.5", "first", "", "1" * 16, "٣")),
        *(("money", text) for text in ("12.50", "12,50 EUR", "12.50 XXY", "USD", "1,23 USD", "12,3456 USD")),
        *(("money", text) for text in ("USD 12 EUR", "12.5.0 USD", "$12", "nan USD", "1e3 USD", "9" * 13 + " USD")),
        *(("date", text) for text in ("2026-02-29", "2026-13-01", "21.11.2026", "2026-1-1", "0000-01-01", "2026-1121")),
        *(("time", text) for text in ("24:01", "25:00", "9:60", "9", "9:5", "9.30", "3 pm", "24:00:00 x")),
        *(("duration", text) for text in ("", "-5", "2:05", "1:60:00", "P", "PT", "P1DT", "P1Y", "P1M", "PT1.5H")),
        *(("duration", text) for text in ("9" * 10, "999999:00:00", "PT9999999M999999999S")),
    ],
)
def test_what_does_not_suit_is_refused(kind: str, text: str) -> None:
    assert to_speech(SayKind(kind), text) is None


def test_the_currency_of_a_sum_that_names_none() -> None:
    assert to_speech(SayKind.MONEY, "12.5", wording=EURO) == Money(1250, "EUR")
    assert to_speech(SayKind.MONEY, "12.5 USD", wording=EURO) == Money(1250, "USD"), "its own goes first"


def test_how_dates_and_times_are_worded() -> None:
    wording = Wording(weekday=True, year=False, clock_h=24)

    assert to_speech(SayKind.DATE, "2026-11-21", wording=wording) == Date(date(2026, 11, 21), weekday=True, year=False)
    assert to_speech(SayKind.TIME, "15:30", wording=wording) == TimeOfDay(15, 30, 24)
    with pytest.raises(ValueError, match="no currency"):
        Wording(currency="EURO")
    with pytest.raises(ValueError, match="12 or 24"):
        Wording(clock_h=10)


@given(st.sampled_from(SayKind), st.text(max_size=60) | st.text(alphabet="0123456789.,:-+PTDHMSW USDEUR", max_size=30))
@settings(deadline=None, max_examples=500)
def test_whatever_comes_is_said_or_refused(kind: SayKind, text: str) -> None:
    part = to_speech(kind, text, wording=EURO)

    assert kind in PROBLEMS
    for language in LANGUAGES if part is not None else ():
        assert part is not None
        assert all(said.text for said in texts(part, language))


@given(st.integers(-(10**11), 10**11), st.sampled_from(["USD", "JPY", "KWD"]))
def test_a_sum_as_it_is_told_is_read_back(minor_units: int, currency: str) -> None:
    money = Money(minor_units, currency)

    assert to_speech(SayKind.MONEY, str(money).removeprefix("money ")) == money

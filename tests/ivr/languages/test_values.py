"""Ordinals, sums, dates, times and durations in words: tables made by hand, num2words for English, readers that know
nothing of the writers for Chinese."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words

from ivr.currencies import DECIMALS
from ivr.languages import NUMBER_MAX, en_values, texts, zh_values
from ivr.speech import Date, Duration, Money, Ordinal, Speech, Text, TimeOfDay
from tests.ivr.languages.test_numbers import read_chinese, read_english

DAY = date(2026, 11, 21)


def say(part: Speech, language: str) -> str:
    """What is said, which is one text: spoken in one breath."""
    (text,) = texts(part, language)
    assert text.language == language
    return text.text


TABLE: list[tuple[Speech, str, str]] = [
    (Ordinal(0), "zeroth", "第零"),
    (Ordinal(1), "first", "第一"),
    (Ordinal(2), "second", "第二"),
    (Ordinal(12), "twelfth", "第十二"),
    (Ordinal(20), "twentieth", "第二十"),
    (Ordinal(21), "twenty-first", "第二十一"),
    (Ordinal(103), "one hundred and third", "第一百零三"),
    (Ordinal(200), "two hundredth", "第二百"),
    (Ordinal(2000), "two thousandth", "第二千"),
    (Ordinal(22_000), "twenty-two thousandth", "第二万二千"),
    (Money(1250, "USD"), "twelve dollars and fifty cents", "十二美元五十美分"),
    (Money(1250, "CNY"), "twelve yuan and fifty fen", "十二元五角"),
    (Money(1205, "CNY"), "twelve yuan and five fen", "十二元零五分"),
    (Money(1255, "CNY"), "twelve yuan and fifty-five fen", "十二元五角五分"),
    (Money(222, "CNY"), "two yuan and twenty-two fen", "两元两角两分"),
    (Money(5, "CNY"), "five fen", "五分"),
    (Money(50, "CNY"), "fifty fen", "五角"),
    (Money(0, "CNY"), "zero yuan", "零元"),
    (Money(20_000, "CNY"), "two hundred yuan", "两百元"),
    (Money(-1250, "CNY"), "minus twelve yuan and fifty fen", "负十二元五角"),
    (Money(-1250, "TWD"), "minus twelve New Taiwan dollars and fifty cents", "新台币负十二元五角"),
    (Money(100, "USD"), "one dollar", "一美元"),
    (Money(1, "USD"), "one cent", "一美分"),
    (Money(-1, "GBP"), "minus one penny", "负一便士"),
    (Money(301, "GBP"), "three pounds and one penny", "三英镑一便士"),
    (Money(1500, "JPY"), "one thousand five hundred yen", "一千五百日元"),
    (Money(12_500, "KWD"), "twelve Kuwaiti dinars and five hundred fils", "十二科威特第纳尔五百费尔"),
    (Money(12_500, "BHD"), "twelve point five B H D", "十二点五 B H D"),
    (Money(12_005, "BHD"), "twelve point zero zero five B H D", "十二点零零五 B H D"),
    (Money(7, "XAF"), "seven X A F", "七 X A F"),
    (Date(DAY), "November twenty-first, twenty twenty-six", "二〇二六年十一月二十一日"),
    (
        Date(DAY, weekday=True),
        "Saturday, November twenty-first, twenty twenty-six",
        "二〇二六年十一月二十一日星期六",
    ),
    (Date(date(2005, 2, 28), weekday=True, year=False), "Monday, February twenty-eighth", "二月二十八日星期一"),
    (Date(date(1900, 1, 1)), "January first, nineteen hundred", "一九〇〇年一月一日"),
    (Date(date(1905, 5, 31)), "May thirty-first, nineteen oh five", "一九〇五年五月三十一日"),
    (Date(date(2000, 10, 10)), "October tenth, two thousand", "二〇〇〇年十月十日"),
    (TimeOfDay(0, 0), "midnight", "午夜十二点"),
    (TimeOfDay(12, 0), "noon", "中午十二点"),
    (TimeOfDay(0, 5), "twelve oh five a.m.", "凌晨零点零五分"),
    (TimeOfDay(9, 0), "nine a.m.", "上午九点"),
    (TimeOfDay(12, 30), "twelve thirty p.m.", "中午十二点三十分"),
    (TimeOfDay(4, 59), "four fifty-nine a.m.", "凌晨四点五十九分"),
    (TimeOfDay(7, 0), "seven a.m.", "早上七点"),
    (TimeOfDay(18, 30), "six thirty p.m.", "下午六点三十分"),
    (TimeOfDay(20, 0), "eight p.m.", "晚上八点"),
    (TimeOfDay(14, 2), "two oh two p.m.", "下午两点零二分"),
    (TimeOfDay(15, 15), "three fifteen p.m.", "下午三点十五分"),
    (TimeOfDay(23, 59), "eleven fifty-nine p.m.", "晚上十一点五十九分"),
    (TimeOfDay(0, 0, 24), "midnight", "零点"),
    (TimeOfDay(15, 0, 24), "fifteen hundred hours", "十五点"),
    (TimeOfDay(22, 10, 24), "twenty-two ten", "二十二点十分"),
    (TimeOfDay(2, 5, 24), "oh two oh five", "两点零五分"),
    (TimeOfDay(0, 5, 24), "zero zero oh five", "零点零五分"),
    (Duration(0), "zero seconds", "零秒"),
    (Duration(1), "one second", "一秒"),
    (Duration(7500), "two hours and five minutes", "两小时零五分钟"),
    (Duration(9000), "two hours and thirty minutes", "两小时三十分钟"),
    (Duration(3605), "one hour and five seconds", "一小时零五秒"),
    (Duration(3630), "one hour and thirty seconds", "一小时零三十秒"),
    (Duration(90), "one minute and thirty seconds", "一分钟三十秒"),
    (Duration(93_722), "one day, two hours, two minutes and two seconds", "一天零两小时零两分钟零两秒"),
    (Duration(10**7), "one hundred and fifteen days, seventeen hours, forty-six minutes and forty seconds",
     "一百一十五天十七小时四十六分钟四十秒"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "english", "chinese"), TABLE, ids=[str(part) for part, _, _ in TABLE])
def test_values_in_words(part: Speech, english: str, chinese: str) -> None:
    assert say(part, "en") == english
    assert say(part, "zh") == chinese


# English against num2words, which writes commas and a hyphen in years where nothing is said.


@given(st.integers(0, 10**12) | st.integers(0, 1200))
@settings(deadline=None)
def test_english_ordinals_are_those_of_num2words(value: int) -> None:
    assert say(Ordinal(value), "en") == num2words(value, to="ordinal").replace(",", "")


def test_all_years_are_those_of_num2words() -> None:
    for year in range(1, 10_000):
        said = num2words(year, to="year")
        assert en_values.year_words(year) == said.replace("oh-", "oh ").replace(",", ""), year


@given(st.integers(1, 10**9), st.integers(1, 99), st.sampled_from(["USD", "EUR", "GBP"]))
@settings(deadline=None)
def test_english_sums_are_those_of_num2words(whole: int, cents: int, currency: str) -> None:
    theirs = num2words(whole + cents / 100, to="currency", currency=currency, separator=" and").replace(",", "")
    ours = say(Money(whole * 100 + cents, currency), "en")

    # num2words has euro for several, too.
    assert ours.replace("euros", "euro").replace("pounds sterling", "pounds") == theirs.replace(" sterling", "")


# Read back.


@given(st.integers(0, NUMBER_MAX))
@settings(deadline=None)
def test_chinese_ordinals_are_read_back(value: int) -> None:
    said = say(Ordinal(value), "zh")

    assert said[0] == "第"
    assert "两" not in said
    assert read_chinese(said[1:]) == value


@given(st.integers(-(10**13), 10**13), st.sampled_from(["CNY", "HKD"]))
@settings(deadline=None)
def test_chinese_sums_in_tenths_are_read_back(minor_units: int, currency: str) -> None:
    said = say(Money(minor_units, currency), "zh").replace("港元", "元")
    sign = -1 if said.startswith("负") else 1
    rest = said.removeprefix("负")
    whole, _, fraction = rest.rpartition("元")
    tenths, _, last = fraction.rpartition("角")
    cents = last.removesuffix("分")
    total = (read_chinese(whole) if whole else 0) * 100
    total += (read_chinese(tenths) if tenths else 0) * 10 + (read_chinese(cents) if cents else 0)

    assert sign * total == minor_units
    assert "零零" not in said
    assert not said.endswith("零")


@given(st.integers(-(10**13), 10**13), st.sampled_from(["USD", "EUR", "GBP", "AUD"]))
@settings(deadline=None)
def test_english_sums_are_read_back(minor_units: int, currency: str) -> None:
    words = say(Money(minor_units, currency), "en")
    found = re.fullmatch(
        r"(minus )?(?:(.+?) (?:Australian )?(?:dollars?|euros?|pounds?))?(?: and )?(?:(.+) (?:cents?|penny|pence))?",
        words,
    )
    assert found is not None
    sign, whole, cents = found.groups()
    total = (read_english(whole) if whole else 0) * 100 + (read_english(cents) if cents else 0)
    assert (-total if sign else total) == minor_units


@given(st.integers(0, 10**9))
@settings(deadline=None)
def test_durations_are_read_back(seconds: int) -> None:
    english = say(Duration(seconds), "en")
    sizes = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
    total, number = 0, ""
    for word in english.replace(",", "").split():
        if (size := sizes.get(word.removesuffix("s"))) is not None:
            count = read_english(number.strip().removeprefix("and "))
            assert (count == 1) == (not word.endswith("s"))
            total, number = total + count * size, ""
        else:
            number += f" {word}"
    assert total == seconds

    total, rest = 0, say(Duration(seconds), "zh")
    assert "零零" not in rest
    for unit, size in (("天", 86400), ("小时", 3600), ("分钟", 60), ("秒", 1)):
        count_words, found, behind = rest.partition(unit)
        if found:
            total, rest = total + read_chinese(count_words) * size, behind
    assert rest == ""
    assert total == seconds


def test_each_minute_of_a_day_is_said_in_its_own_way() -> None:
    for language in ("en", "zh"):
        for clock_h in (12, 24):
            said = {say(TimeOfDay(hour, minute, clock_h), language) for hour in range(24) for minute in range(60)}
            assert len(said) == 24 * 60


def test_each_day_is_said_in_its_own_way_and_the_chinese_ones_are_read_back() -> None:
    digits = {char: str(value) for value, char in enumerate("〇一二三四五六七八九")}
    said = set()
    for offset in range(366 * 5):
        day = date(2024, 1, 1) + timedelta(days=offset)
        said.add(say(Date(day), "en"))
        year, _, rest = say(Date(day), "zh").partition("年")
        month, _, rest = rest.partition("月")
        number, _, rest = rest.partition("日")
        assert date(int("".join(digits[char] for char in year)), read_chinese(month), read_chinese(number)) == day
        assert rest == ""
    assert len(said) == 366 * 5


@pytest.mark.parametrize("currency", DECIMALS)
def test_every_currency_can_be_said(currency: str) -> None:
    for language in ("en", "zh"):
        for minor_units in (0, 1, 10, 12_345, -100_000):
            assert say(Money(minor_units, currency), language)


def test_the_names_of_currencies_fit_their_decimals() -> None:
    for code, names in en_values._CURRENCIES.items():
        assert (len(names) == 4) == (DECIMALS[code] > 0), code
    for code, chinese in zh_values._CURRENCIES.items():
        assert (len(chinese) == 2) == (DECIMALS[code] > 0), code
    assert en_values._CURRENCIES.keys() == zh_values._CURRENCIES.keys() | zh_values._TENTHS.keys()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_has_no_words_is_refused(language: str) -> None:
    with pytest.raises(ValueError, match="no place before the first"):
        texts(Ordinal(-1), language)


def test_other_languages_fall_back_to_english() -> None:
    assert texts(Duration(1), "fr") == (Text("one second", "en"),)

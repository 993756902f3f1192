"""Numbers in words, held against tables made by hand and against readers that know nothing of the writers."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.languages import LANGUAGES, NUMBER_MAX, en, language_for, texts, zh
from ivr.speech import Digits, DigitStyle, Number, Prompt, Text

ENGLISH = {
    0: "zero",
    1: "one",
    13: "thirteen",
    20: "twenty",
    21: "twenty-one",
    40: "forty",
    99: "ninety-nine",
    100: "one hundred",
    101: "one hundred and one",
    110: "one hundred and ten",
    999: "nine hundred and ninety-nine",
    1000: "one thousand",
    1001: "one thousand and one",
    1100: "one thousand one hundred",
    1234: "one thousand two hundred and thirty-four",
    10_000: "ten thousand",
    100_000: "one hundred thousand",
    101_000: "one hundred and one thousand",
    1_000_000: "one million",
    1_000_001: "one million and one",
    2_000_100: "two million one hundred",
    10**9: "one billion",
    10**12: "one trillion",
    -1: "minus one",
    -1_000_000: "minus one million",
}
CHINESE = {
    0: "零",
    1: "一",
    2: "二",
    10: "十",
    12: "十二",
    19: "十九",
    20: "二十",
    22: "二十二",
    100: "一百",
    101: "一百零一",
    102: "一百零二",
    110: "一百一十",
    112: "一百一十二",
    200: "两百",
    202: "两百零二",
    222: "两百二十二",
    1000: "一千",
    1001: "一千零一",
    1010: "一千零一十",
    1012: "一千零一十二",
    1100: "一千一百",
    1200: "一千二百",
    2000: "两千",
    2002: "两千零二",
    2200: "两千二百",
    10_000: "一万",
    10_001: "一万零一",
    10_010: "一万零一十",
    10_100: "一万零一百",
    11_000: "一万一千",
    12_000: "一万二千",
    20_000: "两万",
    20_020: "两万零二十",
    22_222: "两万二千二百二十二",
    100_000: "十万",
    100_001: "十万零一",
    101_000: "十万一千",
    120_000: "十二万",
    200_000: "二十万",
    1_000_000: "一百万",
    2_000_000: "两百万",
    10_000_000: "一千万",
    10_001_000: "一千万一千",
    10_000_100: "一千万零一百",
    20_000_000: "两千万",
    10**8: "一亿",
    10**8 + 1: "一亿零一",
    10**8 + 10**4: "一亿零一万",
    2 * 10**8: "两亿",
    1_010_000_000: "十亿一千万",
    1_001_000_000: "十亿零一百万",
    12 * 10**8: "十二亿",
    10**12: "一万亿",
    2 * 10**12: "两万亿",
    10**12 + 10**8: "一万零一亿",
    10**12 + 1: "一万亿零一",
    12_345_678_901_234: "十二万三千四百五十六亿七千八百九十万一千二百三十四",
    -7: "负七",
    -12: "负十二",
    -200: "负两百",
}


@pytest.mark.parametrize(("value", "words"), ENGLISH.items())
def test_english_numbers(value: int, words: str) -> None:
    assert texts(Number(value), "en") == (Text(words, "en"),)


@pytest.mark.parametrize(("value", "words"), CHINESE.items())
def test_chinese_numbers(value: int, words: str) -> None:
    assert texts(Number(value), "zh") == (Text(words, "zh"),)


def read_english(words: str) -> int:
    """An English number's value, by adding up."""
    units = {word: ENGLISH_UNITS.index(word) for word in ENGLISH_UNITS}
    tens = {word: 10 * index for index, word in enumerate(ENGLISH_TENS, start=2)}
    scales = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
    total = part = 0
    tokens = re.split(r"[ -]", words)
    sign = -1 if tokens[0] == "minus" else 1
    for token in tokens[1:] if sign < 0 else tokens:
        if token in scales:
            total, part = total + part * scales[token], 0
        elif token == "hundred":
            part *= 100
        elif token != "and":
            part += units[token] if token in units else tens[token]
    return sign * (total + part)


ENGLISH_UNITS = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def read_chinese(words: str) -> int:
    """A Chinese number's value: what stands before the largest unit counts it, what stands behind it is added."""
    if words.startswith("负"):
        return -read_chinese(words[1:])
    for unit, size in (("亿", 10**8), ("万", 10**4), ("千", 1000), ("百", 100), ("十", 10)):
        before, found, behind = words.rpartition(unit) if unit == "亿" else words.partition(unit)
        if found:
            count = read_chinese(before) if before.strip("零") else 1
            return count * size + (read_chinese(behind) if behind else 0)
    digits = words.lstrip("零")
    return "零一二三四五六七八九".index(digits.replace("两", "二")) if digits else 0


values = st.one_of(
    st.integers(-NUMBER_MAX, NUMBER_MAX),
    # Numbers with many zeros are where the rules are.
    st.lists(st.sampled_from("0000123456789"), min_size=1, max_size=15).map(lambda digits: int("".join(digits))),
    st.integers(0, 14).flatmap(lambda power: st.integers(1, 9).map(lambda digit: digit * 10**power)),
)


@given(values)
@settings(deadline=None)
def test_english_numbers_are_read_back(value: int) -> None:
    assert read_english(" ".join(en.number_words(value))) == value


@given(values)
@settings(deadline=None)
def test_chinese_numbers_are_read_back(value: int) -> None:
    assert read_chinese("".join(zh.number_words(value))) == value


@given(values)
@settings(deadline=None)
def test_chinese_numbers_keep_the_rules_of_form(value: int) -> None:
    words = "".join(zh.number_words(value)).removeprefix("负")

    assert "零零" not in words
    assert words == "零" or not words.endswith("零")
    assert "零" not in words[:1] or words == "零"
    assert not words.startswith("一十")
    assert "两" not in words[1:]
    assert not re.search("零[千百万亿]|[十百千万亿]两|两十|^二[百千万亿]", words)
    # Each zero that is said stands for zeros that are written.
    assert words.count("零") <= str(abs(value)).count("0")


def test_all_small_numbers_are_read_back_and_differ() -> None:
    for rules, read, joiner in ((en.number_words, read_english, " "), (zh.number_words, read_chinese, "")):
        said = [joiner.join(rules(value)) for value in range(20_000)]
        assert [read(words) for words in said] == list(range(20_000))
        assert len(set(said)) == 20_000


def test_a_sample_of_the_whole_range_is_read_back() -> None:
    chance = random.Random(20_261_101)
    for _ in range(5_000):
        value = chance.randrange(10 ** chance.randrange(1, 16)) * chance.choice((1, -1))
        assert read_english(" ".join(en.number_words(value))) == value
        assert read_chinese("".join(zh.number_words(value))) == value


@pytest.mark.parametrize("words", [en.number_words, zh.number_words])
@pytest.mark.parametrize("value", [10**15, -(10**15)])
def test_numbers_without_words_are_refused(words: Callable[[int], tuple[str, ...]], value: int) -> None:
    with pytest.raises(ValueError, match=r"10\*\*15"):
        words(value)


def test_too_large_numbers_are_said_digit_by_digit() -> None:
    assert "".join(text.text for text in texts(Number(-(10**15)), "zh")) == "负一" + "零" * 15
    assert texts(Number(10**15), "en") == (Text("one", "en"),) + (Text("zero", "en"),) * 15


def test_digits_are_said_one_by_one() -> None:
    def said(digits: Digits, language: str) -> str:
        return " ".join(text.text for text in texts(digits, language))

    assert said(Digits("+4930*#A"), "en") == "plus four nine three zero star pound A"
    assert said(Digits("1"), "en") == said(Digits("1", DigitStyle.PHONE), "en") == "one"
    assert said(Digits("+1021*#"), "zh") == "加 一 零 二 一 星号 井号"
    assert said(Digits("110", DigitStyle.PHONE), "zh") == "幺 幺 零"
    assert texts(Digits(""), "en") == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_key_is_refused(language: str) -> None:
    with pytest.raises(ValueError, match="is no digit, key or letter"):
        texts(Digits("1x"), language)


@pytest.mark.parametrize(
    ("code", "rules"), [("en", "en"), ("zh", "zh"), ("en-gb", "en"), ("zh-CN", "zh"), ("fr", "en")]
)
def test_languages_are_found_by_their_main_part(code: str, rules: str) -> None:
    assert language_for(code).code == rules


def test_texts_keep_their_language_and_prompts_have_no_words() -> None:
    assert texts(Text("欢迎", "zh"), "en") == (Text("欢迎", "zh"),)
    assert texts(Text("Welcome"), "en") == (Text("Welcome", "en"),)
    with pytest.raises(ValueError, match="prompt 'welcome'"):
        texts(Prompt("welcome"), "en")


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        ("3.14", "three point one four", "三点一四"),
        ("-0.5", "minus zero point five", "负零点五"),
        ("200.05", "two hundred point zero five", "两百点零五"),
        ("2.0", "two", "二"),
    ],
)
def test_decimals_are_said_digit_by_digit(value: str, english: str, chinese: str) -> None:
    assert texts(Number(Decimal(value)), "en") == (Text(english, "en"),)
    assert texts(Number(Decimal(value)), "zh") == (Text(chinese, "zh"),)


def test_too_large_numbers_keep_their_decimals() -> None:
    said = "".join(text.text for text in texts(Number(Decimal("1" + "0" * 15 + ".5")), "zh"))

    assert said == "一" + "零" * 15 + "点五"

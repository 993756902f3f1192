"""How digits, numbers and other values are said, by language: the registry of rules, and what applies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from ivr.languages import en, en_values, zh, zh_values
from ivr.speech import (
    Date,
    Digits,
    DigitStyle,
    Duration,
    Money,
    Number,
    Ordinal,
    Prompt,
    Recording,
    Speech,
    Text,
    TimeOfDay,
)

NUMBER_MAX = 10**15 - 1
"""The largest number (and, negated, the smallest) that is said as a number; larger ones are said digit by digit."""


@dataclass(frozen=True, slots=True)
class Language:
    """The rules of one language.

    `digit_words` gives one word for each key; `number_words` the words of a number of up to `NUMBER_MAX`; `joiner`
    stands between words that form a text. The others give a value's whole text.
    """

    code: str
    digit_words: Callable[[str, DigitStyle], tuple[str, ...]]
    number_words: Callable[[int], tuple[str, ...]]
    minus: str
    point: str
    joiner: str
    ordinal: Callable[[int], str]
    money: Callable[[Money], str]
    day: Callable[[Date], str]
    time: Callable[[TimeOfDay], str]
    duration: Callable[[Duration], str]
    reasons: Mapping[str, str]
    """Why a calendar is open or closed, where nobody has written a reason: by the engine's own words for it."""


LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        code: Language(
            code,
            digits.digit_words,
            digits.number_words,
            digits.MINUS,
            digits.POINT,
            joiner,
            values.ordinal,
            values.money,
            values.day,
            values.time,
            values.duration,
            values.REASONS,
        )
        for code, digits, values, joiner in (("en", en, en_values, " "), ("zh", zh, zh_values, ""))
    }
)
"""The languages by code."""


def language_for(code: str) -> Language:
    """The rules for `code`, or for its main language (`en-gb`: `en`), or English's."""
    return LANGUAGES.get(code) or LANGUAGES.get(code.partition("-")[0]) or LANGUAGES["en"]


def reason(why: str, language: str) -> str:
    """A calendar's reason: one of the engine's own in words of `language`, one that somebody wrote as it stands."""
    return language_for(language).reasons.get(why, why)


def texts(part: Speech, language: str) -> tuple[Text, ...]:
    """`part` in words of `language`, each text to be said on its own.

    Digits give one text each, so that a handful of sounds serves every number; a number, a sum, a date and the like
    give one, because they sound right only when they are spoken in one breath.

    Raises:
        ValueError: a prompt has no words of its own; or a digit is none.
    """
    rules = language_for(language)
    match part:
        case Text():
            return (part if part.language else Text(part.text, language),)
        case Digits(digits, style):
            return tuple(Text(word, rules.code) for word in rules.digit_words(digits, style))
        case Number(value):
            return _number_texts(value, rules)
        case Ordinal() | Money() | Date() | TimeOfDay() | Duration():
            return (Text(_value_text(part, rules), rules.code),)
        case Prompt(name):
            raise ValueError(f"prompt {name!r} is not made of words")
        case Recording():
            raise ValueError("a recording is not made of words")


def _number_texts(value: int | Decimal, rules: Language) -> tuple[Text, ...]:
    sign = (rules.minus,) if value < 0 else ()
    whole, _, decimals = f"{abs(Decimal(value)):f}".partition(".")
    decimals = decimals.rstrip("0")
    behind = (rules.point, *rules.digit_words(decimals, DigitStyle.PLAIN)) if decimals else ()
    if int(whole) > NUMBER_MAX:
        return tuple(Text(word, rules.code) for word in (*sign, *rules.digit_words(whole, DigitStyle.PLAIN), *behind))
    return (Text(rules.joiner.join((*sign, *rules.number_words(int(whole)), *behind)), rules.code),)


def _value_text(part: Ordinal | Money | Date | TimeOfDay | Duration, rules: Language) -> str:
    match part:
        case Ordinal(value):
            return rules.ordinal(value)
        case Money():
            return rules.money(part)
        case Date():
            return rules.day(part)
        case TimeOfDay():
            return rules.time(part)
        case Duration():
            return rules.duration(part)

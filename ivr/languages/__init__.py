"""How digits and numbers are said, by language: the rules' registry and the one function that applies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ivr.languages import en, zh
from ivr.speech import Digits, DigitStyle, Number, Speech, Text

NUMBER_MAX = 10**15 - 1
"""The largest number (and, negated, the smallest) that is said as a number; larger ones are said digit by digit."""


@dataclass(frozen=True, slots=True)
class Language:
    """The rules of one language.

    `digit_words` gives one word for each key; `number_words` the words of a number of up to `NUMBER_MAX`; `joiner`
    stands between words that form a text.
    """

    code: str
    digit_words: Callable[[str, DigitStyle], tuple[str, ...]]
    number_words: Callable[[int], tuple[str, ...]]
    minus: str
    joiner: str


LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "en": Language("en", en.digit_words, en.number_words, en.MINUS, " "),
        "zh": Language("zh", zh.digit_words, zh.number_words, zh.MINUS, ""),
    }
)
"""The languages by code."""


def language_for(code: str) -> Language:
    """The rules for `code`, or for its main language (`en-gb`: `en`), or English's."""
    return LANGUAGES.get(code) or LANGUAGES.get(code.partition("-")[0]) or LANGUAGES["en"]


def texts(part: Speech, language: str) -> tuple[Text, ...]:
    """`part` in words of `language`, each text to be said on its own.

    Digits give one text each, so that a handful of sounds serves every number; a number gives one, because a number
    sounds right only when it is spoken in one breath.

    Raises:
        ValueError: a prompt has no words of its own; or a digit is none.
    """
    rules = language_for(language)
    match part:
        case Text():
            return (part if part.language else Text(part.text, language),)
        case Digits(digits, style):
            return tuple(Text(word, rules.code) for word in rules.digit_words(digits, style))
        case Number(value) if abs(value) <= NUMBER_MAX:
            return (Text(rules.joiner.join(rules.number_words(value)), rules.code),)
        case Number(value):
            sign = (rules.minus,) if value < 0 else ()
            words = (*sign, *rules.digit_words(str(abs(value)), DigitStyle.PLAIN))
            return tuple(Text(word, rules.code) for word in words)
        case _:
            raise ValueError(f"prompt {part.name!r} is not made of words")

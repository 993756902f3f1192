"""English: digits, numbers and ordinals in words, short scale, "and" before tens and units (one hundred and five)."""

from __future__ import annotations

from string import ascii_uppercase

from ivr.speech import DigitStyle

MINUS = "minus"
POINT = "point"

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
"""Where it is not the number's word and -th, or -ieth for -y."""
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
_KEYS = {str(value): _SMALL[value] for value in range(10)} | {
    "*": "star",
    "#": "pound",
    "+": "plus",
    **{letter: letter for letter in ascii_uppercase},
}


def digit_words(digits: str, _style: DigitStyle = DigitStyle.PLAIN) -> tuple[str, ...]:
    """One word for each digit, key or letter of `digits`; English has one style.

    Raises:
        ValueError: a character is none of these.
    """
    return tuple(_key_word(key) for key in digits)


def number_words(value: int) -> tuple[str, ...]:
    """The words of `value`, whose magnitude is below 10**15.

    Raises:
        ValueError: the number is larger.
    """
    if abs(value) >= 10**15:
        raise ValueError("numbers of 10**15 and more have no words here")
    if value < 0:
        return (MINUS, *number_words(-value))
    if value == 0:
        return (_SMALL[0],)
    words: list[str] = []
    for size, name in _SCALES:
        count, value = divmod(value, size)
        if count:
            words += [*_below_thousand(count), name]
    if value:
        # One thousand AND five, but one thousand two hundred and five.
        if words and value < 100:
            words.append("and")
        words += _below_thousand(value)
    return tuple(words)


def ordinal_words(value: int) -> tuple[str, ...]:
    """The words of a place in a row: the number's, the last one in its ordinal form (one hundred and twenty-first).

    Raises:
        ValueError: it is negative, or too large.
    """
    if value < 0:
        raise ValueError("there is no place before the first")
    *words, last = number_words(value)
    tens, hyphen, units = last.rpartition("-")
    return (*words, tens + hyphen + _ordinal_form(units))


def _ordinal_form(word: str) -> str:
    irregular = _ORDINALS.get(word)
    if irregular is not None:
        return irregular
    return word.removesuffix("y") + "ieth" if word.endswith("y") else word + "th"


def _below_thousand(value: int) -> list[str]:
    hundreds, rest = divmod(value, 100)
    words = [_SMALL[hundreds], "hundred"] if hundreds else []
    if hundreds and rest:
        words.append("and")
    if rest:
        words.append(_below_hundred(rest))
    return words


def _below_hundred(value: int) -> str:
    if value < len(_SMALL):
        return _SMALL[value]
    tens, units = divmod(value, 10)
    return _TENS[tens - 2] + (f"-{_SMALL[units]}" if units else "")


def _key_word(key: str) -> str:
    word = _KEYS.get(key)
    if word is None:
        raise ValueError(f"{key!r} is no digit, key or letter")
    return word

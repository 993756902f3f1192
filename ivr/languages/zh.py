"""Chinese (Mandarin): digits and numbers in words.

Numbers are read in groups of four digits: 万, 亿, 万亿. The rules, after Lü Shuxiang's 现代汉语八百词 and the
reading rules taught in primary schools: zeros inside a number are read as one 零, zeros at a group's end not at all;
a number that begins with 10 to 19 begins with 十; a 2 at the number's beginning is 两 before 百, 千, 万 and 亿, any
other is 二.
"""

from __future__ import annotations

from string import ascii_uppercase

from ivr.speech import DigitStyle

MINUS = "负"
POINT = "点"

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")
_KEYS = dict(zip("0123456789", _DIGITS, strict=True)) | {
    "*": "星号",
    "#": "井号",
    "+": "加",
    **{letter: letter for letter in ascii_uppercase},
}


def digit_words(digits: str, style: DigitStyle = DigitStyle.PLAIN) -> tuple[str, ...]:
    """One word for each digit, key or letter of `digits`. In a telephone number 1 is 幺, which is not mistaken for 七.

    Raises:
        ValueError: a character is none of these.
    """
    return tuple("幺" if key == "1" and style is DigitStyle.PHONE else _key_word(key) for key in digits)


def number_words(value: int) -> tuple[str, ...]:
    """The words (single characters) of `value`, whose magnitude is below 10**15.

    Raises:
        ValueError: the number is larger.
    """
    if abs(value) >= 10**15:
        raise ValueError("numbers of 10**15 and more have no words here")
    if value < 0:
        return (MINUS, *number_words(-value))
    if value == 0:
        return (_DIGITS[0],)
    return tuple(_begin("".join(_read_groups(value))))


def _read_groups(value: int) -> list[str]:
    groups = [value // 10_000**index % 10_000 for index in range(len(_GROUPS))]
    parts: list[str] = []
    empty_between = False
    for index in reversed(range(len(_GROUPS))):
        group = groups[index]
        if group == 0:
            empty_between = bool(parts)
            continue
        if parts and (empty_between or group < 1000):
            parts.append(_DIGITS[0])
        # 万亿 is 亿 times 万: 亿 is said once, after the lower of the two groups.
        name = "万" if index == 3 and groups[2] else _GROUPS[index]
        parts.append(_read_group(group) + name)
        empty_between = False
    return parts


def _read_group(group: int) -> str:
    """The reading of 1 to 9999, with 一十 for 10; leading zeros are the caller's affair."""
    read = ""
    zero = False
    for place in reversed(range(4)):
        digit = group // 10**place % 10
        if digit == 0:
            zero = bool(read)
            continue
        read += (_DIGITS[0] if zero else "") + _DIGITS[digit] + _PLACES[place]
        zero = False
    return read


def _begin(read: str) -> str:
    """Apply what holds for a number's beginning only: 十 for 一十, 两 for 二."""
    if read.startswith("一十"):
        return read[1:]
    if read[0] == "二" and read[1:2] in {"百", "千", "万", "亿"}:
        return "两" + read[1:]
    return read


def _key_word(key: str) -> str:
    word = _KEYS.get(key)
    if word is None:
        raise ValueError(f"{key!r} is no digit, key or letter")
    return word

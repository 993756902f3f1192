"""What can be said on a line. Who owns the sound (recorded, synthesised) is the line's affair."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DigitStyle(StrEnum):
    """How digits are read one by one. It matters in Chinese, where a telephone number's 1 is said 幺."""

    PLAIN = "plain"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt by its name in the configuration; the line takes the variant in the caller's language."""

    name: str

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
    """Keys (0-9, *, #, A-D) and a leading + said one by one, in the caller's language."""

    digits: str
    style: DigitStyle = DigitStyle.PLAIN

    def __str__(self) -> str:
        return f"digits {self.digits}"


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number said as a number, in the caller's language."""

    value: int

    def __str__(self) -> str:
        return f"number {self.value}"


Speech = Prompt | Text | Digits | Number
"""One part of what is said. Parts are played one after the other without a gap."""

"""Patterns against the standard library's expressions, and their bounds."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.patterns import PATTERN_LENGTH_MAX, Pattern, PatternError


@pytest.mark.parametrize(
    ("source", "matching", "others"),
    [
        ("abc", ["abc"], ["ab", "abcd", "ABC", ""]),
        ("", [""], ["a"]),
        ("a|bc|", ["a", "bc", ""], ["ab", "c"]),
        (r"\+49[1-9]\d{2,4}", ["+49301", "+4930123"], ["+49012", "4930123", "+49301234", "+49３０１"]),
        ("[^0-9a]+", ["b-c"], ["a", "", "b1"]),
        ("(ab)*c?", ["", "c", "ababc"], ["abab c", "aabb"]),
        (r"\w+@\w+\.(de|cn)", ["li@acd.cn"], ["li@acd.com", "li@acdxcn"]),
        (r"[\d*#]{3}", ["1*#"], ["12", "1*#4"]),
        (r"[\]a-]x", ["]x", "ax", "-x"], ["bx"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("^gold$", ["gold"], ["goldX"]),
        (r"a\$", ["a$"], ["a"]),
        ("x{0}y", ["y"], ["xy"]),
        ("(?:a|b){2,}", ["ab", "bbb"], ["a", "abc"]),
        (r"\S\s\D", ["a b"], ["a 1", "  b"]),
        ("王.*", ["王力"], ["李王"]),
    ],
)
def test_what_matches(source: str, matching: list[str], others: list[str]) -> None:
    pattern = Pattern(source)
    assert [text for text in matching if not pattern.matches(text)] == []
    assert [text for text in others if pattern.matches(text)] == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("(a", "never closed"),
        ("a)", r"without '\('"),
        ("[a", "never closed"),
        ("[z-a]", "backwards"),
        ("*a", "cannot stand here"),
        ("a**", "follows a repetition"),
        ("a{x}", "how often"),
        ("a{2", "how often"),
        ("a{4,2}", "backwards"),
        ("a{1000}", "how often"),
        (r"\1", "not known"),
        ("a\\", "not known"),
        ("(?=a)", "only"),
        ("(" * 30 + "a" + ")" * 30, "deep"),
        ("((((a{90}){90}))){90}", "steps"),
        ("a" * (PATTERN_LENGTH_MAX + 1), "longer"),
    ],
)
def test_what_is_no_pattern(source: str, said: str) -> None:
    with pytest.raises(PatternError, match=said):
        Pattern(source)


PIECES = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda ways: f"({'|'.join(ways)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}"])).map(lambda part: f"({part[0]}){part[1]}"),
    ),
    max_leaves=5,
)


@given(PIECES, st.text("ab1", max_size=6))
def test_it_agrees_with_the_standard_library(source: str, text: str) -> None:
    try:
        pattern = Pattern(source)
    except PatternError:
        assert len(source) > PATTERN_LENGTH_MAX / 4, "none that is short is refused"
        return
    assert pattern.matches(text) is (re.fullmatch(source, text) is not None)


@given(st.text(max_size=60))
def test_nothing_else_than_an_error_of_its_own(source: str) -> None:
    with suppress(PatternError):
        Pattern(source).matches("some text")


@pytest.mark.parametrize("source", ["(a+)+b", "(a|a)*b", "a*" * 60 + "b", "(.*)(.*)(.*)(.*)b", "(a{0,45}){4}b"])
def test_no_text_takes_long(source: str) -> None:
    """Each of these takes the standard library longer than anybody waits."""
    pattern = Pattern(source)
    began = time.process_time()
    assert not pattern.matches("a" * 200)
    assert time.process_time() - began < 2


def test_patterns_are_equal_by_their_text() -> None:
    assert Pattern("a+") == Pattern("a+") != Pattern("a*")
    assert len({Pattern("a+"), Pattern("a+")}) == 1

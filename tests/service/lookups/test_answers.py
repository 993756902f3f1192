"""Paths into an answer, and the types of what is found."""

from __future__ import annotations

import pytest

from acd.service.lookups.answers import AnswerField, AnswerWrong, ValueKind, parse_path, read_answer


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)),
        ("a.b_c.$d", ("a", "b_c", "$d")),
        ("[0]", (0,)),
        ("[0].a[12][3].b", (0, "a", 12, 3, "b")),
    ],
)
def test_paths(path: str, steps: tuple[str | int, ...]) -> None:
    assert parse_path(path) == steps


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a[", "a[-1]", "a[x]", "a]", "a[0]b", "a b", "a[99999]"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        parse_path(path)


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ('"x"', ValueKind.TEXT, "x"),
        ("12", ValueKind.TEXT, "12"),
        ("true", ValueKind.TEXT, "yes"),
        ("12.50", ValueKind.NUMBER, "12.5"),
        ('"12.50"', ValueKind.NUMBER, "12.50"),
        ("1e-7", ValueKind.NUMBER, "0.0000001"),
        ("12.0", ValueKind.WHOLE, "12"),
        ('"-3"', ValueKind.WHOLE, "-3"),
        ("false", ValueKind.FLAG, "no"),
        ("{}", ValueKind.TEXT, None),
        ("[1]", ValueKind.TEXT, None),
        ('"' + "x" * 501 + '"', ValueKind.TEXT, None),
        ("true", ValueKind.NUMBER, None),
        ('"1e5"', ValueKind.NUMBER, None),
        ("1.5", ValueKind.WHOLE, None),
        ('"1.5"', ValueKind.WHOLE, None),
        ("1e400", ValueKind.NUMBER, None),
        ('"yes"', ValueKind.FLAG, None),
        ("null", ValueKind.TEXT, None),
    ],
)
def test_types(written: str, kind: ValueKind, value: str | None) -> None:
    fields = {"x": AnswerField(path=("a", 0), kind=kind)}
    body = f'{{"a": [{written}]}}'.encode()
    if value is None:
        with pytest.raises(AnswerWrong):
            read_answer(body, fields)
    else:
        assert read_answer(body, fields) == {"x": value}


def test_what_is_missing_has_a_default_or_is_wrong() -> None:
    fields = {"x": AnswerField(path=("a", "b", 3), default="none")}
    for body in (b"{}", b"[]", b"1", b"null", b'{"a": {"b": []}}', b'{"a": {"b": [1, 2, 3, null]}}'):
        assert read_answer(body, fields) == {"x": "none"}
    with pytest.raises(AnswerWrong, match="x is missing"):
        read_answer(b"{}", {"x": AnswerField(path=("a",))})


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"NaN", b"[" * 100_000, b"<a/>"])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(AnswerWrong, match="not JSON"):
        read_answer(body, {"x": AnswerField(path=("a",))})

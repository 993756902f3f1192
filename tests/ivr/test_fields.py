from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.fields import VALUE_LENGTH_MAX, Filled, field_names, fill
from tests.ivr.builders import call

VALUES = {"call.caller": "+49 30", "data.topic": "cards", "data.odd": "{data.topic}", "data.empty": ""}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("plain", Filled("plain")),
        ("", Filled("")),
        ("{call.caller}", Filled("+49 30")),
        ("<{data.topic}/{call.caller}>", Filled("<cards/+49 30>")),
        ("{data.empty}", Filled("")),
        ("{data.nothing} and {x}", Filled(" and ", ("data.nothing", "x"))),
        ("{{data.topic}}", Filled("{data.topic}")),
        ("{{{data.topic}}}", Filled("{cards}")),
        ("{", Filled("{")),
        ("}{", Filled("}{")),
        ("{}", Filled("{}")),
        ("{0}", Filled("{0}")),
        ("{data.topic!r:>10}", Filled("{data.topic!r:>10}")),
        ("{data.topic[0]}", Filled("{data.topic[0]}")),
        ("{call.__class__.__init__}", Filled("", ("call.__class__.__init__",))),
        ("{data.odd}", Filled("{data.topic}")),
        ("${SHELL(id)}", Filled("${SHELL(id)}")),
    ],
)
def test_fields_are_filled(template: str, filled: Filled) -> None:
    assert fill(template, VALUES.get) == filled


def test_a_value_is_cleaned_and_cut() -> None:
    assert fill("{a}", {"a": ' "; \r\nAction: Originate\x00\x1b '}.get).text == '";   Action: Originate'
    assert fill("{a}", {"a": "x" * 10_000}.get).text == "x" * VALUE_LENGTH_MAX


def test_names_are_found() -> None:
    assert field_names("{call.caller} {{no}} {data.topic} {}") == ("call.caller", "data.topic")


@given(st.text(), st.text())
@settings(deadline=None)
def test_no_template_and_no_value_breaks_it(template: str, value: str) -> None:
    filled = fill(template, lambda name: value)

    assert filled.unknown == ()
    assert fill("{a}", lambda name: value).text.isprintable()


@given(st.text(alphabet=st.characters(exclude_characters="{}")))
@settings(deadline=None)
def test_a_text_without_braces_is_kept(text: str) -> None:
    assert fill(text, VALUES.get) == Filled(text)


def test_what_a_tree_can_know_of_a_call() -> None:
    context = call(language="zh")
    context.data["topic"] = "cards"
    context.facts |= {"position": "3", "caller": "not this one"}

    assert [
        context.lookup(name)
        for name in ("call.id", "call.caller", "call.caller_name", "call.dialled", "call.language", "call.position")
    ] == ["c1", "+49301234567", "Li", "100", "zh", "3"]
    assert context.lookup("data.topic") == "cards"
    assert [context.lookup(name) for name in ("data.x", "call.x", "x", "topic", "call", "call.steps")] == [None] * 6

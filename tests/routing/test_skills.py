"""Requirements: who may take a call, and how they are put together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.skills import ONE_AGENT, Requirement

_levels = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 10))


def test_of_sorts_and_keeps_the_higher_level() -> None:
    assert Requirement.of([("b", 2), ("a", 1), ("b", 5)]) == Requirement((("a", 1), ("b", 5)))
    assert Requirement.of({"b": 2, "a": 1}).skills == (("a", 1), ("b", 2))
    assert Requirement.of() == Requirement()


@given(_levels, _levels)
def test_plus_is_the_higher_level_of_each(one: dict[str, int], other: dict[str, int]) -> None:
    both = Requirement.of(one, "seniors").plus(other.items())
    assert dict(both.skills) == {skill: max(one.get(skill, 0), other.get(skill, 0)) for skill in one | other}
    assert both.group == "seniors"


@given(_levels, st.sampled_from(["", "seniors"]), _levels, st.booleans())
def test_met_by_and_lacking_agree(asked: dict[str, int], group: str, has: dict[str, int], senior: bool) -> None:
    requirement = Requirement.of(asked, group)
    groups = frozenset({"seniors"}) if senior else frozenset({"others"})
    met = all(has.get(skill, 0) >= level for skill, level in asked.items()) and (not group or senior)
    assert requirement.met_by(has, groups) is met
    assert (requirement.lacking(has, groups) == "") is met


@pytest.mark.parametrize(
    ("requirement", "lacks"),
    [
        (Requirement.of({"cards": 5}), "skill cards 3 < 5"),
        (Requirement.of({"loans": 1}), "no skill loans"),
        (Requirement.of({"cards": 3}, "seniors"), "not in group seniors"),
        (Requirement.of({"cards": 3}, "juniors"), ""),
    ],
)
def test_what_is_lacking_in_words(requirement: Requirement, lacks: str) -> None:
    assert requirement.lacking({"cards": 3}, frozenset({"juniors"})) == lacks


def test_in_words() -> None:
    assert str(Requirement()) == "any agent of the queue"
    assert str(Requirement.of({"cards": 3, "english": 5}, "seniors")) == "cards>=3, english>=5, group seniors"


def test_equal_requirements_are_one_key() -> None:
    assert len({Requirement.of({"a": 1, "b": 2}), Requirement.of([("b", 2), ("a", 1)])}) == 1


def test_who_alone_is_asked_for() -> None:
    assert Requirement.of({f"{ONE_AGENT}anna": 1, "cards": 3}).one_agent == "anna"
    assert Requirement.of({"cards": 3}).one_agent == ""

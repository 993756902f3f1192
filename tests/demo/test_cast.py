"""Who calls in the demo, and when somebody misses what he or she has come for."""

from __future__ import annotations

import pytest

from acd.lab.demo import missing
from acd.lab.demo_cast import Part, roles
from acd.lab.demo_story import CallerStory

CAST = roles(3)
TALKS, LEAVES, CALLED_BACK = (role.number for role in CAST)
STORIES = [
    CallerStory(TALKS, agent="bob", survey={"solved": 1}),
    CallerStory(LEAVES, message_s=5.0),
    CallerStory(CALLED_BACK, agent="chen", called_back=True),
]
SERVED = frozenset({TALKS, CALLED_BACK})


def test_three_callers_show_everything() -> None:
    assert [role.part for role in CAST] == [Part.TALK, Part.MESSAGE, Part.CALL_BACK]
    assert missing(CAST, STORIES, SERVED) == []


def test_one_of_many_is_called_back_and_some_leave_a_message() -> None:
    parts = [role.part for role in roles(99)]
    assert parts.count(Part.CALL_BACK) == 1
    assert parts.count(Part.MESSAGE) == 20
    messages = [role for role in roles(12) if role.part is Part.MESSAGE]
    assert [role.hangs_up for role in messages] == [False, True, False]
    assert len({role.number for role in roles(99)}) == 99


def test_the_same_demo_each_time() -> None:
    assert roles(12) == roles(12)


@pytest.mark.parametrize(
    ("index", "instead", "told"),
    [
        (0, CallerStory(TALKS, agent="bob"), f"the survey of {TALKS}"),
        (1, CallerStory(LEAVES), f"the message of {LEAVES}"),
        (1, CallerStory(LEAVES, message_s=0.0), f"the message of {LEAVES}"),
        (2, CallerStory(CALLED_BACK, agent="chen"), f"the promise to call {CALLED_BACK} back"),
    ],
)
def test_what_is_missing_is_told(index: int, instead: CallerStory, told: str) -> None:
    stories = [instead if place == index else story for place, story in enumerate(STORIES)]
    assert missing(CAST, stories, SERVED) == [told]


def test_who_was_not_served() -> None:
    assert missing(CAST, STORIES, frozenset()) == [f"the talk of {TALKS}", f"the callback to {CALLED_BACK}"]

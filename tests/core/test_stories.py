"""Stories: bounded, oldest first, put into words when asked."""

from __future__ import annotations

from acd.core.stories import Story


def test_lines() -> None:
    story = Story(10)
    story.tell(1.0, 5, "arrived", "4930")
    story.tell(2.5, 6, "waiting")
    assert story.lines() == ("1.000 #5 arrived 4930", "2.500 #6 waiting")
    assert story.happenings == [(1.0, 5, "arrived", "4930"), (2.5, 6, "waiting", "")]


def test_the_oldest_make_room() -> None:
    story = Story(10)
    for number in range(1000):
        story.tell(float(number), number, "again")
        assert len(story.happenings) <= 10
        assert len(story.happenings) + story.dropped == number + 1
    assert story.happenings[-1][1] == 999
    assert [cause for _, cause, _, _ in story.happenings] == sorted(cause for _, cause, _, _ in story.happenings)

"""Keys told by the line and by AMI, in any order: each counts once, and those of the menus before do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acd.service.waiting_keys import WaitingKeys


def test_a_key_that_both_tell_of_counts_once() -> None:
    keys = WaitingKeys()
    keys.begin()
    assert keys.told_by_ami("1", 0.0)
    assert not keys.told_by_line("1", 0.1)
    assert keys.told_by_line("1", 1.0)
    assert not keys.told_by_ami("1", 1.1)


def test_a_key_of_the_menu_that_ami_tells_of_late_is_none() -> None:
    keys = WaitingKeys()
    assert keys.told_by_line("1", 0.0)  # chose the queue
    keys.begin()
    assert not keys.told_by_ami("1", 2.0)
    assert keys.told_by_ami("1", 2.5), "this one was pressed in the queue"


def test_what_ami_never_told_of_does_not_swallow_a_later_key() -> None:
    keys = WaitingKeys()
    keys.told_by_line("1", 0.0)
    keys.begin()
    assert keys.told_by_ami("1", 10.0)


@given(st.lists(st.sampled_from("12"), max_size=20), st.lists(st.booleans(), max_size=60))
def test_however_the_two_are_interleaved_each_key_counts_once(pressed: list[str], ami_first: list[bool]) -> None:
    keys = WaitingKeys()
    keys.begin()
    line, ami, counted = list(pressed), list(pressed), 0
    for from_ami in [*ami_first, *([True, False] * len(pressed))]:
        told, by = (ami, keys.told_by_ami) if from_ami else (line, keys.told_by_line)
        if told:
            counted += by(told.pop(0), 1.0)
    for key in ami:
        counted += keys.told_by_ami(key, 1.0)
    for key in line:
        counted += keys.told_by_line(key, 1.0)
    assert counted == len(pressed)

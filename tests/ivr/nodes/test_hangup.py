from __future__ import annotations

import pytest

from ivr.nodes import HangUpNode
from ivr.outcome import HangUp, HangUpCause
from tests.ivr.builders import Walk, at, forest, prompts
from tests.ivr.scripted_line import HANG_UP, ScriptedLine


async def test_the_prompt_is_heard_whole_before_the_call_ends() -> None:
    line = ScriptedLine([(0.5, "1")])

    outcome = await Walk(forest(HangUpNode(id=at("start"), prompts=prompts("goodbye")))).run(line)

    assert line.heard_parts == ["goodbye"]
    assert line.hung_up_with == "normal"
    assert outcome == HangUp(cause=HangUpCause.NORMAL)


async def test_a_call_with_nothing_to_say_is_refused_unanswered() -> None:
    line = ScriptedLine()

    outcome = await Walk(forest(HangUpNode(id=at("start"), cause=HangUpCause.BUSY))).run(line)

    assert line.answered_at_s is None
    assert line.hung_up_with == "busy"
    assert outcome == HangUp(cause=HangUpCause.BUSY)


async def test_a_caller_who_is_a_moment_faster_makes_no_difference() -> None:
    # The caller goes exactly when the line is to be hung up: set language, answer, play, hang up.
    line = ScriptedLine(gone_after=4)

    outcome = await Walk(forest(HangUpNode(id=at("start"), prompts=prompts("goodbye")))).run(line)

    assert outcome == HangUp()


async def test_a_caller_who_goes_during_the_goodbye_is_gone() -> None:
    walk = Walk(forest(HangUpNode(id=at("start"), prompts=prompts("goodbye"))))

    await walk.run(ScriptedLine([(1.0, HANG_UP)]))

    assert walk.story == ["start caller-gone"]


@pytest.mark.parametrize(
    ("cause", "q850"),
    [("normal", 16), ("busy", 17), ("no-answer", 19), ("rejected", 21), ("unallocated", 1), ("congestion", 34)],
)
def test_causes_have_their_number_in_q850(cause: str, q850: int) -> None:
    assert HangUpCause(cause).q850 == q850

"""Restored talks and the list of channels."""

from __future__ import annotations

import pytest

from acd.core.events import CallEnded, Event, TalkEnded
from acd.service.stocktaking import RestoredTalks, read_channels
from ami_bridge.ami_codec import AmiMessage

CALLER, LEG = "1.1", "1.2"


@pytest.fixture
def posted() -> list[Event]:
    return []


@pytest.fixture
def busy() -> dict[str, int]:
    return {"anna": 0}


@pytest.fixture
def talks(posted: list[Event], busy: dict[str, int]) -> RestoredTalks:
    def activity(agent_id: str, begins: bool) -> None:
        busy[agent_id] += 1 if begins else -1

    talks = RestoredTalks(posted.append, activity)
    talks.add(CALLER, LEG, "c1", "anna")
    return talks


def test_the_agent_leaves_first_then_the_caller(
    talks: RestoredTalks, posted: list[Event], busy: dict[str, int]
) -> None:
    assert busy == {"anna": 1}
    talks.hung_up(LEG)
    assert posted == [TalkEnded("c1")]
    assert busy == {"anna": 0}
    assert CALLER in talks, "the caller is followed until he or she comes in or hangs up"
    talks.hung_up(CALLER)
    assert posted[1:] == [CallEnded("c1")]
    assert CALLER not in talks


def test_the_caller_leaves_first(talks: RestoredTalks, posted: list[Event], busy: dict[str, int]) -> None:
    talks.hung_up(CALLER)
    talks.hung_up(LEG)
    assert posted == [CallEnded("c1")]
    assert busy == {"anna": 0}


@pytest.mark.parametrize("agent_left", [True, False])
def test_a_caller_who_comes_in_is_followed_no_longer(
    talks: RestoredTalks, posted: list[Event], busy: dict[str, int], agent_left: bool
) -> None:
    if agent_left:
        talks.hung_up(LEG)
    posted.clear()
    talks.taken_over(CALLER)
    talks.hung_up(LEG)
    talks.hung_up(CALLER)
    assert posted == []
    assert busy == {"anna": 0}


@pytest.mark.parametrize(
    ("present", "told"),
    [
        ({CALLER, LEG}, []),
        ({CALLER}, [TalkEnded("c1")]),
        ({LEG}, [CallEnded("c1")]),
        (set(), [TalkEnded("c1"), CallEnded("c1")]),
    ],
)
def test_what_ended_while_ami_was_away(
    talks: RestoredTalks, posted: list[Event], present: set[str], told: list[Event]
) -> None:
    talks.compare(present)
    assert posted == told
    talks.compare(present)
    assert posted == told


def test_strangers_do_not_matter(talks: RestoredTalks, posted: list[Event]) -> None:
    talks.hung_up("9.9")
    talks.taken_over("9.9")
    assert posted == []


def test_channels_are_read_and_stand_ins_left_out() -> None:
    items = [
        AmiMessage({"Event": "Status", "Channel": "PJSIP/x-1", "Uniqueid": "1", "Linkedid": "1", "Seconds": "7"}),
        AmiMessage({"Event": "Status", "Channel": "Surrogate/PJSIP/x-2", "Uniqueid": "2"}),
        AmiMessage({"Event": "Other"}),
        AmiMessage({"Event": "Status", "Channel": "PJSIP/x-3", "Seconds": "soon", "Variable": "ACD_CALL=c1"}),
    ]
    first, second = read_channels(items)
    assert (first.uniqueid, first.age_s, first.bridge_id, first.variables) == ("1", 7.0, "", {})
    assert (second.age_s, second.variables) == (0.0, {"ACD_CALL": "c1"})

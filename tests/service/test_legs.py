"""Offers followed through AMI events in every order, and without any."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest

from acd.core.events import Event, LegAnswered, LegFailed, LegFailure, OfferBridged, OfferEnded, TalkEnded
from acd.service.legs import DialResult, Known, LegTracker
from tests.service.clockwork import Clockwork

CALLER = "1763757000.1"
ANNA, BOB = "PJSIP/anna", "PJSIP/bob"


class Desk:
    """A tracker with everything around it recorded."""

    def __init__(self) -> None:
        self.posted: list[Event] = []
        self.hung_up: list[str] = []
        self.busy: dict[str, int] = {}
        self.clock = Clockwork()
        self.tracker = LegTracker(self.posted.append, self.hung_up.append, self.clock.call_later, self._activity)

    def _activity(self, agent_id: str, busy: bool) -> None:
        self.busy[agent_id] = self.busy.get(agent_id, 0) + (1 if busy else -1)

    def feed(self, *events: Mapping[str, str]) -> None:
        for event in events:
            self.tracker.on_event(event)

    def begin(self, offer_id: str = "o1", **phones: str) -> None:
        agents = {f"PJSIP/{agent}": agent for agent in phones.values()} or {ANNA: "anna"}
        self.tracker.begin(offer_id, "c1", CALLER, agents)

    def take(self) -> list[Event]:
        posted = list(self.posted)
        self.posted.clear()
        return posted


@pytest.fixture
def desk() -> Desk:
    return Desk()


def dial_begin(phone: str, leg: str, caller: str = CALLER) -> dict[str, str]:
    return {"Event": "DialBegin", "Uniqueid": caller, "DestUniqueid": leg, "DestChannel": f"{phone}-0000000{leg[-1]}"}


def dial_end(leg: str, status: str) -> dict[str, str]:
    return {"Event": "DialEnd", "Uniqueid": CALLER, "DestUniqueid": leg, "DialStatus": status}


def bridge_enter(uniqueid: str, bridge: str = "b1") -> dict[str, str]:
    return {"Event": "BridgeEnter", "Uniqueid": uniqueid, "BridgeUniqueid": bridge}


def hangup(leg: str, cause: str = "16") -> dict[str, str]:
    return {"Event": "Hangup", "Uniqueid": leg, "Cause": cause, "Channel": "PJSIP/x-00000001"}


ANSWERED = [LegAnswered("o1", "anna"), OfferBridged("o1", "anna")]


def test_a_call_answered_and_ended_by_the_agent(desk: Desk) -> None:
    desk.begin()
    assert desk.busy == {"anna": 1}
    desk.feed(dial_begin(ANNA, "L1"), dial_end("L1", "ANSWER"))
    assert desk.take() == [LegAnswered("o1", "anna")]
    desk.feed(bridge_enter("L1"), bridge_enter(CALLER))
    assert desk.take() == [OfferBridged("o1", "anna")]
    assert desk.tracker.returned("o1") is Known.TALKED
    assert desk.take() == [TalkEnded("c1")]
    desk.feed(hangup("L1"))
    assert desk.take() == []
    assert desk.busy == {"anna": 0}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_answered_comes_before_bridged_in_any_order_of_events(desk: Desk, order: tuple[int, ...]) -> None:
    events = [dial_end("L1", "ANSWER"), bridge_enter("L1"), bridge_enter(CALLER)]
    desk.begin()
    desk.feed(dial_begin(ANNA, "L1"), *(events[index] for index in order))
    assert desk.take() == ANSWERED


def test_two_in_different_bridges_are_not_connected(desk: Desk) -> None:
    desk.begin()
    desk.feed(dial_begin(ANNA, "L1"), dial_end("L1", "ANSWER"), bridge_enter("L1", "b1"), bridge_enter(CALLER, "b2"))
    assert desk.take() == [LegAnswered("o1", "anna")]


def test_the_agents_leg_ends_before_the_dial_does(desk: Desk) -> None:
    """An attended transfer: the caller stays in Dial with somebody else, the agent is free."""
    desk.begin()
    desk.feed(dial_begin(ANNA, "L1"), dial_end("L1", "ANSWER"), bridge_enter("L1"), bridge_enter(CALLER))
    desk.take()
    desk.feed(hangup("L1"))
    assert desk.take() == [TalkEnded("c1")]
    assert desk.busy == {"anna": 0}
    assert desk.tracker.returned("o1") is Known.TALKED
    assert desk.take() == []


@pytest.mark.parametrize(
    ("status", "cause", "failure"),
    [
        ("BUSY", "17", LegFailure.REJECTED),
        ("NOANSWER", "21", LegFailure.REJECTED),
        ("NOANSWER", "0", LegFailure.MISSED),
        ("NOANSWER", "19", LegFailure.MISSED),
        ("CONGESTION", "34", LegFailure.UNREACHABLE),
        ("CHANUNAVAIL", "20", LegFailure.UNREACHABLE),
        ("ABORT", "26", LegFailure.CANCELLED),
    ],
)
def test_a_failed_leg_is_told_once_with_its_reason(desk: Desk, status: str, cause: str, failure: LegFailure) -> None:
    desk.begin()
    desk.feed(dial_begin(ANNA, "L1"), dial_end("L1", status), hangup("L1", cause))
    assert desk.take() == [LegFailed("o1", "anna", failure)]
    assert desk.tracker.returned("o1") is Known.FAILED
    assert desk.take() == []
    assert desk.busy == {"anna": 0}


def test_a_leg_answered_and_dropped_before_the_two_were_connected(desk: Desk) -> None:
    desk.begin()
    desk.feed(dial_begin(ANNA, "L1"), dial_end("L1", "ANSWER"), hangup("L1"))
    assert desk.take() == [LegAnswered("o1", "anna"), OfferEnded("o1", LegFailure.CANCELLED)]
    assert desk.tracker.returned("o1") is Known.FAILED


def test_several_phones_one_answers(desk: Desk) -> None:
    """As Asterisk tells it: the others are stopped first. They stay the offer's until the two are connected."""
    desk.begin(a="anna", b="bob")
    desk.feed(dial_begin(ANNA, "L1"), dial_begin(BOB, "L2"))
    desk.feed(dial_end("L2", "CANCEL"), hangup("L2", "26"), dial_end("L1", "ANSWER"))
    assert desk.take() == [LegAnswered("o1", "anna")]
    desk.feed(bridge_enter("L1"), bridge_enter(CALLER))
    assert desk.take() == [OfferBridged("o1", "anna")]
    assert desk.busy == {"anna": 1, "bob": 0}
    assert desk.tracker.returned("o1") is Known.TALKED


def test_several_phones_one_is_picked_up_and_gone(desk: Desk) -> None:
    desk.begin(a="anna", b="bob")
    desk.feed(dial_begin(ANNA, "L1"), dial_begin(BOB, "L2"))
    desk.feed(dial_end("L2", "CANCEL"), dial_end("L1", "ANSWER"), hangup("L1"), hangup("L2", "26"))
    assert desk.take() == [LegAnswered("o1", "anna"), OfferEnded("o1", LegFailure.CANCELLED)], "told of both at once"
    assert desk.tracker.returned("o1") is Known.FAILED
    assert desk.take() == []
    assert desk.busy == {"anna": 0, "bob": 0}


def test_several_phones_and_the_one_picked_up_was_not_told(desk: Desk) -> None:
    desk.begin(a="anna", b="bob")
    desk.feed(dial_begin(BOB, "L2"), dial_end("L2", "CANCEL"), hangup("L2", "26"))
    assert desk.tracker.returned("o1") is Known.NOTHING
    assert not desk.tracker.settle("o1", DialResult("ANSWER", "16", "PJSIP/anna-00000001", talked=False))
    failures = {"anna": LegFailure.DROPPED, "bob": LegFailure.CANCELLED}
    assert desk.take() == [LegFailed("o1", agent, failure) for agent, failure in failures.items()]


# Without AMI: the caller's channel is asked.


def test_without_ami_a_talk_is_told_in_full(desk: Desk) -> None:
    desk.begin()
    assert desk.tracker.returned("o1") is Known.NOTHING
    assert desk.tracker.settle("o1", DialResult("ANSWER", "16", "PJSIP/anna-00000001", talked=True))
    assert desk.take() == [*ANSWERED, TalkEnded("c1")]


@pytest.mark.parametrize(
    ("result", "failure"),
    [
        (DialResult("NOANSWER"), LegFailure.MISSED),
        (DialResult("NOANSWER", "21"), LegFailure.REJECTED),
        (DialResult("BUSY", "17"), LegFailure.REJECTED),
        (DialResult("CHANUNAVAIL", "20"), LegFailure.UNREACHABLE),
        (DialResult("CONGESTION", "34"), LegFailure.UNREACHABLE),
        (DialResult("ANSWER", "16", "PJSIP/anna-00000001", talked=False), LegFailure.DROPPED),
        (DialResult(""), LegFailure.UNREACHABLE),
    ],
)
def test_without_ami_a_failure_is_told(desk: Desk, result: DialResult, failure: LegFailure) -> None:
    desk.begin()
    assert desk.tracker.returned("o1") is Known.NOTHING
    assert not desk.tracker.settle("o1", result)
    assert desk.take() == [LegFailed("o1", "anna", failure)]


def test_without_ami_the_phone_that_answered_is_known_by_its_channel(desk: Desk) -> None:
    desk.begin(a="anna", b="bob")
    desk.tracker.returned("o1")
    assert desk.tracker.settle("o1", DialResult("ANSWER", "16", "PJSIP/bob-00000002", talked=True))
    assert desk.take() == [LegAnswered("o1", "bob"), OfferBridged("o1", "bob"), TalkEnded("c1")]


def test_ami_that_tells_only_half_is_completed(desk: Desk) -> None:
    desk.begin()
    desk.feed(dial_begin(ANNA, "L1"), dial_end("L1", "ANSWER"))
    desk.take()
    assert desk.tracker.returned("o1") is Known.NOTHING
    desk.tracker.settle("o1", DialResult("ANSWER", "16", "PJSIP/anna-00000001", talked=True))
    assert desk.take() == [OfferBridged("o1", "anna"), TalkEnded("c1")]


def test_events_that_come_after_the_dial_returned_change_nothing(desk: Desk) -> None:
    desk.begin()
    desk.tracker.returned("o1")
    desk.tracker.settle("o1", DialResult("ANSWER", "16", "PJSIP/anna-00000001", talked=True))
    desk.take()
    desk.feed(dial_begin(ANNA, "L1"), dial_end("L1", "ANSWER"), bridge_enter("L1"), bridge_enter(CALLER), hangup("L1"))
    assert desk.take() == []


def test_late_events_of_one_dial_are_not_taken_for_the_next_ones(desk: Desk) -> None:
    desk.begin("o1")
    desk.tracker.returned("o1")
    desk.tracker.settle("o1", DialResult("BUSY", "17"))
    desk.begin("o2")
    desk.take()
    desk.feed(dial_begin(ANNA, "L1"), dial_begin(ANNA, "L2"), dial_end("L1", "BUSY"), hangup("L1", "17"))
    assert desk.take() == []
    desk.feed(dial_end("L2", "ANSWER"), bridge_enter("L2"), bridge_enter(CALLER))
    assert desk.take() == [LegAnswered("o2", "anna"), OfferBridged("o2", "anna")]


def test_a_dial_without_events_is_forgotten_after_a_while(desk: Desk) -> None:
    desk.begin("o1")
    desk.tracker.returned("o1")
    desk.tracker.settle("o1", DialResult("CHANUNAVAIL", "20"))
    desk.clock.advance(60)
    desk.begin("o2")
    desk.take()
    desk.feed(dial_begin(ANNA, "L2"), dial_end("L2", "ANSWER"))
    assert desk.take() == [LegAnswered("o2", "anna")]


# Cancelling.


def test_cancelling_hangs_up_the_phone(desk: Desk) -> None:
    desk.begin(a="anna", b="bob")
    desk.feed(dial_begin(ANNA, "L1"), dial_begin(BOB, "L2"))
    desk.tracker.cancel_leg("o1", "anna")
    assert desk.hung_up == ["PJSIP/anna-00000001"]
    desk.feed(dial_end("L1", "NOANSWER"), hangup("L1", "26"))
    assert desk.take() == []
    desk.tracker.cancel_offer("o1")
    assert desk.hung_up[1:] == ["PJSIP/bob-00000002"]
    desk.feed(hangup("L2", "26"))
    assert desk.tracker.returned("o1") is Known.FAILED
    assert desk.take() == []
    assert desk.busy == {"anna": 0, "bob": 0}


def test_a_phone_not_known_yet_is_hung_up_when_it_appears(desk: Desk) -> None:
    desk.begin()
    desk.tracker.cancel_offer("o1")
    assert desk.hung_up == []
    desk.feed(dial_begin(ANNA, "L1"))
    assert desk.hung_up == ["PJSIP/anna-00000001"]


def test_a_cancelled_phone_that_answers_at_that_moment_is_not_told(desk: Desk) -> None:
    desk.begin()
    desk.feed(dial_begin(ANNA, "L1"))
    desk.tracker.cancel_offer("o1")
    desk.feed(dial_end("L1", "ANSWER"), bridge_enter("L1"), bridge_enter(CALLER), hangup("L1"))
    assert desk.take() == []
    assert desk.tracker.returned("o1") is Known.FAILED


def test_a_phone_that_could_not_be_told_is_hung_up_when_ami_is_back(desk: Desk) -> None:
    desk.begin()
    desk.feed(dial_begin(ANNA, "L1"))
    desk.tracker.cancel_offer("o1")
    desk.tracker.found_leg(CALLER, "L1", "PJSIP/anna-00000001", "", "")
    assert desk.hung_up == ["PJSIP/anna-00000001"] * 2


def test_a_cancelled_phone_that_talked_all_the_same(desk: Desk) -> None:
    """Without AMI a cancelled offer rings on and may be answered: the caller has been served, and needs no other."""
    desk.begin()
    desk.tracker.cancel_offer("o1")
    assert desk.tracker.returned("o1") is Known.NOTHING
    assert desk.tracker.settle("o1", DialResult("ANSWER", "16", "PJSIP/anna-00000001", talked=True))


def test_cancelling_what_is_not_there_does_nothing(desk: Desk) -> None:
    desk.tracker.cancel_offer("o9")
    desk.tracker.cancel_leg("o9", "anna")
    assert (desk.posted, desk.hung_up) == ([], [])


# The caller, restarts, strangers.


def test_a_caller_who_is_gone_leaves_nothing_behind(desk: Desk) -> None:
    desk.begin()
    desk.feed(dial_begin(ANNA, "L1"))
    desk.tracker.caller_gone(CALLER)
    desk.feed(dial_end("L1", "CANCEL"), hangup("L1"))
    assert desk.take() == []
    assert desk.busy == {"anna": 0}
    assert desk.tracker.returned("o1") is Known.NOTHING


def test_what_was_missed_while_ami_was_away_is_found(desk: Desk) -> None:
    desk.begin()
    desk.tracker.found_leg(CALLER, "L1", "PJSIP/anna-00000001", "b1", "b1")
    assert desk.take() == ANSWERED
    desk.tracker.missing_legs(CALLER, frozenset())
    assert desk.take() == [TalkEnded("c1")]


def test_a_leg_still_ringing_after_a_reconnect_is_followed(desk: Desk) -> None:
    desk.begin()
    desk.tracker.found_leg(CALLER, "L1", "PJSIP/anna-00000001", "", "")
    desk.tracker.missing_legs(CALLER, frozenset({"L1"}))
    assert desk.take() == []
    desk.feed(dial_end("L1", "ANSWER"))
    assert desk.take() == [LegAnswered("o1", "anna")]


def test_an_answer_found_out_by_asking(desk: Desk) -> None:
    desk.begin()
    desk.tracker.connected_by_inquiry("o1", "anna")
    assert desk.take() == ANSWERED
    desk.tracker.connected_by_inquiry("o1", "anna")
    assert desk.take() == []
    assert desk.tracker.returned("o1") is Known.TALKED


def test_strangers_and_stand_ins_are_ignored(desk: Desk) -> None:
    desk.begin()
    desk.feed(
        dial_begin(ANNA, "L1", caller="1763757000.99"),
        dial_begin("PJSIP/nobody", "L3"),
        {**dial_begin(ANNA, "L4"), "DestChannel": "Surrogate/PJSIP/anna-00000004"},
        dial_end("L9", "ANSWER"),
        bridge_enter("L9"),
        hangup("L9"),
        {"Event": "Newchannel"},
        {},
    )
    assert desk.take() == []
    desk.feed(dial_begin(ANNA, "L1"), dial_end("L1", "BUSY"))
    assert desk.take() == [LegFailed("o1", "anna", LegFailure.REJECTED)]


def test_without_ami_each_phone_that_rang_has_failed(desk: Desk) -> None:
    """Each is told of, and no others: agents may have joined the offer whose phones never rang."""
    desk.begin(a="anna", b="bob")
    desk.feed(dial_begin(ANNA, "L1"), dial_end("L1", "BUSY"))
    desk.take()
    desk.tracker.returned("o1")
    assert not desk.tracker.settle("o1", DialResult("NOANSWER", "19"))
    assert desk.take() == [LegFailed("o1", "bob", LegFailure.MISSED)]

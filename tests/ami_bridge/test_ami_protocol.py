from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.ami_codec import AmiMessage, AmiValueError
from ami_bridge.ami_protocol import (
    ActionResult,
    ActionTracker,
    AmiNotConnected,
    AmiOverload,
    AmiRefused,
    AmiTimeout,
    AmiUnknown,
    PendingAction,
)


def start(tracker: ActionTracker, action: str = "Ping", now: float = 0.0, timeout_s: float = 5.0) -> PendingAction:
    return tracker.start(action, None, now=now, timeout_s=timeout_s)[0]


def start_list(tracker: ActionTracker, timeout_s: float = 5.0) -> PendingAction:
    return tracker.start("CoreShowChannels", None, now=0.0, timeout_s=timeout_s, is_list=True)[0]


def reply(pending: PendingAction, response: str = "Success", **headers: str) -> AmiMessage:
    return AmiMessage({"Response": response, "ActionID": pending.action_id, **headers})


def item(pending: PendingAction, name: str = "CoreShowChannel", **headers: str) -> AmiMessage:
    return AmiMessage({"Event": name, "ActionID": pending.action_id, **headers})


class TestReplies:
    def test_what_is_written_carries_the_action_id(self) -> None:
        tracker = ActionTracker("me")
        pending, data = tracker.start("Hangup", {"Channel": "x"}, now=0, timeout_s=1)
        assert data == f"Action: Hangup\r\nActionID: {pending.action_id}\r\nChannel: x\r\n\r\n".encode()
        assert pending.action_id.startswith("me-")

    def test_they_are_matched_by_action_id_whatever_their_order(self) -> None:
        tracker = ActionTracker("me")
        first, second, third = (start(tracker, name, now=1.0) for name in ("A", "B", "C"))
        assert tracker.receive(reply(third), 1.5) == (True, third)
        assert tracker.receive(reply(first, "Error", Message="no"), 1.6) == (True, first)
        assert third.outcome().action_id == third.action_id
        assert third.took_s == pytest.approx(0.5)
        with pytest.raises(AmiRefused, match="refused A: no") as caught:
            first.outcome()
        assert caught.value.reply["Message"] == "no"
        assert second.result is None
        assert len(tracker) == 1

    def test_a_refusal_says_what_asterisk_printed(self) -> None:
        tracker = ActionTracker("me")
        pending = start(tracker, "Command")
        tracker.receive(reply(pending, "Error", Message="Command output follows", Output="No such command"), 0)
        with pytest.raises(AmiRefused, match="No such command"):
            pending.outcome()

    def test_what_belongs_to_nobody(self) -> None:
        tracker = ActionTracker("me")
        pending = start(tracker, "Originate")
        late_event = AmiMessage({"Event": "OriginateResponse", "Response": "Failure", "ActionID": "other-7"})
        assert tracker.receive(late_event, 0) == (False, None)  # an event for everyone
        assert tracker.receive(AmiMessage({"Response": "Success", "ActionID": "other-7"}), 0) == (True, None)
        assert tracker.receive(item(pending, "OriginateResponse", Response="Success"), 0) == (False, None)
        assert pending.result is None

    def test_an_action_that_cannot_be_written_is_not_begun(self) -> None:
        tracker = ActionTracker("me")
        with pytest.raises(AmiValueError):
            tracker.start("Hangup", {"Channel": "a\r\nb"}, now=0, timeout_s=1)
        assert len(tracker) == 0
        assert tracker.next_deadline() is None

    def test_no_more_than_allowed_at_once(self) -> None:
        tracker = ActionTracker("me", max_pending=2)
        first = start(tracker)
        start(tracker)
        with pytest.raises(AmiOverload):
            start(tracker)
        tracker.receive(reply(first), 0)
        start(tracker)


class TestLists:
    def test_one_is_complete_with_its_own_last_event(self) -> None:
        tracker = ActionTracker("me")
        one, other = start_list(tracker), start_list(tracker)
        messages = [
            reply(one, EventList="start"),
            item(one, Uniqueid="1"),
            reply(other, EventList="start"),
            item(other, Uniqueid="9"),
            item(one, Uniqueid="2"),
        ]
        assert [tracker.receive(message, 0) for message in messages] == [(True, None)] * 5
        done = item(one, "CoreShowChannelsComplete", EventList="Complete", ListItems="2")
        assert tracker.receive(done, 0) == (True, one)
        assert [event["Uniqueid"] for event in one.items] == ["1", "2"]
        assert one.complete is done
        assert one.outcome()["EventList"] == "start"
        assert other.result is None

    def test_an_empty_one(self) -> None:
        tracker = ActionTracker("me")
        pending = start_list(tracker)
        tracker.receive(reply(pending, EventList="start"), 0)
        assert tracker.receive(item(pending, "Done", EventList="Complete"), 0) == (True, pending)
        assert pending.items == []

    def test_one_refused(self) -> None:
        tracker = ActionTracker("me")
        pending = start_list(tracker)
        assert tracker.receive(reply(pending, "Error", Message="Permission denied"), 0) == (True, pending)
        with pytest.raises(AmiRefused, match="Permission denied"):
            pending.outcome()

    def test_one_cancelled(self) -> None:
        tracker = ActionTracker("me")
        pending = start_list(tracker)
        tracker.receive(reply(pending, EventList="start"), 0)
        assert tracker.receive(item(pending, "X", EventList="Cancelled"), 0) == (True, pending)
        with pytest.raises(AmiRefused):
            pending.outcome()

    def test_one_without_an_end_of_items_is_bounded(self) -> None:
        tracker = ActionTracker("me", max_list_items=3)
        pending = start_list(tracker)
        tracker.receive(reply(pending, EventList="start"), 0)
        ended = [tracker.receive(item(pending), 0)[1] for _ in range(4)]
        assert ended == [None, None, None, pending]
        with pytest.raises(AmiRefused, match="over 3 items"):
            pending.outcome()
        assert tracker.receive(item(pending), 0) == (True, None)  # the rest is swallowed
        assert tracker.late == 1


class TestDeadlines:
    def test_each_action_has_its_own(self) -> None:
        tracker = ActionTracker("me")
        slow, quick = start(tracker, "A", 10.0, 5.0), start(tracker, "B", 11.0, 1.0)
        assert tracker.next_deadline() == 12.0
        assert tracker.expire(11.9) == []
        assert tracker.expire(12.0) == [quick]
        with pytest.raises(AmiTimeout, match="B within 1 s"):
            quick.outcome()
        assert tracker.next_deadline() == 15.0
        tracker.receive(reply(slow), 13.0)
        assert tracker.next_deadline() is None

    def test_a_late_reply_reaches_nobody(self) -> None:
        tracker = ActionTracker("me")
        pending = start(tracker)
        tracker.expire(5.0)
        assert tracker.receive(reply(pending), 5.1) == (True, None)
        assert pending.result is ActionResult.TIMED_OUT
        assert tracker.late == 1

    def test_a_list_that_is_late_is_swallowed_to_its_end(self) -> None:
        tracker = ActionTracker("me")
        pending = start_list(tracker)
        tracker.receive(reply(pending, EventList="start"), 1)
        tracker.expire(5.0)
        rest = [item(pending), item(pending), item(pending, "Done", EventList="Complete")]
        assert [tracker.receive(message, 6) for message in rest] == [(True, None)] * 3
        assert tracker.late == 3


class TestDisconnect:
    def test_what_was_under_way_is_unknown_and_nothing_can_be_begun(self) -> None:
        tracker = ActionTracker("me")
        done, left, listing = start(tracker, "A"), start(tracker, "B"), start_list(tracker)
        tracker.receive(reply(done), 1)
        tracker.receive(reply(listing, EventList="start"), 1)
        assert tracker.disconnected(2.0) == [left, listing]
        assert done.outcome()
        for pending in (left, listing):
            with pytest.raises(AmiUnknown):
                pending.outcome()
        assert tracker.next_deadline() is None
        with pytest.raises(AmiNotConnected):
            start(tracker)

    @given(
        st.lists(st.tuples(st.sampled_from(["start", "list", "reply", "item", "done", "expire"]), st.integers(0, 9)))
    )
    def test_every_action_ends_exactly_once(self, steps: list[tuple[str, int]]) -> None:
        tracker = ActionTracker("me", max_list_items=3)
        begun: list[PendingAction] = []
        ended: list[PendingAction] = []
        for now, (step, number) in enumerate(steps):
            if step in ("start", "list"):
                pending, _ = tracker.start("A", None, now=now, timeout_s=number + 1, is_list=step == "list")
                begun.append(pending)
            elif step == "expire":
                ended += tracker.expire(now)
            elif begun:
                pending = begun[number % len(begun)]
                message = {
                    "reply": reply(pending),
                    "item": item(pending),
                    "done": item(pending, EventList="Complete"),
                }[step]
                _, end = tracker.receive(message, now)
                ended += [end] if end else []
            deadline = tracker.next_deadline()
            assert (deadline is None) == (len(tracker) == 0)
        ended += tracker.disconnected(1000.0)
        assert sorted(map(id, ended)) == sorted(map(id, begun))
        assert all(pending.result is not None for pending in begun)

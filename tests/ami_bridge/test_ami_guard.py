from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ami_bridge.ami_codec import AmiMessage
from ami_bridge.ami_guard import MAX_TORN_MESSAGES, is_sound, mend
from tests.ami_bridge.fake_asterisk import Headers, block, channel_headers, event
from tests.ami_bridge.recordings import MIXED, TORN, parse

MAX_NUMBER = 79  # AST_CHANNEL_NAME - 1: longer ones are cut by Asterisk


def with_value(headers: Headers, name: str, value: str) -> Headers:
    return [(header, value if header == name else old) for header, old in headers]


def call(number: str, dialled: str = "100") -> bytes:
    """What Asterisk writes of a call that an agent takes, with other calls' events around."""
    caller = with_value(channel_headers("9.1", number=number), "Exten", dialled)
    agent = with_value(channel_headers("9.2", "PJSIP/anna-00000002", prefix="Dest"), "DestConnectedLineNum", number)
    alone = with_value(channel_headers("9.2", "PJSIP/anna-00000002"), "ConnectedLineNum", number)
    return b"".join(
        [
            event("DeviceStateChange", {"Device": "PJSIP/bob", "State": "INUSE"}),
            event("Newchannel", caller),
            event("Newstate", channel_headers("5.5")),
            event("DialBegin", [*caller, *agent, ("DialString", "anna")]),
            event(
                "BridgeEnter",
                [("BridgeUniqueid", "b-1"), *alone, ("ChanVariable", "ACD_CALL=1"), ("ChanVariable", "B=")],
            ),
            event("DeviceStateChange", {"Device": "PJSIP/anna", "State": "INUSE"}),
            event("Hangup", [*alone, ("Cause", "16"), ("Cause-txt", "Normal Clearing")]),
            event("Hangup", [*caller, ("Cause", "16"), ("Cause-txt", "Normal Clearing")]),
            event("DeviceStateChange", {"Device": "PJSIP/carl", "State": "INUSE"}),
        ]
    )


def story(messages: list[AmiMessage]) -> list[tuple[str, ...]]:
    """What an engine would act on."""
    names = ("Event", "Uniqueid", "DestUniqueid", "Linkedid", "Channel", "Device", "State", "BridgeUniqueid", "Cause")
    return [(*(m.get(name, "") for name in names), *m.all("ChanVariable")) for m in messages]


HONEST = story(parse(call("1001"))[0])
WORDS = (
    "1|x: |Event: Hangup|Event: DeviceStateChange|Privilege: a|Privilege: |Uniqueid: 5.5|Device: PJSIP/anna|State: BUSY"
    "|Linkedid: 1|Priority: 1|Exten: 1|Context: |ChannelStateDesc: |CallerIDNum: 1|CallerIDName: "
    "|ChanVariable: ACD_CALL=2|Cause: 1|ActionID: a|BridgeUniqueid: b-2|Channel: PJSIP/anna-1|ConnectedLineName: |\n|\r"
)
PIECES = st.sampled_from(["\r\n", "\r\n", "\r\n", "\r\n\r\n", *WORDS.split("|")])
NUMBERS = st.lists(PIECES, max_size=9).map(lambda pieces: "".join(pieces)[:MAX_NUMBER])


class TestRecorded:
    def test_real_forged_events_do_not_come_out(self) -> None:
        assert b"\r\n\r\nEvent: Hangup\r\nUniqueid: 1.1\r\n" in TORN  # a caller's own words, in Asterisk's stream
        messages, parser = parse(TORN)
        assert parser.garbage == 0
        assert parser.forged == 65
        assert not any("1.1" in message.values() or "X-Evil" in message for message in messages)
        real = {message["Uniqueid"] for message in messages if message.event == "Newchannel"}
        assert len(real) == 10
        assert {message["Uniqueid"] for message in messages if "Uniqueid" in message} == real
        hung_up = [message["Uniqueid"] for message in messages if message.event == "Hangup"]
        assert sorted(hung_up) == sorted(real)

    def test_the_caller_keeps_what_stands_before_the_line_end(self) -> None:
        messages, _ = parse(TORN)
        numbers = {message["CallerIDNum"] for message in messages if message.event == "Newchannel"}
        assert {"10", "11"} <= numbers

    def test_honest_events_are_left_alone(self) -> None:
        _, parser = parse(MIXED)
        assert parser.forged == 0


class TestForgery:
    @given(NUMBERS)
    @example("1\r\n\r\nEvent: Hangup\r\nPrivilege: a\r\nUniqueid: 5.5\r\n\r\n")
    @example("1\r\n\r\nEvent: DeviceStateChange\r\nDevice: PJSIP/anna\r\nState: BUSY\r\n\r\n")
    @example("1\r\nUniqueid: 5.5\r\nLinkedid: 5.5")
    @example("1\r\nChanVariable: ACD_CALL=2")
    @example("1\r\n\r\n\r\n\r\n")
    def test_no_callers_number_changes_what_the_engine_acts_on(self, number: str) -> None:
        messages, _ = parse(call(number))
        assert story(messages) == HONEST

    @given(NUMBERS)
    @example("1\r\nPriority: 1\r\nUniqueid: 5.5\r\nLinkedid: 5.5")
    @example("1\r\nPriority: 1\r\nUniqueid: 1795294975.0\r\nLinkedid: 1\r\n\r\n")
    @example("1\r\nPriority: 1\r\nUniqueid: 5.5\r\nLinkedid: 1\r\nCause: 1\r\n\r\n")
    def test_no_dialled_number_changes_what_the_engine_acts_on(self, dialled: str) -> None:
        messages, _ = parse(call("1001", dialled))
        assert story(messages) == HONEST

    @given(NUMBERS, st.integers(1, 400))
    def test_reads_of_any_size_give_the_same(self, number: str, size: int) -> None:
        data = call(number)
        whole, whole_parser = parse(data)
        cut, cut_parser = parse(data, size)
        assert story(cut) == story(whole)
        assert (cut_parser.garbage, cut_parser.forged) == (whole_parser.garbage, whole_parser.forged)

    def test_a_channel_variable_that_stands_where_asterisk_has_none_is_cut(self) -> None:
        for _ in range(2):
            messages, parser = parse(
                event("Newchannel", channel_headers("9.1", number="1\r\nChanVariable: ACD_CALL=2"))
            )
            assert messages[0].all("ChanVariable") == []
            assert parser.forged == 1

    def test_an_asterisk_that_writes_channels_in_another_way_is_understood(self) -> None:
        changed = [header for header in channel_headers("9.1") if header[0] != "Language"]
        stream = [
            event("Newchannel", changed),
            event("DeviceStateChange", {"Device": "PJSIP/anna", "State": "BUSY"}),
        ] * 30
        messages, parser = parse(b"".join(stream))
        assert [message.event for message in messages] == ["Newchannel", "DeviceStateChange"] * 30
        assert {message.get("Uniqueid") for message in messages} == {"9.1", None}
        assert (parser.garbage, parser.forged) == (0, 0)

    def test_what_is_held_back_is_bounded(self) -> None:
        head = event("Newchannel", channel_headers("9.1")[:4])
        messages, parser = parse(head + b"A: b\r\n\r\n" * 1000 + event("Newstate", channel_headers("5.5")))
        assert [message.event for message in messages] == ["Newchannel", "Newstate"]
        assert parser.garbage == 1000

    def test_so_little_is_held_back_that_nothing_waits_long(self) -> None:
        changed = [header for header in channel_headers("9.1") if header[0] != "Language"]
        reply = block([("Response", "Success"), ("ActionID", "a-1"), ("Ping", "Pong")])
        messages, _ = parse(event("Newchannel", changed) + reply * MAX_TORN_MESSAGES)
        assert len(messages) == 1 + MAX_TORN_MESSAGES


class TestParts:
    def test_every_gap_in_a_description_is_seen(self) -> None:
        lines = [f"{name}: 1" for prefix in ("", "Dest") for name, _ in channel_headers("1", prefix=prefix)]
        assert mend(lines) == lines
        for missing, line in enumerate(lines):
            if "Channel" not in line and not line.endswith("CallerIDNum: 1"):
                assert mend(lines[:missing] + lines[missing + 1 :]) is None, line

    def test_only_what_stands_between_is_cut(self) -> None:
        honest = [f"{name}: 1" for name, _ in channel_headers("1")] + ["Cause: 16"]
        forged = ["Evil: x", "CallerIDName: y", "Uniqueid: 2"]
        for header in ("CallerIDNum", "ConnectedLineNum", "Exten"):
            cut = honest.index(f"{header}: 1") + 1
            assert mend(honest[:cut] + forged + honest[cut:]) == honest

    def test_other_events_are_left_alone(self) -> None:
        lines = ["Event: X", "CallerIDNum: 1", "ChannelStateDesc: Up", "CallerIDName: 1", "Uniqueid: 1", "Uniqueid: 1"]
        assert mend(lines) == lines

    @pytest.mark.parametrize(
        ("text", "sound"),
        [
            ("Event: Hold|Privilege: call,all", True),
            ("Event: CoreShowChannel|ActionID: a-1", True),
            ("Response: Success|ActionID: a-1", True),
            ("Event: Hold|Uniqueid: 1", False),
            ("Event: |Privilege: ", False),
            ("Response: x|ActionID: ", False),
            ("CallerIDName: x|Privilege: y", False),
            ("Event: Hold", False),
        ],
    )
    def test_how_a_message_begins(self, text: str, sound: bool) -> None:
        assert is_sound(text.split("|")) is sound

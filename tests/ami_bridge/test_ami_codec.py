from __future__ import annotations

import pytest
from asterisk.manager import ManagerMsg
from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.ami_codec import (
    MAX_ACTION_HEADERS,
    MAX_ACTION_LINE_BYTES,
    AmiMessage,
    AmiParser,
    AmiValueError,
    HeaderValue,
    encode_action,
    unescape,
)
from tests.ami_bridge.fake_asterisk import block, channel_headers, event
from tests.ami_bridge.recordings import CALLS, MIXED, TORN, facts, parse


def blocks(recorded: bytes) -> list[list[str]]:
    """The messages of a recording as lines, cut in the plainest way there is."""
    return [part.decode().split("\r\n") for part in recorded.partition(b"\r\n")[2].split(b"\r\n\r\n") if part]


class TestRecorded:
    def test_every_message_of_the_calls_comes_out_as_it_stands_there(self) -> None:
        messages, parser = parse(CALLS)
        expected = [dict(line.split(": ", 1) for line in lines) for lines in blocks(CALLS)]
        assert [dict(message) for message in messages] == expected
        assert parser.banner == "Asterisk Call Manager/11.0.0"
        assert (parser.garbage, parser.forged) == (0, 0)

    def test_the_calls_parse_as_pyst2_parses_them(self) -> None:
        messages, _ = parse(CALLS)
        theirs = [ManagerMsg([f"{line}\r\n" for line in lines]) for lines in blocks(CALLS)]
        assert [{name: value.strip() for name, value in message.items()} for message in messages] == [
            message.headers for message in theirs
        ]
        assert len(messages) > 700

    def test_pyst2_cannot_read_channel_variables_and_ours_can(self) -> None:
        lines = next(lines for lines in blocks(MIXED) if any(line.startswith("ChanVariable: ") for line in lines))
        with pytest.raises(AttributeError):
            ManagerMsg([f"{line}\r\n" for line in lines])
        messages, _ = parse(MIXED)
        held = next(message for message in messages if 'a "q"' in unescape("".join(message.all("ChanVariable"))))
        assert [unescape(value) for value in held.all("ChanVariable")] == [
            "ACD_CALL=call-1",
            'ACD_NOTE=a "q" \\ b (c) , ; ü',
        ]

    def test_replies_of_every_kind(self) -> None:
        messages, parser = parse(MIXED)
        assert parser.garbage == 0
        replies = [message for message in messages if not message.is_event]
        assert {message.response for message in replies} == {"Success", "Error"}
        uptime = next(message for message in replies if message.all("Output") and message.response == "Success")
        assert [line.partition(":")[0] for line in uptime.all("Output")] == ["System uptime", "Last reload"]
        refused = next(message for message in replies if message.all("Output") and message.response == "Error")
        assert refused.all("Output")[0].startswith("No such command 'no such'")
        # Asterisk's own words, with a lone line feed inside the value
        assert any(message.get("Message") == "No Contacts found\n" for message in replies)

    def test_names_of_all_scripts_arrive(self) -> None:
        messages, _ = parse(CALLS)
        assert {"李安娜", "Björn Ås", "Zoë"} <= {message.get("CallerIDName") for message in messages}

    @pytest.mark.parametrize("recorded", [CALLS[:40_000], MIXED, TORN], ids=["calls", "mixed", "torn"])
    @pytest.mark.parametrize("size", [1, 2, 3, 7, 61, 1448, 4096, 30_000])
    def test_reads_of_any_size_give_the_same(self, recorded: bytes, size: int) -> None:
        whole, whole_parser = parse(recorded)
        cut, cut_parser = parse(recorded, size)
        assert facts(cut) == facts(whole)
        assert (cut_parser.garbage, cut_parser.forged) == (whole_parser.garbage, whole_parser.forged)

    @pytest.mark.parametrize(
        "recorded", [CALLS[:5_000], MIXED[-5_000:], TORN[20_000:25_000]], ids=["calls", "mixed", "torn"]
    )
    def test_every_single_split_gives_the_same(self, recorded: bytes) -> None:
        whole, whole_parser = parse(recorded)
        expected = facts(whole)
        for position in range(1, len(recorded)):
            parser = AmiParser()
            messages = parser.feed(recorded[:position]) + parser.feed(recorded[position:])
            assert facts(messages) == expected, position
            assert parser.garbage == whole_parser.garbage, position


class TestBanner:
    def test_it_is_kept_apart_from_the_first_message(self) -> None:
        messages, parser = parse(b"Asterisk Call Manager/5.0.4\r\n" + block([("Response", "Success")]))
        assert parser.banner == "Asterisk Call Manager/5.0.4"
        assert [dict(message) for message in messages] == [{"Response": "Success"}]

    def test_a_stream_without_one_is_parsed(self) -> None:
        messages, parser = parse(event("Alarm"))
        assert parser.banner is None
        assert messages[0].event == "Alarm"

    def test_one_without_an_end_is_garbage(self) -> None:
        parser = AmiParser()
        parser.feed(b"Asterisk Call Manager/" + b"9" * 1000)
        parser.feed(b"\r\n\r\n" + event("Alarm"))
        assert parser.banner is None
        assert parser.garbage == 1


class TestHeaders:
    def test_values_are_kept_to_the_letter(self) -> None:
        messages, _ = parse(
            event("X", [("Empty", ""), ("Colons", "a: b:c"), ("Blanks", "  a "), ("Lone", "a\nb\rc\0d")])
        )
        assert dict(messages[0]) == {
            "Event": "X",
            "Privilege": "call,all",
            "Empty": "",
            "Colons": "a: b:c",
            "Blanks": "  a ",
            "Lone": "a\nb\rc\0d",
        }

    def test_a_colon_without_a_blank_is_enough(self) -> None:
        messages, parser = parse(b"Event: X\r\nPrivilege: a\r\nNone:\r\nTight:b\r\n\r\n")
        assert (messages[0]["None"], messages[0]["Tight"]) == ("", "b")
        assert parser.garbage == 0

    def test_repeated_headers_are_all_there_and_the_mapping_has_the_last(self) -> None:
        messages, _ = parse(event("X", [("Variable", "a=1"), ("Variable", "b=2"), ("Other", "c")]) * 2)
        for message in messages:  # the second takes the way of a kind already known
            assert message.all("Variable") == ["a=1", "b=2"]
            assert message["Variable"] == "b=2"
            assert message.all("Other") == ["c"]
            assert message.all("Absent") == []

    def test_what_kind_a_message_is(self) -> None:
        messages, _ = parse(event("OriginateResponse", {"Response": "Failure"}) + block([("Response", "Goodbye")]))
        assert [message.is_event for message in messages] == [True, False]
        assert messages[0].response == "Failure"
        assert messages[1].event == ""
        assert messages[1].action_id == ""

    def test_text_that_is_not_utf_8_costs_only_its_own_characters(self) -> None:
        good = event("Good", {"Name": "李"})
        messages, parser = parse(event("Bad", {"Name": "a\udcffb\udce6"}) + good)
        assert [message["Name"] for message in messages] == ["a�b�", "李"]
        assert parser.garbage == 0

    def test_blank_lines_between_messages_do_not_matter(self) -> None:
        messages, parser = parse(b"\r\n\r\n\r\n" + event("A") + b"\r\n" + event("B") + b"\r\n\r\n" + event("C"))
        assert [message.event for message in messages] == ["A", "B", "C"]
        assert parser.garbage == 0


class TestGarbage:
    def test_a_line_that_is_no_header_costs_only_itself(self) -> None:
        messages, parser = parse(b"Event: X\r\nPrivilege: a\r\nnonsense\r\n: b\r\nA: b\r\n\r\n")
        assert dict(messages[0]) == {"Event": "X", "Privilege": "a", "A": "b"}
        assert parser.garbage == 2

    def test_a_message_of_no_kind_is_dropped(self) -> None:
        messages, parser = parse(b"A: b\r\n\r\n" + event("X"))
        assert [message.event for message in messages] == ["X"]
        assert parser.garbage == 1

    def test_an_event_for_nobody_is_dropped(self) -> None:
        messages, parser = parse(b"Event: Hangup\r\nUniqueid: 1.1\r\n\r\n" + event("X"))
        assert [message.event for message in messages] == ["X"]
        assert parser.garbage == 1

    def test_another_protocol_on_the_port(self) -> None:
        messages, parser = parse(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n\x16\x03\x01\x02\0\r\n\r\n")
        assert messages == []
        assert parser.garbage >= 2

    def test_a_line_over_its_limit_is_dropped_and_its_message_kept(self) -> None:
        data = event("X", {"Long": "x" * 500, "Short": "y"}) + event("Y")
        for size in (1, 50, len(data)):
            parser = AmiParser(max_line_bytes=200, max_message_bytes=2000)
            messages = [m for start in range(0, len(data), size) for m in parser.feed(data[start : start + size])]
            assert [dict(message) for message in messages] == [
                {"Event": "X", "Privilege": "call,all", "Short": "y"},
                {"Event": "Y", "Privilege": "call,all"},
            ]
            assert parser.garbage == 1

    @pytest.mark.parametrize("size", [1, 97, 10**6])
    def test_a_message_over_its_limit_is_dropped_and_the_next_kept(self, size: int) -> None:
        data = event("Big", [(f"Header{n}", "x" * 40) for n in range(100)]) + event("Next")
        parser = AmiParser(max_line_bytes=200, max_message_bytes=1000)
        messages = [m for start in range(0, len(data), size) for m in parser.feed(data[start : start + size])]
        assert [message.event for message in messages] == ["Next"]
        assert parser.garbage == 1

    def test_what_waits_for_its_end_is_bounded(self) -> None:
        parser = AmiParser(max_line_bytes=200, max_message_bytes=1000)
        for _ in range(1000):
            parser.feed(b"x" * 1000)
        assert len(parser._pending) < 2100
        assert [message.event for message in parser.feed(b"\r\n\r\n" + event("Next"))] == ["Next"]

    @given(st.lists(st.binary(max_size=300), max_size=8))
    def test_no_bytes_at_all_make_it_raise(self, reads: list[bytes]) -> None:
        parser = AmiParser(max_line_bytes=64, max_message_bytes=256)
        for read in reads:
            parser.feed(read)
        parser.feed(b"\r\n\r\n")
        assert isinstance(parser.garbage, int)

    lines = "Event: X|Privilege: a|Response: Success|A: b|ActionID: 7|ChannelStateDesc: Up|CallerIDNum: 1|Exten: 1"
    pieces = st.sampled_from(
        [b"\r\n", b"\r\n\r\n", b"\r", b"\n", b": ", b":", b"\xe6", b"\xe6\x9d\x8e", b"\0", b"x" * 40]
        + [b"Asterisk Call Manager/", b"ChanVariable: a=b", b"Uniqueid: 1"]
        + [line.encode() for line in lines.split("|")]
    )

    @given(st.lists(pieces, max_size=40), st.lists(st.integers(0, 600), max_size=6))
    def test_how_the_bytes_are_cut_never_matters(self, stream: list[bytes], cuts: list[int]) -> None:
        data = b"".join(stream)
        whole = AmiParser(max_line_bytes=64, max_message_bytes=128)
        expected = facts(whole.feed(data))
        parts = AmiParser(max_line_bytes=64, max_message_bytes=128)
        got: list[AmiMessage] = []
        start = 0
        for cut in [*sorted(cuts), len(data)]:
            got += parts.feed(data[start:cut])
            start = max(start, cut)
        assert facts(got) == expected
        # The head of a message too long is counted when it is dropped, which may be before its end has come.
        assert abs(parts.garbage - whole.garbage) <= 1
        assert parts.banner == whole.banner


class TestEncode:
    def test_an_action(self) -> None:
        headers: dict[str, HeaderValue] = {
            "Channel": "PJSIP/anna",
            "Timeout": 15000,
            "Variable": ["a=1", "b=ü"],
            "None": [],
        }
        assert (
            encode_action("Originate", headers, "id-1")
            == (
                "Action: Originate\r\nActionID: id-1\r\nChannel: PJSIP/anna\r\nTimeout: 15000\r\n"
                "Variable: a=1\r\nVariable: b=ü\r\n\r\n"
            ).encode()
        )
        assert encode_action("Ping") == b"Action: Ping\r\n\r\n"

    @pytest.mark.parametrize("evil", ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b", "a\ud800"])
    def test_nothing_that_could_become_a_header_is_written(self, evil: str) -> None:
        with pytest.raises(AmiValueError, match="Channel") as caught:
            encode_action("Hangup", {"Channel": evil})
        assert evil not in str(caught.value)
        with pytest.raises(AmiValueError):
            encode_action("Originate", {"Variable": ["fine", evil]})
        with pytest.raises(AmiValueError):
            encode_action(evil)
        with pytest.raises(AmiValueError):
            encode_action("Ping", action_id=evil)

    @pytest.mark.parametrize("name", ["", "A: b", "A\r\nB", " A", "A "])
    def test_bad_names(self, name: str) -> None:
        with pytest.raises(AmiValueError):
            encode_action("Ping", {name: "x"})

    def test_what_asterisk_would_cut_is_refused(self) -> None:
        fits = "x" * (MAX_ACTION_LINE_BYTES - len("A: "))
        assert encode_action("Ping", {"A": fits}).count(b"x") == len(fits)
        with pytest.raises(AmiValueError, match="1023 bytes"):
            encode_action("Ping", {"A": fits + "x"})
        with pytest.raises(AmiValueError, match="129 lines"):
            encode_action("Ping", {"Variable": ["x"] * MAX_ACTION_HEADERS})

    @given(st.dictionaries(st.from_regex(r"[A-Z][a-z]{1,8}", fullmatch=True), st.text(max_size=60), max_size=6))
    def test_what_is_accepted_reads_back_as_it_was(self, headers: dict[str, str]) -> None:
        try:
            data = encode_action("Test", headers, "7")
        except AmiValueError:
            assert any(set(value) & set("\r\n\0") for value in headers.values())
            return
        messages, parser = parse(block([("Event", "Echo")]).removesuffix(b"\r\n") + data)
        assert dict(messages[0]) == {"Event": "Echo", "Action": "Test", "ActionID": "7", **headers}
        assert parser.garbage == 0


class TestUnescape:
    @pytest.mark.parametrize(
        ("escaped", "plain"),
        [
            ("Anna", "Anna"),
            (r"O\'Brien", "O'Brien"),
            (r"a \"q\" \\ b", 'a "q" \\ b'),
            (r"\r\n\t\a\b\f\v\?", "\r\n\t\a\b\f\v?"),
            (r"\x41", r"\x41"),
            ("end\\", "end\\"),
        ],
    )
    def test_known(self, escaped: str, plain: str) -> None:
        assert unescape(escaped) == plain

    @given(st.text())
    def test_it_undoes_what_asterisk_does(self, text: str) -> None:
        letters = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v"}
        letters |= {character: character for character in "\\'\"?"}
        escaped = "".join("\\" + letters[character] if character in letters else character for character in text)
        assert unescape(escaped) == text


def test_channels_in_events_do_not_disturb_one_another() -> None:
    first, second = channel_headers("1.1"), channel_headers("1.2", prefix="Dest")
    messages, parser = parse(event("DialBegin", first + second) + event("Hangup", [*first, ("Cause", "16")]))
    assert (messages[0]["Uniqueid"], messages[0]["DestUniqueid"]) == ("1.1", "1.2")
    assert messages[1]["Cause"] == "16"
    assert (parser.garbage, parser.forged) == (0, 0)

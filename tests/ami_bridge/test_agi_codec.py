from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ami_bridge.agi_codec import (
    MAX_COMMAND_BYTES,
    MAX_COMMAND_WORDS,
    MAX_ENVIRONMENT_LINES,
    AgiEnvironment,
    AgiFault,
    AgiHangupLine,
    AgiItem,
    AgiParser,
    AgiReply,
    AgiStrayLine,
    AgiValueError,
    command_limit,
    encode_command,
)
from tests.ami_bridge.fake_asterisk import FakeChannel, parse_args
from tests.ami_bridge.recordings import agi_sessions

SESSIONS = agi_sessions()


def feed(data: bytes, size: int | None = None, **limits: int) -> list[AgiItem]:
    parser = AgiParser(**limits)
    step = size or max(len(data), 1)
    return [item for start in range(0, len(data), step) for item in parser.feed(data[start : start + step])]


def environment(data: bytes) -> AgiEnvironment:
    (item,) = feed(data)
    assert isinstance(item, AgiEnvironment), item
    return item


def answers(text: str) -> list[AgiItem]:
    """What comes of these bytes behind an environment."""
    items = feed(FakeChannel().environment + text.encode())
    return items[1:]


def answer(text: str) -> AgiReply:
    (item,) = answers(text)
    assert isinstance(item, AgiReply), item
    return item


class TestRecorded:
    @pytest.mark.parametrize("name", SESSIONS)
    def test_all_that_asterisk_said_is_understood(self, name: str) -> None:
        heard = b"".join(text.encode() for who, text in SESSIONS[name] if who == "asterisk")
        first, *rest = feed(heard)
        assert isinstance(first, AgiEnvironment)
        assert first.script == "acd/call"
        assert first.args == ("", "x")
        assert first.values["agi_uniqueid"].startswith("1795")
        assert {type(item) for item in rest} <= {AgiReply, AgiHangupLine}
        commands = [text for who, text in SESSIONS[name] if who == "engine"]
        replies = len([item for item in rest if isinstance(item, AgiReply)])
        assert replies in (len(commands), len(commands) - 1)  # the last was given up when the caller had gone

    @pytest.mark.parametrize("name", SESSIONS)
    def test_every_split_gives_the_same(self, name: str) -> None:
        heard = b"".join(text.encode() for who, text in SESSIONS[name] if who == "asterisk")
        whole = feed(heard)
        for size in (1, 2, 3, 7, 50):
            assert feed(heard, size) == whole
        for position in range(len(heard)):
            parser = AgiParser()
            assert parser.feed(heard[:position]) + parser.feed(heard[position:]) == whole, position

    def test_a_dead_channel_with_the_hang_up_ahead_of_an_answer(self) -> None:
        heard = b"".join(text.encode() for who, text in SESSIONS["mixed-0"] if who == "asterisk")
        codes = [item.code if isinstance(item, AgiReply) else "HANGUP" for item in feed(heard)[-5:]]
        assert codes == [200, "HANGUP", 200, 200, 511]

    def test_the_codes_and_values_of_a_session(self) -> None:
        talk = SESSIONS["mixed-0"]
        heard = {}
        for (_, command), (who, text) in pairwise(talk[1:]):
            if who == "asterisk":
                (heard[command.strip()],) = [item for item in answers(text) if isinstance(item, AgiReply)]
        note = heard["GET VARIABLE ACD_NOTE"]
        assert (note.code, note.number, note.value) == (200, 1, 'a "q" \\ b (c) , ; ü')
        assert heard["GET VARIABLE NOPE"].value is None
        assert heard["STREAM FILE hello-world 0123456789"].digit == "1"
        assert heard["STREAM FILE hello-world 0123456789"].endpos == 800
        assert heard["GET DATA beep 500 3"].value == "timeout"
        assert heard["GET DATA beep 500 3"].result == ""
        assert heard["BLURB x"].code == 510
        assert heard["SET VARIABLE onlyone"].code == 520
        assert heard["SET VARIABLE onlyone"].text.splitlines()[1] == "Sets a variable to the current channel."

    @pytest.mark.parametrize("name", SESSIONS)
    def test_what_we_wrote_asterisk_cut_into_the_words_we_meant(self, name: str) -> None:
        for who, text in SESSIONS[name]:
            if who == "engine":
                words = parse_args(text.removesuffix("\n"))
                assert parse_args(encode_command(*words).decode().removesuffix("\n")) == words

    def test_callers_who_forged_lines_are_served_and_keep_only_their_own_words(self) -> None:
        for name in ("torn-0", "torn-1", "torn-2"):
            item = environment(SESSIONS[name][0][1].encode())
            assert item.torn
            assert item.args == ("", "x")
            assert item.values["agi_context"] == "in"
            assert item.values["agi_extension"] == "100"
        forger = environment(SESSIONS["torn-2"][0][1].encode())
        assert forger.values["agi_callerid"] == "12"
        assert forger.values["agi_calleridname"] == "Boss  agi_arg_1: other agi_calleridname: unknown"  # his own name


class TestEnvironment:
    def test_empty_values_and_blanks(self) -> None:
        item = environment(FakeChannel(callerid="", calleridname="  A  ", accountcode="").environment)
        assert item.values["agi_callerid"] == ""
        assert item.values["agi_calleridname"] == "  A  "
        assert not item.torn

    def test_script_and_arguments(self) -> None:
        item = environment(FakeChannel("acd/agent/ready?x=1", "", "b", "c: d").environment)
        assert item.script == "acd/agent/ready"
        assert item.args == ("", "b", "c: d")
        assert environment(FakeChannel().environment).args == ()

    def test_one_that_another_program_wrote(self) -> None:
        item = environment(b"agi_network: yes\r\nagi_network_script: acd/call\r\nagi_tight:x\r\n\r\n")
        assert item.values == {"agi_network": "yes", "agi_network_script": "acd/call", "agi_tight": "x"}

    def test_a_caller_name_of_ten_kilobytes_that_is_no_utf_8(self) -> None:
        data = FakeChannel(calleridname="N").environment.replace(
            b"calleridname: N", b"calleridname: " + b"\xffN" * 5000
        )
        assert environment(data).values["agi_calleridname"] == "�N" * 5000

    @pytest.mark.parametrize(
        "garbage",
        [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01",
            b"\n",
            b"\r\n",
            b"agi_network: yes\nnonsense\n\n",
            b"agi_network: yes\nagi_network: no\n\n",
            b"agi_network yes\n\n",
            b"\0" * 100,
            b"HANGUP\n",
        ],
    )
    def test_what_is_none(self, garbage: bytes) -> None:
        for size in (1, 5, len(garbage)):
            items = feed(garbage + b"200 result=0\n" * 3, size)
            assert [type(item) for item in items] == [AgiFault]

    def test_garbage_is_known_by_its_first_byte(self) -> None:
        assert feed(b"G")
        assert not feed(b"a")

    def test_its_limits(self) -> None:
        head = b"agi_network: yes\n"
        assert isinstance(feed(head + b"agi_x: " + b"x" * 1000, max_environment_bytes=500)[0], AgiFault)
        assert isinstance(feed(head + b"agi_x: " + b"x" * 1000 + b"\n\n", max_environment_bytes=500)[0], AgiFault)
        many = b"".join(b"agi_x%d: \n" % number for number in range(MAX_ENVIRONMENT_LINES))
        assert isinstance(feed(head + many)[0], AgiFault)
        torn = FakeChannel().environment.replace(b"1001", b"1" + b"\n" * MAX_ENVIRONMENT_LINES)
        assert isinstance(feed(torn)[0], AgiFault)

    words = (
        "1|agi_calleridname: x|agi_callingpres: 0|agi_dnid: 1|agi_context: evil|agi_extension: 9|agi_priority: 1"
        "|agi_enhanced: 0.0|agi_accountcode: |agi_threadid: 1|agi_arg_1: other|agi_uniqueid: 1.2|HANGUP|200 result=1"
        "|agi_rdnis: |agi_version: 9"
    )
    pieces = st.sampled_from(["\n", "\n", "\n", "\n\n", *words.split("|")])
    numbers = st.lists(pieces, max_size=9).map(lambda parts: "".join(parts)[:79])

    @given(numbers, st.sampled_from(["callerid", "dnid", "extension"]))
    @example("1\nagi_priority: 1\nagi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 1\n", "extension")
    @example("1\n\n", "callerid")
    def test_no_callers_number_changes_what_the_engine_acts_on(self, number: str, where: str) -> None:
        data = FakeChannel("acd/call", "call-7", uniqueid="9.1", **{where: number}).environment
        item = feed(data)[0]
        assert isinstance(item, AgiEnvironment)
        assert item.script == "acd/call"
        assert item.values["agi_uniqueid"] == "9.1"
        assert item.values["agi_channel"] == "PJSIP/caller-00000001"
        assert item.args in ((), ("call-7",))  # none: as at a first entry
        if where == "callerid":
            assert item.values["agi_context"] == "acd-inbound"
            assert item.args == ("call-7",)


class TestReplies:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("200 result=0\n", (200, "0", None, None)),
            ("200 result=-1\n", (200, "-1", None, None)),
            ("200 result=1 (value)\n", (200, "1", "value", None)),
            ("200 result=1 ()\n", (200, "1", "", None)),
            ("200 result=1 (a (b) c)\n", (200, "1", "a (b) c", None)),
            ("200 result=1 (a) endpos=5)\n", (200, "1", "a) endpos=5", None)),
            ("200 result= (timeout)\n", (200, "", "timeout", None)),
            ("200 result=123 (timeout)\n", (200, "123", "timeout", None)),
            ("200 result=49 endpos=8000\n", (200, "49", None, 8000)),
            ("200 result=-1 (hangup) endpos=160\n", (200, "-1", "hangup", 160)),
            ("200 result=1 (digit) digit=5 endpos=40\n", (200, "1", "digit", 40)),
            ("200 result=1 (李)\r\n", (200, "1", "李", None)),
            ("510 Invalid or unknown command\n", (510, "", None, None)),
            ("511 Command Not Permitted on a dead channel or intercept routine\n", (511, "", None, None)),
            ("520 Invalid command syntax.  Proper usage not available.\n", (520, "", None, None)),
        ],
    )
    def test_single_lines(self, text: str, expected: tuple[int, str, str | None, int | None]) -> None:
        reply = answer(text)
        assert (reply.code, reply.result, reply.value, reply.endpos) == expected
        assert reply.text == text.rstrip()

    def test_numbers_and_digits(self) -> None:
        assert answer("200 result=35\n").digit == "#"
        assert answer("200 result=0\n").digit == ""
        assert answer("200 result=-1\n").digit == ""
        assert answer("200 result=12x\n").number == 0

    def test_a_usage_of_several_lines(self) -> None:
        head = "520-Invalid command syntax.  Proper usage follows:\n"
        usage = head + "Usage:\n\nHANGUP\n200 result=7\n520 End of proper usage.\n"
        assert answers(usage + "200 result=1\n") == [AgiReply(520, text=usage.strip()), answer("200 result=1\n")]

    def test_a_value_with_line_ends(self) -> None:
        reply = answer("200 result=1 (first\nHANGUP\nsecond (b)\n")
        assert reply.value == "first\nHANGUP\nsecond (b"
        assert answer("200 result=1 (\n)\n").value == "\n"

    def test_a_value_that_forges_an_answer_is_over_at_its_own_parenthesis(self) -> None:
        items = answers("200 result=1 (x)\nagi_arg_1: y)\n")
        assert items == [AgiReply(200, "1", "x", None, "200 result=1 (x)"), AgiStrayLine("agi_arg_1: y)")]

    def test_provisional_answers_are_none(self) -> None:
        assert answers("100 result=0 Trying...\n200 result=0\n") == [answer("200 result=0\n")]

    def test_the_hang_up_at_any_point(self) -> None:
        kinds = [type(item) for item in answers("HANGUP\n200 result=-1\nHANGUP\n511 Dead\n")]
        assert kinds == [AgiHangupLine, AgiReply, AgiHangupLine, AgiReply]

    def test_other_lines_are_stray(self) -> None:
        assert answers("hello\n\n20 result=0\n200result=0\n999 x\n") == [
            AgiStrayLine(text) for text in ("hello", "", "20 result=0", "200result=0", "999 x")
        ]

    def test_a_reply_over_its_limit(self) -> None:
        start = FakeChannel().environment + b"200 result=1 ("
        for data in (start + b"x" * 2000, start + b"x\n" * 1000, start + b"x" * 2000 + b")\n"):
            for size in (1, 64, len(data)):
                items = feed(data, size, max_reply_bytes=1000)
                assert [type(item) for item in items] == [AgiEnvironment, AgiFault]

    @given(st.lists(st.binary(max_size=200), max_size=10))
    def test_no_bytes_at_all_make_it_raise(self, reads: list[bytes]) -> None:
        for start in (b"", FakeChannel().environment):
            parser = AgiParser(max_environment_bytes=3000, max_reply_bytes=300)
            parser.feed(start)
            faults = [item for read in reads for item in parser.feed(read) if isinstance(item, AgiFault)]
            assert len(faults) <= 1

    lines = st.sampled_from(
        [
            "200 result=1 (",
            "200 result=0",
            ")",
            "\n",
            "\n",
            "\r\n",
            "HANGUP",
            "520-Usage:",
            "520 End of proper usage.",
            "x",
            "100 a",
        ]
    )

    @given(st.lists(lines, max_size=20).map("".join), st.integers(1, 30))
    def test_how_the_bytes_are_cut_never_matters(self, text: str, size: int) -> None:
        data = FakeChannel().environment + text.encode()
        assert feed(data, size) == feed(data)


class TestEncode:
    @pytest.mark.parametrize(
        ("words", "line"),
        [
            (("ANSWER",), "ANSWER"),
            (("SET VARIABLE", "A", "b c"), 'SET VARIABLE A "b c"'),
            (("SET", "VARIABLE", "A", ""), 'SET VARIABLE A ""'),
            (("STREAM FILE", "a/b-c_1.x", "0123#*"), "STREAM FILE a/b-c_1.x 0123#*"),
            (("EXEC", "Dial", "PJSIP/anna,15,gm(x)"), 'EXEC Dial "PJSIP/anna,15,gm(x)"'),
            (("VERBOSE", 'say "hi" \\ bye'), r'VERBOSE "say \"hi\" \\ bye"'),
        ],
    )
    def test_known(self, words: tuple[str, ...], line: str) -> None:
        assert encode_command(*words).decode() == line + "\n"

    @given(st.lists(st.text(max_size=40), min_size=1, max_size=6))
    @example(['"; \\', "\\", '\\"', "a\\ b", " ", "\t", ""])
    def test_asterisk_reads_back_what_was_meant(self, arguments: list[str]) -> None:
        try:
            data = encode_command("SET VARIABLE", *arguments)
        except AgiValueError:
            assert any(set(text) & set("\r\n\0") for text in arguments)
            return
        assert data.endswith(b"\n")
        assert data.count(b"\n") == 1
        assert parse_args(data.decode()[:-1]) == ["SET", "VARIABLE", *arguments]

    @pytest.mark.parametrize("evil", ["a\nEXEC System x", "a\rb", "a\0b", "\ud800"])
    def test_nothing_that_could_become_a_command_is_written(self, evil: str) -> None:
        with pytest.raises(AgiValueError):
            encode_command("SET VARIABLE", "NAME", evil)
        with pytest.raises(AgiValueError):
            encode_command(evil)

    def test_limits(self) -> None:
        assert len(encode_command("NOOP", "x" * (MAX_COMMAND_BYTES - 6))) == MAX_COMMAND_BYTES
        with pytest.raises(AgiValueError, match="8001 bytes, Asterisk accepts 8000"):
            encode_command("NOOP", "x" * (MAX_COMMAND_BYTES - 5))
        encode_command("NOOP", *["x"] * (MAX_COMMAND_WORDS - 1))
        with pytest.raises(AgiValueError, match="128 words"):
            encode_command("NOOP", *["x"] * MAX_COMMAND_WORDS)
        for empty in ((), ("",), (" ",)):
            with pytest.raises(AgiValueError):
                encode_command(*empty)

    @pytest.mark.parametrize(
        ("version", "limit"),
        [
            ("16.28.0~dfsg-0+deb11u4", 2000),
            ("18.26.4", 2000),
            ("20.15.2", 2000),
            ("20.16.0", 8000),
            ("21.10.2", 2000),
            ("21.11.0", 8000),
            ("22.5.2", 2000),
            ("22.6.0", 8000),
            ("22.10.1+dfsg+~cs6.17", 8000),
            ("23.0", 8000),
            ("certified/20.7", 2000),
            ("", 2000),
        ],
    )
    def test_what_an_asterisk_takes(self, version: str, limit: int) -> None:
        assert command_limit(version) == limit

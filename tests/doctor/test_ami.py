from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from acd.doctor.ami import AmiDenied, AmiLost, AmiQuestions, AmiRefused
from acd.lab.ports import choose_ports
from tests.doctor.fake_ami import HANG_UP, SILENCE, FakeAmi

SHORT_S = 0.5
"""For what never comes."""
LONG_S = 30.0
"""For what comes at once, however busy the machine is."""


@pytest.fixture
def questions(ami: FakeAmi) -> Iterator[AmiQuestions]:
    with AmiQuestions("127.0.0.1", ami.port, LONG_S) as asked:
        asked.login("acd", "s3cret")
        yield asked


@pytest.fixture
def impatient(ami: FakeAmi) -> Iterator[AmiQuestions]:
    with AmiQuestions("127.0.0.1", ami.port, SHORT_S) as asked:
        asked.login("acd", "s3cret")
        yield asked


def refused(message: str) -> str:
    return f"Response: Error\r\nMessage: {message}\r\n"


def login(port: int, timeout_s: float = LONG_S) -> None:
    with AmiQuestions("127.0.0.1", port, timeout_s) as asked:
        asked.login("acd", "s3cret")


def test_asks_for_no_events_at_login(ami: FakeAmi, questions: AmiQuestions) -> None:
    del questions
    assert ami.received[0]["Username"] == "acd"
    assert ami.received[0]["Secret"] == "s3cret"
    assert ami.received[0]["Events"] == "off"


def test_logs_off_at_the_end(ami: FakeAmi) -> None:
    login(ami.port)
    assert ami.received[-1]["Action"] == "Logoff"


def test_reads_values(ami: FakeAmi, questions: AmiQuestions) -> None:
    ami.values["ACD_ENGINE"] = "agi://10.0.0.1:4573"
    assert questions.value("ACD_ENGINE") == "agi://10.0.0.1:4573"
    assert questions.value("NOTHING") == ""
    assert questions.is_module_loaded("res_agi")
    assert not questions.is_module_loaded("res_nope")


def test_a_value_that_asterisk_refuses_is_empty(ami: FakeAmi, questions: AmiQuestions) -> None:
    ami.actions["Getvar"] = lambda _action: [refused("No such variable")]
    assert questions.value("X") == ""


def test_an_error_reply_carries_asterisks_words(ami: FakeAmi, questions: AmiQuestions) -> None:
    ami.actions["Ping"] = lambda _action: [refused("Permission denied")]
    with pytest.raises(AmiRefused, match=r"^Permission denied$"):
        questions.action("Ping")
    assert questions.value("ACD_ENGINE") == ""  # the session goes on


def test_lists_end_with_their_last_event(ami: FakeAmi, questions: AmiQuestions) -> None:
    ami.actions["DeviceStateList"] = lambda _action: [
        "Response: Success\r\nEventList: start\r\n",
        "Event: DeviceStateChange\r\nDevice: PJSIP/anna\r\n",
        "Event: DeviceStateListComplete\r\n",
    ]
    found = questions.list_action("DeviceStateList", "DeviceStateListComplete")
    assert [event["Device"] for event in found] == ["PJSIP/anna"]


def test_a_list_that_never_ends_is_given_up(ami: FakeAmi, impatient: AmiQuestions) -> None:
    ami.actions["DeviceStateList"] = lambda _action: ["Response: Success\r\n"]
    with pytest.raises(AmiLost, match=r"did not end it in 0.5 s"):
        impatient.list_action("DeviceStateList", "DeviceStateListComplete")


def test_channel_variables_in_an_event_do_no_harm(ami: FakeAmi, questions: AmiQuestions) -> None:
    ami.actions["Ping"] = lambda _action: [
        "Event: Newchannel\r\nChanVariable: A=1\r\nChanVariable(PJSIP/anna-1): B=2\r\nUniqueid: 1.1\r\n",
        "Response: Success\r\nPing: Pong\r\n",
    ]
    assert questions.action("Ping")["Ping"] == "Pong"
    assert questions.wait_for_events(lambda events: [event["Uniqueid"] for event in events] == ["1.1"], since=0)


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\0b"])
def test_values_with_line_ends_are_not_sent(ami: FakeAmi, questions: AmiQuestions, value: str) -> None:
    sent = len(ami.received)
    with pytest.raises(ValueError, match=r"line end"):
        questions.action("Getvar", Variable=value)
    assert len(ami.received) == sent


def test_silence_ends_at_the_deadline_and_for_good(ami: FakeAmi, impatient: AmiQuestions) -> None:
    ami.actions["Ping"] = lambda _action: [SILENCE]
    began = time.monotonic()
    with pytest.raises(AmiLost, match=r"did not answer to Ping within 0.5 s"):
        impatient.action("Ping")
    with pytest.raises(AmiLost, match=r"did not answer to Ping"):
        impatient.action("CoreSettings")
    assert time.monotonic() - began < LONG_S


def test_a_connection_that_breaks_is_told(ami: FakeAmi, questions: AmiQuestions) -> None:
    ami.actions["Ping"] = lambda _action: [HANG_UP]
    with pytest.raises(AmiLost, match=r"Asterisk closed the connection"):
        questions.action("Ping")


def test_a_wrong_password(ami: FakeAmi) -> None:
    ami.actions["Login"] = lambda _action: [refused("Authentication failed")]
    with pytest.raises(AmiDenied, match=r"^Authentication failed$"):
        login(ami.port)


def test_nobody_listens() -> None:
    with pytest.raises(AmiLost, match=r"Connection refused"):
        login(choose_ports(usual=False).ami)


@pytest.mark.parametrize("greeting", ["", "SSH-2.0-OpenSSH_9.2", "220 mail.example ESMTP\r\n"])
def test_another_service_that_waits_for_more(ami: FakeAmi, greeting: str) -> None:
    ami.greeting = greeting
    with pytest.raises(AmiLost, match=r"did not greet within 0.5 s"):
        login(ami.port, SHORT_S)


def test_another_service_that_greets(ami: FakeAmi) -> None:
    ami.greeting = "Fax Manager/1.0\r\n"
    with pytest.raises(AmiLost, match=r"no Asterisk manager interface: it greets as 'Fax Manager'"):
        login(ami.port)

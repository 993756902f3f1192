from __future__ import annotations

import pytest

from acd.lab.sip_trace import SipMessage
from bench.pbx_measure import PhoneCall, Round, caller_entries, idle_gaps_ms, offers_ms, phone_calls

AGENTS = ("agent01", "agent02")


def request(at: float, method: str, user: str, caller: str, call_id: str, *, sent: bool) -> SipMessage:
    return SipMessage(
        at,
        sent,
        f"{method} sip:{user}@127.0.0.1:5070 SIP/2.0\r\nFrom: <sip:{caller}@127.0.0.1>;tag=1\r\n"
        f"To: <sip:{user}@127.0.0.1>\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n\r\n",
    )


def test_phone_calls_are_told_from_retransmissions_and_from_callers() -> None:
    calls = phone_calls(
        [
            request(0.5, "INVITE", "7000001", "+491", "outer", sent=True),
            request(1.0, "INVITE", "agent01", "+491", "a", sent=False),
            request(1.5, "INVITE", "agent01", "+491", "a", sent=False),
            request(1.6, "INVITE", "somebody", "+491", "z", sent=False),
            request(2.0, "BYE", "asterisk", "agent01", "a", sent=True),
            request(2.5, "BYE", "asterisk", "agent01", "a", sent=True),
            request(2.6, "BYE", "7000001", "+491", "outer", sent=False),
            request(3.0, "INVITE", "agent02", "+492", "b", sent=False),
        ],
        AGENTS,
    )
    assert calls == (PhoneCall("agent01", "+491", 1.0, 2.0), PhoneCall("agent02", "+492", 3.0, None))


def test_entry_is_the_callers_first_invite() -> None:
    assert caller_entries(
        [
            request(0.5, "INVITE", "7000001", "+491", "one", sent=True),
            request(1.0, "INVITE", "7000001", "+491", "one", sent=True),
            request(1.1, "INVITE", "agent01", "+491", "a", sent=False),
            request(2.0, "INVITE", "7000001", "+492", "two", sent=True),
        ]
    ) == {"+491": 0.5, "+492": 2.0}


def test_idle_gap_is_from_bye_to_the_same_agents_next_invite() -> None:
    calls = (
        PhoneCall("agent01", "one", 1.0, 3.0),
        PhoneCall("agent02", "two", 1.1, 3.1),
        PhoneCall("agent02", "three", 3.104, 5.0),
        PhoneCall("agent01", "four", 3.002, None),
    )
    entries = {"one": 0.9, "two": 1.0, "three": 1.2, "four": 1.3}
    assert idle_gaps_ms(Round(calls, entries)) == pytest.approx([2.0, 4.0])


def test_a_gap_without_a_waiting_caller_does_not_count() -> None:
    calls = (PhoneCall("agent01", "one", 1.0, 3.0), PhoneCall("agent01", "two", 9.0, None))
    assert idle_gaps_ms(Round(calls, {"one": 0.9, "two": 8.99})) == []
    assert idle_gaps_ms(Round(calls, {"one": 0.9, "two": 2.99})) == []  # in the very moment: not waiting yet
    assert idle_gaps_ms(Round(calls, {"one": 0.9, "two": 2.9})) == pytest.approx([6000.0])
    assert idle_gaps_ms(Round(calls, {"one": 0.9})) == []


def test_offer_is_from_the_callers_invite_to_the_first_agents() -> None:
    calls = (
        PhoneCall("agent01", "one", 1.003, None),
        PhoneCall("agent02", "one", 16.0, None),
        PhoneCall("agent01", "two", 2.0, None),
        PhoneCall("agent01", "unknown", 2.0, None),
    )
    assert offers_ms(Round(calls, {"one": 1.0, "two": 1.995})) == pytest.approx([3.0, 5.0])

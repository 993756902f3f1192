"""SIPp's trace cut into messages."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from acd.lab.sip_trace import SipMessage, TraceParser

INVITE = (
    "INVITE sip:anna@127.0.0.1:5071 SIP/2.0\r\n"
    "v: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
    'From: "Li Wei" <sip:+4930777@127.0.0.1>;tag=1\r\n'
    "To: <sip:anna@127.0.0.1>\r\n"
    "i: abc@127.0.0.1\r\n"
    "CSeq: 17 INVITE\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 60\r\n"
    "\r\n"
    "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"
)
RINGING = "SIP/2.0 180 Ringing\r\nCall-ID: abc@127.0.0.1\r\nCSeq: 17 INVITE\r\nContent-Length: 0\r\n\r\n"


def record(text: str, moment: str, direction: str) -> bytes:
    body = text.encode()
    head = f"----------------------------------------------- {moment}\nUDP message {direction} [{len(body)}] bytes:\n\n"
    return head.encode() + body + b"\n"


TRACE = (
    record(INVITE, "2026-11-21T21:04:54.979001+0000", "received")
    + b"Discarded message for new calls while quitting\n"
    + record(RINGING, "2026-11-21T22:04:55.000000+0100", "sent")
)


def test_messages_with_times_and_directions() -> None:
    invite, ringing = TraceParser().feed(TRACE)
    assert (invite.sent, ringing.sent) == (False, True)
    assert abs(ringing.time_s - invite.time_s - 0.020999) < 1e-5
    assert invite.text == INVITE
    assert ringing.text == RINGING


def test_what_a_request_tells() -> None:
    message = SipMessage(0.0, False, INVITE)
    assert (message.method, message.status, message.uri_user) == ("INVITE", None, "anna")
    assert (message.from_user, message.to_user, message.call_id) == ("+4930777", "anna", "abc@127.0.0.1")
    assert (message.cseq, message.cseq_method) == (17, "INVITE")
    assert message.header("Via").endswith("z9hG4bK1")
    assert message.media_address() == ("127.0.0.1", 4000)
    assert message.is_request("INVITE", sent=False)
    assert not message.is_request("INVITE", sent=True)
    assert not message.is_response(180)


def test_what_a_response_tells() -> None:
    message = SipMessage(0.0, True, RINGING)
    assert (message.method, message.status, message.uri_user) == (None, 180, "")
    assert message.is_response(180)
    assert not message.is_response(180, "BYE")
    assert not message.is_response(180, sent=False)
    assert message.media_address() is None


def test_lines_that_are_no_headers() -> None:
    message = SipMessage(0.0, True, "GARBAGE\r\nno colon here\r\nCSeq: x\r\n\r\n")
    assert message.method == "GARBAGE"
    assert message.cseq == 0
    assert message.from_user == ""


@given(st.lists(st.integers(0, len(TRACE)), max_size=12))
def test_any_cut_of_the_stream_gives_the_same(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(TRACE)]
    parser = TraceParser()
    found: list[SipMessage] = []
    for start, end in pairwise(places):
        found += parser.feed(TRACE[start:end])
    assert found == TraceParser().feed(TRACE)


@given(st.binary(max_size=400))
def test_garbage_before_a_message_is_skipped(garbage: bytes) -> None:
    found = TraceParser().feed(garbage + b"\n" + record(RINGING, "2026-11-21T21:04:55.0+0000", "sent"))
    assert [message.text for message in found] == [RINGING]

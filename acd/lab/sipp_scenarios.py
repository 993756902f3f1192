"""The scenarios SIPp runs for callers and phones.

They hold what a SIP phone does by itself: answers to CANCEL, BYE and re-INVITE, acknowledgements (retransmissions are
SIPp's own). What a person decides comes as a made-up request, an *order*; the headers of the message that follows from
it are taken from the order:

- to a caller: ``XHANGUP`` (gives up or hangs up, as fits);
- to a phone: ``XRING``, ``XANSWER``, ``XREJECT486`` and so on, ``XHANGUP``, ``XREFER`` (``X-Refer-To``).

An order that comes too late is ignored. Sections stand in such an order that a message is sent before the place where
its answer is waited for: SIPp knows by that which answers stop a retransmission.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr

from acd.lab.errors import SippError

END = "99"
# Refusals that a phone can give; SIPp wants each status to stand in the scenario.
REFUSALS = {
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    486: "Busy Here",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    503: "Service Unavailable",
    600: "Busy Everywhere",
    603: "Decline",
}
_ALLOW = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY, REFER"
VIA = "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch];rport"
_SAME = "[last_From:]\n[last_To:]\n[last_Call-ID:]"
_EMPTY = "Max-Forwards: 70\nContent-Length: 0"
_MY_TAG = "tag=[pid]-[call_number]"


def caller_scenario(number: str, caller_number: str, caller_name: str, media_port: str) -> str:
    """A caller who calls ``number``. The four are texts or SIPp's words such as ``[field0]``.

    ``caller_name`` is what ``display_name`` makes of it, and what stands before the address as it is.
    """
    me = f"sip:{caller_number}@[local_ip]:[local_port]"
    invite = [
        f"INVITE sip:{number}@[remote_ip]:[remote_port] SIP/2.0",
        VIA,
        f"From: {caller_name}<{me}>;{_MY_TAG}",
        f"To: <sip:{number}@[remote_ip]:[remote_port]>",
        "Call-ID: [call_id]",
        "CSeq: 1 INVITE",
        f"Contact: <{me}>",
        "Max-Forwards: 70",
        _ALLOW,
        sdp(media_port),
    ]
    return scenario(
        "caller",
        send("\n".join(invite), retransmit=True, following="30"),
        *_sections_of_a_talk(media_port),
        _label("30"),
        _receive(response="100"),
        _receive(response="18[0-9]"),
        _receive(request="XHANGUP", following="50"),
        _receive(response="[3-6][0-9][0-9]", following="60"),
        _receive(response="200", mandatory=True, routes=True, actions=_take("remote", "To")),
        send(f"ACK [next_url] SIP/2.0\n{VIA}\n{_SAME}\nCSeq: 1 ACK\n{_EMPTY}", following="40"),
        *_talk("[last_From:]\nTo: [$remote]\n[last_Call-ID:]\nCSeq: 2 BYE"),
        # Giving up: CANCEL, then whichever comes of its own answer and the INVITE's.
        _label("50"),
        send(
            f"CANCEL sip:{number}@[remote_ip]:[remote_port] SIP/2.0\n[last_Via:]\n{_SAME}\nCSeq: 1 CANCEL\n{_EMPTY}",
            retransmit=True,
        ),
        _receive(response="1[0-9][0-9]"),
        _receive(response="481"),
        _receive(request="X[A-Z0-9]+"),
        _receive(
            response="200",
            following="70",
            test="answered",
            routes=True,
            actions=_take("answered", "CSeq", "INVITE") + _take("remote", "To"),
        ),
        _receive(response="[3-6][0-9][0-9]", mandatory=True, following="60"),
        _label("60"),
        send(
            f"ACK sip:{number}@[remote_ip]:[remote_port] SIP/2.0\n[last_Via:]\n{_SAME}\nCSeq: 1 ACK\n{_EMPTY}",
            following=END,
        ),
        # The answer crossed the CANCEL, so there is a call: it is acknowledged and hung up.
        _label("70"),
        send(f"ACK [next_url] SIP/2.0\n{VIA}\n{_SAME}\nCSeq: 1 ACK\n{_EMPTY}", following="41"),
        _label(END),
    )


def phone_scenario() -> str:
    """A phone, or many on one port: each is told by the order how to take its call."""
    return scenario(
        "phone",
        _receive(
            request="INVITE", mandatory=True, routes=True, following="30", actions=_take("invite", "CSeq", "[0-9]+")
        ),
        _label("20"),
        send(f"SIP/2.0 180 Ringing\n{_answer_headers()}\nContent-Length: 0", following="30"),
        *_sections_of_a_talk("[$port]"),
        _label("30"),
        _receive(request="XRING", following="20"),
        _receive(request="XANSWER", following="31", actions=_take("port", "X-Media-Port", "[0-9]+")),
        *(_receive(request=f"XREJECT{status}", following=str(status)) for status in REFUSALS),
        _receive(request="X[A-Z0-9]+"),
        _receive(request="CANCEL", mandatory=True),
        send(f"SIP/2.0 200 OK\n{_answer_headers()}\nContent-Length: 0"),
        send(
            f"SIP/2.0 487 Request Terminated\n[last_Via:]\n[last_From:]\n[last_To:];{_MY_TAG}\n[last_Call-ID:]\n"
            "CSeq: [$invite] INVITE\nContent-Length: 0",
            retransmit=True,
            following="36",
        ),
        _label("31"),
        send(f"SIP/2.0 200 OK\n{_answer_headers()}\n{_ALLOW}\n{sdp('[$port]')}", retransmit=True, following="33"),
        _label("32"),
        send("SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0"),
        _label("33"),
        # A CANCEL that crossed the answer has no effect (RFC 3261 section 9.2).
        _receive(request="CANCEL", following="32"),
        _receive(request="X[A-Z0-9]+"),
        _receive(request="ACK", mandatory=True, following="40"),
        *(part for status, reason in REFUSALS.items() for part in _refusal(status, reason)),
        _label("36"),
        _receive(request="X[A-Z0-9]+"),
        _receive(request="ACK", mandatory=True, following=END),
        *_talk(f"{_SAME}\n[last_CSeq:]"),
        _label(END),
    )


def _refusal(status: int, reason: str) -> list[str]:
    text = f"SIP/2.0 {status} {reason}\n{_answer_headers()}\nContent-Length: 0"
    return [_label(str(status)), send(text, retransmit=True, following="36")]


def register_scenario(name: str, password: str) -> str:
    """A phone that registers once, for an hour."""
    message = [
        "REGISTER sip:[remote_ip]:[remote_port] SIP/2.0",
        VIA,
        f"From: <sip:{name}@[remote_ip]>;{_MY_TAG}",
        f"To: <sip:{name}@[remote_ip]>",
        "Call-ID: [call_id]",
        "CSeq: [cseq] REGISTER",
        f"Contact: <sip:{name}@[local_ip]:[local_port]>;expires=3600",
    ]
    known = f"[authentication username={name} password={password}]"
    return scenario(
        "register",
        send("\n".join([*message, _EMPTY]), retransmit=True),
        '<recv response="401" auth="true"/>',
        send("\n".join([*message, known, _EMPTY]), retransmit=True),
        _receive(response="200", mandatory=True),
    )


def display_name(name: str) -> str:
    """A caller's name as SIP writes it: a quoted-string (RFC 3261, 25.1); empty for none. Raises SippError."""
    if not name:
        return ""
    if any(character in name for character in "\r\n\0"):
        raise SippError(f"a caller's name is one line of text, which {name!r} is not")
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '" '


def literal(text: str) -> str:
    """Text in which nothing is taken for a word of SIPp's or of XML's."""
    hidden = "\\[]<>&\r\n"
    return "".join(f"\\x{ord(character):02x}" if character in hidden else character for character in text)


def _sections_of_a_talk(media_port: str) -> list[str]:
    """What is sent from within a talk (21: re-INVITE, 22: REFER, 43: BYE from both ends at once)."""
    answer = "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]"
    contact = "Contact: <sip:[local_ip]:[local_port]>"
    return [
        _label("21"),
        send(f"SIP/2.0 200 OK\n{answer}\n{contact}\n{sdp(media_port)}", retransmit=True, following="40"),
        _label("22"),
        send(
            f"REFER [next_url] SIP/2.0\n{VIA}\n{_SAME}\n[last_CSeq:]\n{contact}\nRefer-To: [$target]\n{_EMPTY}",
            retransmit=True,
            following="40",
        ),
        _label("43"),
        send(f"SIP/2.0 200 OK\n{answer}\nContent-Length: 0", following="42"),
    ]


def _talk(bye_headers: str) -> list[str]:
    """An answered call until one end hangs up (40: talking, 41: hanging up)."""
    answer = "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]"
    return [
        _label("40"),
        _receive(request="INVITE", following="21"),
        _receive(request="ACK"),
        _receive(request="XHANGUP", following="41"),
        _receive(request="XREFER", following="22", actions=_take("target", "X-Refer-To")),
        _receive(response="202"),
        _receive(request="X[A-Z0-9]+"),
        _receive(request="BYE", mandatory=True),
        send(f"SIP/2.0 200 OK\n{answer}\nContent-Length: 0", following=END),
        _label("41"),
        send(f"BYE [next_url] SIP/2.0\n{VIA}\n{bye_headers}\n{_EMPTY}", retransmit=True),
        _label("42"),
        _receive(request="BYE", following="43"),
        _receive(request="X[A-Z0-9]+"),
        _receive(response="[2-6][0-9][0-9]", mandatory=True, following=END),
    ]


def _answer_headers() -> str:
    """Of an answer to the first request of a dialog: To gets our tag."""
    lines = ["[last_Via:]", "[last_From:]", f"[last_To:];{_MY_TAG}", "[last_Call-ID:]", "[last_CSeq:]"]
    return "\n".join([*lines, "Contact: <sip:[local_ip]:[local_port]>"])


def sdp(port: str) -> str:
    """The body of an offer or answer (with its two headers): sound in G.711 mu-law at ``port``, keys by RFC 4733."""
    lines = [
        "Content-Type: application/sdp",
        "Content-Length: [len]",
        "",
        "v=0",
        "o=- 1 1 IN IP4 [local_ip]",
        "s=-",
        "c=IN IP4 [local_ip]",
        "t=0 0",
        f"m=audio {port} RTP/AVP 0 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=ptime:20",
    ]
    return "\n".join(lines)


def send(text: str, *, retransmit: bool = False, following: str = "") -> str:
    """A message to send; the scenario goes on at the label ``following`` if one is given."""
    attributes = ' retrans="500"' if retransmit else ""
    attributes += f' next="{following}"' if following else ""
    end = "\n" if "\n\n" in text else "\n\n"  # a message without a body ends with an empty line
    return f"<send{attributes}><![CDATA[\n\n{text}{end}]]></send>"


def _receive(
    *,
    request: str = "",
    response: str = "",
    following: str = "",
    mandatory: bool = False,
    routes: bool = False,
    test: str = "",
    actions: str = "",
) -> str:
    """A message to wait for; optional ones in a row are waited for together, up to the mandatory one."""
    attributes = f" request={quoteattr(request)}" if request else f" response={quoteattr(response)}"
    attributes += ' regexp_match="true"' if "[" in request + response else ""
    attributes += "" if mandatory else ' optional="true"'
    attributes += f' next="{following}"' if following else ""
    attributes += f' test="{test}"' if test else ""
    attributes += ' rrs="true"' if routes else ""
    return f"<recv{attributes}><action>{actions}</action></recv>" if actions else f"<recv{attributes}/>"


def _label(number: str) -> str:
    return f'<label id="{number}"/>'


def _take(variable: str, header: str, regexp: str = ".+") -> str:
    return f'<ereg regexp={quoteattr(regexp)} search_in="hdr" header="{header}:" assign_to="{variable}"/>'


def scenario(name: str, *parts: str) -> str:
    """A whole scenario file."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<scenario name="{name}">', *parts, "</scenario>", ""]
    return "\n".join(lines)

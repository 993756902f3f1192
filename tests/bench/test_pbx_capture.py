from __future__ import annotations

import struct

import pytest

from bench.pbx_capture import _filter, sip_message

PORT = 5060
SIP = b"INVITE sip:agent01@127.0.0.1 SIP/2.0\r\nCall-ID: x\r\n\r\n"


def packet(source: int, destination: int, body: bytes, *, protocol: int = 17, options: bytes = b"") -> bytes:
    length = 5 + len(options) // 4
    header = bytes([0x40 | length]) + bytes(8) + bytes([protocol]) + bytes(10) + options
    return header + struct.pack("!HHHH", source, destination, 8 + len(body), 0) + body


def verdict(program: bytes, data: bytes) -> int:
    """Run the kernel's packet filter as linux/filter.h defines the four instructions that are used."""
    code = [struct.unpack_from("@HBBI", program, at) for at in range(0, len(program), 8)]
    accumulator = at = 0
    while True:
        operation, if_so, if_not, operand = code[at]
        at += 1
        if operation == 0x30:
            accumulator = data[operand]
        elif operation == 0x28:
            accumulator = int.from_bytes(data[operand : operand + 2], "big")
        elif operation == 0x15:
            at += if_so if accumulator == operand else if_not
        else:
            assert operation == 0x06
            return int(operand)


@pytest.mark.parametrize(
    ("data", "taken"),
    [
        (packet(PORT, 40000, SIP), True),
        (packet(40000, PORT, SIP), True),
        (packet(PORT, PORT, SIP), True),
        (packet(40000, 40002, SIP), False),
        (packet(PORT, 40000, SIP, protocol=6), False),
    ],
    ids=["from", "to", "both", "media", "tcp"],
)
def test_filter_takes_what_passes_through_the_port(data: bytes, taken: bool) -> None:
    assert (verdict(_filter(PORT), data) > 0) is taken


def test_message_is_sent_by_whoever_is_not_asterisk() -> None:
    message = sip_message(packet(40000, PORT, SIP), 12.5, PORT)
    assert message is not None
    assert (message.time_s, message.sent, message.method, message.call_id) == (12.5, True, "INVITE", "x")
    answer = sip_message(packet(PORT, 40000, b"SIP/2.0 200 OK\r\nCall-ID: x\r\n\r\n"), 13.0, PORT)
    assert answer is not None
    assert (answer.sent, answer.status) == (False, 200)


def test_ip_options_are_skipped() -> None:
    message = sip_message(packet(PORT, 40000, SIP, options=bytes(8)), 1.0, PORT)
    assert message is not None
    assert message.method == "INVITE"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x45",
        packet(40000, PORT, b"\r\n\r\n"),
        packet(40000, PORT, b"\x00\x00"),
        packet(40000, PORT, SIP, protocol=6),
    ],
)
def test_what_is_no_sip_message_is_none(data: bytes) -> None:
    assert sip_message(data, 1.0, PORT) is None

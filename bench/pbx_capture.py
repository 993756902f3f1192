"""SIP messages on the loopback interface with the kernel's time stamps, where the user may capture packets.

SIPp stamps a message that it has sent after the fact, and on a busy machine that may be a millisecond late: Asterisk
has answered by then. A packet capture has no such error, but takes the right ``CAP_NET_RAW`` (root has it). Only
packets of Asterisk's SIP port are taken, picked out by a filter in the kernel, so that media costs nothing.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
from collections.abc import Callable

from acd.lab.sip_trace import SipMessage

__all__ = ["Capture", "sip_message"]

_ETH_P_IP = 0x0800
_PACKET_HOST = 0
_SO_ATTACH_FILTER = 26
_SO_TIMESTAMPNS = 35
_UDP = 17
_IP_HEADER_BYTES = 20
_UDP_HEADER_BYTES = 8
_BUFFER_BYTES = 1 << 22
_PACKET_BYTES = 1 << 16
_TIME = struct.Struct("@qq")

# Instructions of the kernel's packet filter (linux/filter.h).
_LOAD_BYTE, _LOAD_HALF, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x28, 0x15, 0x06


class Capture:
    """Hands the SIP messages that Asterisk, at UDP port ``port``, sends and gets to ``on_message``.

    As in SIPp's traces, ``sent`` means: by a caller or phone to Asterisk.

    Raises PermissionError when the user may not capture packets. Needs a running event loop.
    """

    def __init__(self, port: int, on_message: Callable[[SipMessage], None]) -> None:
        self._on_message = on_message
        self._port = port
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
        try:
            self._socket.setblocking(False)
            _attach(self._socket, _filter(self._port))
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.bind(("lo", _ETH_P_IP))
            asyncio.get_running_loop().add_reader(self._socket, self._read)
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """End the capture."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                packet, ancillary, _, address = self._socket.recvmsg(_PACKET_BYTES, socket.CMSG_SPACE(_TIME.size))
            except BlockingIOError:
                return
            if address[2] != _PACKET_HOST:
                continue  # on the loopback interface a packet leaves and arrives at one moment: once is enough
            for level, kind, data in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                    seconds, nanoseconds = _TIME.unpack(data)
                    message = sip_message(packet, seconds + nanoseconds / 1e9, self._port)
                    if message is not None:
                        self._on_message(message)


def sip_message(packet: bytes, time_s: float, port: int) -> SipMessage | None:
    """Return the SIP message in an IPv4 packet; None when there is none (a keep-alive, say)."""
    if len(packet) < _IP_HEADER_BYTES + _UDP_HEADER_BYTES or packet[9] != _UDP:
        return None
    header_bytes = (packet[0] & 0x0F) * 4
    source = int.from_bytes(packet[header_bytes : header_bytes + 2], "big")
    text = packet[header_bytes + _UDP_HEADER_BYTES :].decode(errors="replace")
    return SipMessage(time_s, source != port, text) if "SIP/2.0" in text.partition("\r\n")[0] else None


def _filter(port: int) -> bytes:
    """Return the filter: UDP, and the port at either end (IP headers have no options on the loopback interface)."""
    program = (
        (_LOAD_BYTE, 0, 0, 9),
        (_JUMP_IF_EQUAL, 0, 4, _UDP),  # jumps (if so, if not) are counted from the next instruction
        (_LOAD_HALF, 0, 0, _IP_HEADER_BYTES),
        (_JUMP_IF_EQUAL, 3, 0, port),
        (_LOAD_HALF, 0, 0, _IP_HEADER_BYTES + 2),
        (_JUMP_IF_EQUAL, 1, 0, port),
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, _PACKET_BYTES),
    )
    return b"".join(struct.pack("@HBBI", *instruction) for instruction in program)


def _attach(capture: socket.socket, program: bytes) -> None:
    code = ctypes.create_string_buffer(program, len(program))
    descriptor = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    capture.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, descriptor)

"""The media end of a SIPp caller or phone: hears what Asterisk sends, sends silence and dialled digits (RFC 4733).

SIPp itself plays digits only through raw sockets, which an ordinary user may not open.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
import time
from dataclasses import dataclass
from typing import Self

FRAME_S = 0.02
SAMPLES = 160  # of a 20 ms frame at 8 kHz
PCMU = 0
TELEPHONE_EVENT = 101
MULAW_SILENCE = b"\xff" * SAMPLES
# A tone of 400 Hz at a speaker's loudness, in G.711 mu-law: 20 samples a period, so frames of it join without a click.
MULAW_TONE = bytes.fromhex("ffbbada6a1a0a1a6adbbff3b2d26212021262d3b") * (SAMPLES // 20)
# G.711 mu-law: 0x7f and 0xff are zero; the seven low bits of louder samples are smaller.
QUIET_FROM = 0x68
LOUD_SAMPLES = 8
DIGITS = "0123456789*#ABCD"
DIGIT_S = 0.1
BETWEEN_DIGITS_S = 0.1
END_PACKETS = 3  # RFC 4733 section 2.5.1.4: the last packet of an event is sent three times
KEEPALIVE_S = 1.0
FIRST_FRAMES = 5
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_SOUND = frozenset(range(256)) - {value for value in range(256) if (value & 0x7F) >= QUIET_FROM}


@dataclass(frozen=True, slots=True)
class HeardPacket:
    """A media packet that arrived: when (seconds since the epoch), its payload type, whether there is sound in it."""

    time_s: float
    payload_type: int
    sound: bool


class RtpEndpoint(asyncio.DatagramProtocol):
    """A UDP port for the media of one call. ``await RtpEndpoint.open()``, then ``start(remote)``.

    With ``steady`` a frame of silence is sent every 20 ms, as a phone does; otherwise a few at the start, so that
    Asterisk knows that there is somebody, and one a second. With ``keep`` what arrives is kept for ``recording()``.
    """

    def __init__(self, *, steady: bool = False) -> None:
        self.heard: list[HeardPacket] = []
        self.keep = False
        self.port = 0
        self.talking = False
        """Whether what is sent is a tone rather than silence; needs ``steady``."""
        self._steady = steady
        self._kept: list[bytes] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._remote: tuple[str, int] | None = None
        self._sequence = secrets.randbelow(1 << 15)
        self._timestamp = secrets.randbelow(1 << 30)
        self._source = secrets.randbits(32)
        self._sender: asyncio.Task[None] | None = None
        self._pressing = asyncio.Lock()

    @classmethod
    async def open(cls, host: str = "127.0.0.1", *, steady: bool = False) -> Self:
        """Opens a free port."""
        endpoint = cls(steady=steady)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: endpoint, local_addr=(host, 0))
        endpoint._transport = transport
        endpoint.port = transport.get_extra_info("sockname")[1]
        return endpoint

    def start(self, remote: tuple[str, int]) -> None:
        """Begins to send to ``remote`` (host, port); later calls change the address."""
        self._remote = remote
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_silence())

    async def press(self, digits: str) -> None:
        """Sends the digits one after the other, each as one event of 100 ms. Raises ValueError for what is no digit."""
        if any(digit not in DIGITS for digit in digits):
            raise ValueError(f"{digits!r} has characters that no phone has keys for")
        async with self._pressing:
            for digit in digits:
                await self._press(DIGITS.index(digit))
                await asyncio.sleep(BETWEEN_DIGITS_S)

    async def close(self) -> None:
        """Stops sending and closes the port."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()

    def longest_silence_s(self, since_s: float, until_s: float) -> float:
        """The longest time between ``since_s`` and ``until_s`` in which no packet with sound arrived."""
        times = [packet.time_s for packet in self.heard if packet.sound and since_s <= packet.time_s <= until_s]
        return max(after - before for before, after in zip([since_s, *times], [*times, until_s], strict=True))

    def longest_gap_s(self, since_s: float, until_s: float) -> float:
        """The longest time between ``since_s`` and ``until_s`` in which no packet at all arrived."""
        times = [packet.time_s for packet in self.heard if since_s <= packet.time_s <= until_s]
        return max(after - before for before, after in zip([since_s, *times], [*times, until_s], strict=True))

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        """Notes a packet that arrived."""
        if len(data) < _HEADER.size:
            return
        payload = data[_HEADER.size :]
        sound = sum(1 for sample in payload if sample in _SOUND) >= LOUD_SAMPLES
        self.heard.append(HeardPacket(time.time(), data[1] & 0x7F, sound))
        if self.keep and data[1] & 0x7F == PCMU:
            self._kept.append(payload)

    def recording(self) -> bytes:
        """The sound that arrived while ``keep`` was true: mu-law, 8000 samples a second."""
        return b"".join(self._kept)

    def error_received(self, exc: Exception) -> None:
        """The other end has closed its port: nothing to do, the call's end is told by SIP."""

    async def _send_silence(self) -> None:
        sent = 0
        while True:
            if not self._pressing.locked():
                self._send(PCMU, MULAW_TONE if self.talking else MULAW_SILENCE, self._timestamp, marker=sent == 0)
            sent += 1
            pause_s = FRAME_S if self._steady or sent < FIRST_FRAMES else KEEPALIVE_S
            self._timestamp += int(pause_s / FRAME_S) * SAMPLES
            await asyncio.sleep(pause_s)

    async def _press(self, event: int) -> None:
        started = self._timestamp
        frames = int(DIGIT_S / FRAME_S)
        for frame in range(1, frames + 1):
            self._send(TELEPHONE_EVENT, _EVENT.pack(event, 10, frame * SAMPLES), started, marker=frame == 1)
            await asyncio.sleep(FRAME_S)
        for _ in range(END_PACKETS):
            self._send(TELEPHONE_EVENT, _EVENT.pack(event, 0x80 | 10, frames * SAMPLES), started)
        self._timestamp = max(self._timestamp, started + (frames + 1) * SAMPLES)

    def _send(self, payload_type: int, payload: bytes, timestamp: int, *, marker: bool = False) -> None:
        if self._transport is None or self._remote is None:
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        second = payload_type | (0x80 if marker else 0)
        header = _HEADER.pack(0x80, second, self._sequence, timestamp & 0xFFFFFFFF, self._source)
        self._transport.sendto(header + payload, self._remote)


def deaf_port(host: str = "127.0.0.1") -> socket.socket:
    """A UDP port that nobody reads: what arrives is dropped, without a complaint to the sender, at no cost to us."""
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
    sink.bind((host, 0))
    return sink

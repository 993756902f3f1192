"""The media end: what it sends, what it says it heard."""

from __future__ import annotations

import asyncio
import struct
import wave
from itertools import pairwise
from pathlib import Path

import pytest

from acd.lab.rtp import MULAW_SILENCE, PCMU, TELEPHONE_EVENT, HeardPacket, RtpEndpoint, deaf_port
from acd.lab.wav import write_mulaw
from tests.lab.waiting import until

SOUND = bytes([0x20] * 160)


class Ear(asyncio.DatagramProtocol):
    """Keeps what arrives, cut into RTP's fields."""

    def __init__(self) -> None:
        self.packets: list[tuple[int, bool, int, int, bytes]] = []

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        _, second, sequence, timestamp, _source = struct.unpack("!BBHII", data[:12])
        self.packets.append((second & 0x7F, bool(second & 0x80), sequence, timestamp, data[12:]))


async def ear() -> tuple[Ear, asyncio.DatagramTransport]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Ear, local_addr=("127.0.0.1", 0))
    return protocol, transport


async def test_digits_are_events_of_rfc_4733() -> None:
    other, transport = await ear()
    end = await RtpEndpoint.open(steady=True)
    end.start(transport.get_extra_info("sockname"))
    await end.press("1#")
    await end.close()
    transport.close()
    events = [packet for packet in other.packets if packet[0] == TELEPHONE_EVENT]
    timestamps = list(dict.fromkeys(packet[3] for packet in events))
    assert len(timestamps) == 2
    for timestamp, code in zip(timestamps, (1, 11), strict=True):
        one = [packet for packet in events if packet[3] == timestamp]
        fields = [struct.unpack("!BBH", packet[4]) for packet in one]
        assert [field[0] for field in fields] == [code] * 8
        assert [packet[1] for packet in one] == [True] + [False] * 7
        assert [bool(field[1] & 0x80) for field in fields] == [False] * 5 + [True] * 3
        assert [field[2] for field in fields] == [160, 320, 480, 640, 800, 800, 800, 800]
    sequences = [packet[2] for packet in other.packets]
    assert all((after - before) & 0xFFFF == 1 for before, after in pairwise(sequences))
    assert all(packet[4] == MULAW_SILENCE for packet in other.packets if packet[0] == PCMU)


async def test_no_such_key() -> None:
    end = await RtpEndpoint.open()
    with pytest.raises(ValueError, match="no phone has keys"):
        await end.press("12x")
    await end.close()


async def test_hears_sound_and_silence() -> None:
    first, second = await RtpEndpoint.open(), await RtpEndpoint.open()
    first.keep = True
    second.start(("127.0.0.1", first.port))  # a few frames of silence
    await until(lambda: len(first.heard) >= 3)
    await second.close()
    await first.close()
    assert {packet.payload_type for packet in first.heard} == {PCMU}
    assert not any(packet.sound for packet in first.heard)
    assert first.recording() == MULAW_SILENCE * len(first.heard)


async def test_sound_is_told_from_silence() -> None:
    end = await RtpEndpoint.open()
    header = struct.pack("!BBHII", 0x80, PCMU, 1, 0, 1)
    end.datagram_received(header + SOUND, ("127.0.0.1", 1))
    end.datagram_received(header + bytes([0xFE, 0x7E] * 80), ("127.0.0.1", 1))
    end.datagram_received(b"short", ("127.0.0.1", 1))
    assert [packet.sound for packet in end.heard] == [True, False]
    await end.close()


async def test_longest_silence_and_gap() -> None:
    end = await RtpEndpoint.open()
    end.heard = [HeardPacket(10.0, 0, True), HeardPacket(11.5, 0, False), HeardPacket(12.0, 0, True)]
    assert end.longest_gap_s(10.0, 12.5) == pytest.approx(1.5)
    assert end.longest_silence_s(10.0, 12.5) == pytest.approx(2.0)
    assert end.longest_silence_s(12.0, 15.0) == pytest.approx(3.0)
    assert end.longest_gap_s(20.0, 21.0) == pytest.approx(1.0)
    await end.close()


def test_a_deaf_port_takes_everything() -> None:
    with deaf_port() as sink, deaf_port() as sender:
        for _ in range(2000):
            sender.sendto(SOUND, sink.getsockname())


def test_wav_file(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    write_mulaw(path, b"\x7f\xff\x20")
    data = path.read_bytes()
    assert data[:4] == b"RIFF"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    with path.open("rb") as file, pytest.raises(wave.Error, match="unknown format: 7"):
        wave.Wave_read(file)

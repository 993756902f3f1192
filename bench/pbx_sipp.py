"""Callers and phones for ``bench.pbx``: SIPp scenarios that run by themselves, with nothing of ours in their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from acd.lab.rtp import deaf_port
from acd.lab.sip_trace import SipMessage
from acd.lab.sipp import SippProcess, free_udp_port
from acd.lab.sipp_scenarios import VIA, scenario, sdp, send

__all__ = ["BenchPhones", "call"]

_SAME_DIALOG = "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]"
_CONTACT = "Contact: <sip:[local_ip]:[local_port]>"
_EMPTY = "Content-Length: 0"


def _phone_scenario(media_port: int, talk_s: float) -> str:
    """Ring, answer at once, talk, hang up."""
    ours = f"[last_Via:]\n[last_From:]\n[last_To:];tag=p[pid]n[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n{_CONTACT}"
    return scenario(
        "phone",
        '<recv request="INVITE" rrs="true"/>',
        send(f"SIP/2.0 180 Ringing\n{ours}\n{_EMPTY}"),
        send(f"SIP/2.0 200 OK\n{ours}\n{sdp(str(media_port))}", retransmit=True),
        '<recv request="ACK"><action>'
        '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="ours"/>'
        '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="theirs"/>'
        "</action></recv>",
        f'<pause milliseconds="{talk_s * 1000:.0f}"/>',
        send(
            f"BYE [next_url] SIP/2.0\n{VIA}\nFrom: [$ours]\nTo: [$theirs]\n[last_Call-ID:]\nCSeq: 1 BYE\n"
            f"Max-Forwards: 70\n{_EMPTY}",
            retransmit=True,
        ),
        '<recv response="200"/>',
    )


def _caller_scenario(number: str, media_port: int) -> str:
    """Call, stay until the other end hangs up. The caller's number is the call's, so that it can be told apart."""
    caller = "<sip:+49301[call_number]@[local_ip]:[local_port]>"
    return scenario(
        "caller",
        send(
            f"INVITE sip:{number}@[remote_ip]:[remote_port] SIP/2.0\n{VIA}\nFrom: {caller};tag=c[pid]n[call_number]\n"
            f"To: <sip:{number}@[remote_ip]:[remote_port]>\nCall-ID: [call_id]\nCSeq: 1 INVITE\n{_CONTACT}\n"
            f"Max-Forwards: 70\n{sdp(str(media_port))}",
            retransmit=True,
        ),
        '<recv response="100" optional="true"/>',
        '<recv response="180" optional="true"/>',
        '<recv response="183" optional="true"/>',
        '<recv response="200" rrs="true"/>',
        send(
            f"ACK [next_url] SIP/2.0\n{VIA}\n[last_From:]\n[last_To:]\n[last_Call-ID:]\nCSeq: 1 ACK\n"
            f"Max-Forwards: 70\n{_EMPTY}"
        ),
        '<recv request="BYE"/>',
        send(f"SIP/2.0 200 OK\n{_SAME_DIALOG}\n{_EMPTY}"),
    )


class BenchPhones:
    """All agents' phones, on one port of one SIPp. Use ``async with``."""

    def __init__(
        self,
        sipp: Sequence[str],
        sip_port: int,
        port: int,
        talk_s: float,
        on_message: Callable[[SipMessage], None],
    ) -> None:
        self._deaf = deaf_port()
        self._process = SippProcess(
            sipp,
            _phone_scenario(self._deaf.getsockname()[1], talk_s),
            port=port,
            remote_port=sip_port,
            on_message=on_message,
        )

    async def __aenter__(self) -> BenchPhones:
        await self._process.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._process.stop()
        self._deaf.close()

    def errors(self) -> str:
        """SIPp's complaints so far."""
        return self._process.errors()


async def call(
    sipp: Sequence[str],
    sip_port: int,
    number: str,
    *,
    calls: int,
    rate_per_s: float,
    timeout_s: float,
    on_message: Callable[[SipMessage], None],
) -> None:
    """Let so many callers call the number and wait until all have been hung up on.

    Raises TimeoutError when that takes longer than ``timeout_s``, RuntimeError when a call failed.
    """
    with deaf_port() as deaf:
        process = SippProcess(
            sipp,
            _caller_scenario(number, deaf.getsockname()[1]),
            port=free_udp_port(),
            remote_port=sip_port,
            arguments=(
                f"127.0.0.1:{sip_port}",
                *("-m", str(calls), "-l", str(calls), "-r", f"{rate_per_s:.0f}", "-rp", "1000"),
            ),
            on_message=on_message,
        )
        try:
            await process.start(wait_for_port=False)
            async with asyncio.timeout(timeout_s):
                code = await process.wait()
            if code != 0:
                raise RuntimeError(f"calls to {number} failed (SIPp ended with {code}):\n{process.errors()}")
        finally:
            await process.stop()

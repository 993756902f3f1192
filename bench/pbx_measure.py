"""From SIP messages to idle gaps and offer times. No I/O here.

Everything is taken from the messages of callers and phones, which run on one machine and so share one clock. The
definitions:

- *idle gap*: from an agent's phone sending BYE to the same phone receiving its next INVITE. It counts only if the
  caller of that INVITE had sent its own INVITE at least 50 ms before the BYE: only then somebody waited for the agent.
- *offer*: from a caller sending INVITE to the first agent's phone receiving the INVITE for that caller, while there are
  always idle agents. It includes what Asterisk needs to set up the caller's leg and to answer it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from acd.lab.sip_trace import SipMessage

__all__ = ["PhoneCall", "Round", "caller_entries", "idle_gaps_ms", "offers_ms", "phone_calls"]

ENTERED_BEFORE_S = 0.05


@dataclass(slots=True)
class PhoneCall:
    """One call at an agent's phone. Times are seconds since the epoch."""

    agent: str
    caller: str
    invite_at: float
    bye_at: float | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of one system gave."""

    calls: tuple[PhoneCall, ...]
    entries: dict[str, float]
    """Caller's number to when the INVITE was sent."""


def phone_calls(messages: Iterable[SipMessage], agents: Collection[str]) -> tuple[PhoneCall, ...]:
    """Return the calls that the agents' phones got, in the order of their INVITEs; retransmissions are none."""
    calls: dict[str, PhoneCall] = {}
    for message in messages:
        if message.is_request("INVITE", sent=False):
            if message.call_id not in calls and message.uri_user in agents:
                calls[message.call_id] = PhoneCall(message.uri_user, message.from_user, message.time_s)
        elif message.is_request("BYE", sent=True):
            call = calls.get(message.call_id)
            if call is not None and call.bye_at is None:
                call.bye_at = message.time_s
    return tuple(calls.values())


def caller_entries(messages: Iterable[SipMessage]) -> dict[str, float]:
    """Return when each caller sent the first INVITE, by the caller's number."""
    entries: dict[str, float] = {}
    for message in messages:
        if message.is_request("INVITE", sent=True):
            entries.setdefault(message.from_user, message.time_s)
    return entries


def idle_gaps_ms(measured: Round) -> list[float]:
    """Return the idle gaps (milliseconds) of all agents."""
    gaps = []
    hung_up: dict[str, float] = {}
    for call in sorted(measured.calls, key=lambda call: call.invite_at):
        bye_at = hung_up.pop(call.agent, None)
        if bye_at is not None and measured.entries.get(call.caller, bye_at) <= bye_at - ENTERED_BEFORE_S:
            gaps.append((call.invite_at - bye_at) * 1000)
        if call.bye_at is not None:
            hung_up[call.agent] = call.bye_at
    return gaps


def offers_ms(measured: Round) -> list[float]:
    """Return the offer times (milliseconds) of all callers who were offered to an agent."""
    first: dict[str, float] = {}
    for call in measured.calls:
        first[call.caller] = min(call.invite_at, first.get(call.caller, call.invite_at))
    return [(at - measured.entries[caller]) * 1000 for caller, at in first.items() if caller in measured.entries]

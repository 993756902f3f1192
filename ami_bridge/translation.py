"""Asterisk's words and ours: device states, dial results, hang-up causes, channel names. Pure functions.

How SIP answers of an agent's phone come out of ``Dial`` on Asterisk 22 (seen on the wire by
``tests/integration/test_leg_results.py``; the numbers are Q.850 causes):

==============================  ================  ==========  ===========
the phone                       DialEnd           HANGUPCAUSE  ours
==============================  ================  ==========  ===========
rings until the time-out        NOANSWER          0 or 16     missed
480 Temporarily Unavailable     NOANSWER          19          missed
486 Busy Here, 600 Busy         BUSY              17          rejected
603 Decline, 403 Forbidden      NOANSWER          21          rejected
404 Not Found, 604              NOANSWER          1           unreachable
408 Request Time-out            NOANSWER          18          unreachable
500 Server Error                NOANSWER          38          unreachable
503 Service Unavailable         CONGESTION        34          unreachable
is unknown, has no address      none              20 or none  unreachable
302 to elsewhere (option ``i``) BUSY              17          rejected
==============================  ================  ==========  ===========

So the dial status alone does not tell a rejection from a missed ring: the cause decides where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable

from acd.core.events import DeviceState, LegFailure

__all__ = [
    "ANSWERED",
    "BRIDGED",
    "CANCELLED",
    "device_state",
    "device_word",
    "hangup_cause",
    "is_surrogate",
    "leg_failure",
    "leg_failure_is_certain",
    "phone_of_channel",
    "variables_of",
]

ANSWERED = "ANSWER"
"""The dial status of a leg that was picked up."""
CANCELLED = "CANCEL"
"""The dial status of legs that Asterisk stops because another one was picked up, or because the caller is gone."""

BRIDGED = "SUCCESS"
"""BRIDGERESULT when ``Bridge`` had connected two channels."""

_DEVICE_STATES = {
    "NOT_INUSE": DeviceState.NOT_INUSE,
    "INUSE": DeviceState.INUSE,
    "BUSY": DeviceState.INUSE,
    "RINGING": DeviceState.INUSE,
    "RINGINUSE": DeviceState.INUSE,
    "ONHOLD": DeviceState.INUSE,
    "UNAVAILABLE": DeviceState.UNAVAILABLE,
    "INVALID": DeviceState.UNAVAILABLE,
    "UNKNOWN": DeviceState.UNKNOWN,
}

_NO_ANSWER_CAUSES = frozenset({0, 16, 19, 26})
"""Nothing special, normal clearing, no answer from user, answered elsewhere."""

_REJECTING_CAUSES = frozenset({17, 21})
"""User busy; call rejected."""

_FAILURES = {
    "NOANSWER": LegFailure.MISSED,
    "BUSY": LegFailure.REJECTED,
    "CHANUNAVAIL": LegFailure.UNREACHABLE,
    "CONGESTION": LegFailure.UNREACHABLE,
    CANCELLED: LegFailure.CANCELLED,
    "ABORT": LegFailure.CANCELLED,
}


def device_state(word: str) -> DeviceState:
    """Translate the ``State`` of an AMI DeviceStateChange; a word we do not know counts as unknown."""
    return _DEVICE_STATES.get(word.strip().upper(), DeviceState.UNKNOWN)


def device_word(name: str) -> str:
    """Bring a device's name into one spelling: the technology is not case-sensitive, what follows is."""
    technology, slash, rest = name.partition("/")
    return f"{technology.upper()}{slash}{rest}" if slash else name


def phone_of_channel(channel: str) -> str:
    """Name the phone (``PJSIP/anna``) that a channel (``PJSIP/anna-0000001f``) belongs to.

    The last ``-`` separates them, as endpoint names may contain ``-`` themselves. Local channels end in ``;1`` or
    ``;2`` after that. Empty when the name is not a channel's.
    """
    phone, dash, _ = channel.rpartition("-")
    return device_word(phone) if dash and "/" in phone else ""


def is_surrogate(channel: str) -> bool:
    """Tell whether a channel is one of Asterisk's stand-ins during a masquerade, to be ignored everywhere."""
    return channel.startswith("Surrogate/") or channel.endswith("<ZOMBIE>")


def hangup_cause(text: str) -> int | None:
    """Read a Q.850 cause; None when there is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def leg_failure_is_certain(dial_status: str) -> bool:
    """Tell whether a leg's ``DialStatus`` decides alone; otherwise its hang-up cause is needed as well."""
    return dial_status in {"BUSY", CANCELLED, "ABORT"}


def leg_failure(dial_status: str, cause: int | None) -> LegFailure | None:
    """Say why a leg (or a whole dial) did not lead to a call, after the table above; None when it was answered.

    ``dial_status``: DialEnd's ``DialStatus`` or the channel variable DIALSTATUS. ``cause``: the leg's hang-up
    cause or the variable HANGUPCAUSE, None where not known.
    """
    if dial_status == ANSWERED:
        return None
    failure = _FAILURES.get(dial_status, LegFailure.UNREACHABLE)
    if failure is LegFailure.CANCELLED or cause is None:
        return failure
    if cause in _REJECTING_CAUSES:
        return LegFailure.REJECTED
    if cause not in _NO_ANSWER_CAUSES:
        return LegFailure.UNREACHABLE
    return failure


def variables_of(headers: Iterable[str]) -> dict[str, str]:
    """Split ``NAME=value`` lines (header ``Variable`` of an AMI Status event) into a mapping."""
    variables: dict[str, str] = {}
    for line in headers:
        name, equals, value = line.partition("=")
        if equals:
            variables[name.strip()] = value
    return variables

"""Asterisk's words and ours."""

from __future__ import annotations

import pytest

from acd.core.events import DeviceState, LegFailure
from ami_bridge.translation import (
    device_state,
    device_word,
    hangup_cause,
    is_surrogate,
    leg_failure,
    leg_failure_is_certain,
    phone_of_channel,
    variables_of,
)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("NOT_INUSE", DeviceState.NOT_INUSE),
        ("INUSE", DeviceState.INUSE),
        ("BUSY", DeviceState.INUSE),
        ("RINGING", DeviceState.INUSE),
        ("RINGINUSE", DeviceState.INUSE),
        ("ONHOLD", DeviceState.INUSE),
        ("UNAVAILABLE", DeviceState.UNAVAILABLE),
        ("INVALID", DeviceState.UNAVAILABLE),
        ("UNKNOWN", DeviceState.UNKNOWN),
        ("a word of a later version", DeviceState.UNKNOWN),
        ("", DeviceState.UNKNOWN),
    ],
)
def test_device_states(word: str, state: DeviceState) -> None:
    assert device_state(word) is state


@pytest.mark.parametrize(
    ("channel", "phone"),
    [
        ("PJSIP/anna-0000001f", "PJSIP/anna"),
        ("PJSIP/anna-li-0000001f", "PJSIP/anna-li"),
        ("pjsip/Anna-0000001f", "PJSIP/Anna"),
        ("Local/100@agents-0000001f;1", "LOCAL/100@agents"),
        ("PJSIP/anna", ""),
        ("anna-0000001f", ""),
        ("", ""),
        ("-", ""),
    ],
)
def test_the_phone_of_a_channel(channel: str, phone: str) -> None:
    assert phone_of_channel(channel) == phone


def test_devices_have_one_spelling() -> None:
    assert device_word("pjsip/Anna") == device_word("PJSIP/Anna") == "PJSIP/Anna"
    assert device_word("anna") == "anna"


@pytest.mark.parametrize(
    ("channel", "surrogate"),
    [("Surrogate/PJSIP/anna-1", True), ("PJSIP/anna-1<ZOMBIE>", True), ("PJSIP/anna-1", False)],
)
def test_stand_ins_of_a_masquerade(channel: str, surrogate: bool) -> None:
    assert is_surrogate(channel) is surrogate


@pytest.mark.parametrize(
    ("status", "cause", "failure"),
    [
        ("ANSWER", 16, None),
        ("NOANSWER", None, LegFailure.MISSED),
        ("NOANSWER", 0, LegFailure.MISSED),
        ("NOANSWER", 19, LegFailure.MISSED),
        ("NOANSWER", 21, LegFailure.REJECTED),
        ("NOANSWER", 18, LegFailure.UNREACHABLE),
        ("NOANSWER", 1, LegFailure.UNREACHABLE),
        ("BUSY", 17, LegFailure.REJECTED),
        ("BUSY", None, LegFailure.REJECTED),
        ("CHANUNAVAIL", 20, LegFailure.UNREACHABLE),
        ("CHANUNAVAIL", 21, LegFailure.REJECTED),
        ("CONGESTION", 34, LegFailure.UNREACHABLE),
        ("CONGESTION", None, LegFailure.UNREACHABLE),
        ("CANCEL", 26, LegFailure.CANCELLED),
        ("CANCEL", 17, LegFailure.CANCELLED),
        ("ABORT", None, LegFailure.CANCELLED),
        ("", None, LegFailure.UNREACHABLE),
        ("A-LATER-WORD", 16, LegFailure.UNREACHABLE),
    ],
)
def test_why_a_leg_failed(status: str, cause: int | None, failure: LegFailure | None) -> None:
    assert leg_failure(status, cause) is failure


def test_which_results_need_no_cause() -> None:
    assert [leg_failure_is_certain(word) for word in ("BUSY", "CANCEL", "NOANSWER", "CHANUNAVAIL")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "cause"), [("16", 16), ("0", 0), ("", None), ("x", None), ("-1", None), ("²", None), ("99999", None)]
)
def test_causes(text: str, cause: int | None) -> None:
    assert hangup_cause(text) == cause


def test_variables() -> None:
    lines = ["ACD_CALL=c1", "ACD_STATE=1&ph=queue&t=1", "EMPTY=", "no variable"]
    assert variables_of(lines) == {"ACD_CALL": "c1", "ACD_STATE": "1&ph=queue&t=1", "EMPTY": ""}

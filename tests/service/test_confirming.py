"""A phone that is asked for a key is hung up when nobody waits for it, and left alone in every other case."""

from __future__ import annotations

import pytest

from acd.service.confirming import ConfirmingPhones

WAY = "Local/PJSIP%2Fanna@acd-confirm-00000001"
BEGIN = {"Event": "DialBegin", "Channel": f"{WAY};2", "DestChannel": "PJSIP/anna-00000007", "DestUniqueid": "7"}


@pytest.fixture
def hung_up() -> list[str]:
    return []


@pytest.fixture
def phones(hung_up: list[str]) -> ConfirmingPhones:
    phones = ConfirmingPhones(hung_up.append)
    phones.on_event(BEGIN)
    return phones


@pytest.mark.parametrize("end", [";1", ";2"])
def test_the_caller_is_gone(phones: ConfirmingPhones, hung_up: list[str], end: str) -> None:
    for _ in range(2):
        phones.on_event({"Event": "Hangup", "Channel": WAY + end, "Uniqueid": "1"})
    assert hung_up == ["PJSIP/anna-00000007"]


@pytest.mark.parametrize("before", ["BridgeEnter", "Hangup"])
def test_it_is_connected_or_gone(phones: ConfirmingPhones, hung_up: list[str], before: str) -> None:
    phones.on_event({"Event": before, "Channel": "PJSIP/anna-00000007", "Uniqueid": "7"})
    phones.on_event({"Event": "Hangup", "Channel": f"{WAY};1", "Uniqueid": "1"})
    assert hung_up == []


def test_other_dials_are_none_of_ours(hung_up: list[str]) -> None:
    phones = ConfirmingPhones(hung_up.append)
    phones.on_event({**BEGIN, "Channel": "PJSIP/trunk-00000001"})
    phones.on_event({**BEGIN, "Channel": "Local/7@elsewhere-00000001;2"})
    phones.on_event({"Event": "Hangup", "Channel": "Local/7@elsewhere-00000001;1", "Uniqueid": "1"})
    assert hung_up == []

"""Device states reach the engine cleared of what our own calls do to the phones."""

from __future__ import annotations

import pytest

from acd.core.events import DeviceChanged, DeviceState, Event
from acd.service.devices import SETTLE_S, DeviceWatch
from tests.service.clockwork import Clockwork

FREE, BUSY, GONE = DeviceState.NOT_INUSE, DeviceState.INUSE, DeviceState.UNAVAILABLE


@pytest.fixture
def clock() -> Clockwork:
    return Clockwork()


@pytest.fixture
def posted() -> list[Event]:
    return []


@pytest.fixture
def watch(posted: list[Event], clock: Clockwork) -> DeviceWatch:
    return DeviceWatch({"PJSIP/anna": "anna", "PJSIP/bob": "bob"}, posted.append, clock.call_later)


def test_changes_are_told_once_and_only_of_agents_phones(watch: DeviceWatch, posted: list[Event]) -> None:
    watch.said("PJSIP/anna", "NOT_INUSE")
    watch.said("pjsip/anna", "NOT_INUSE")
    watch.said("PJSIP/trunk", "INUSE")
    watch.said("Queue:cards_avail", "INUSE")
    watch.said("PJSIP/anna", "INUSE")
    watch.said("PJSIP/anna", "RINGINUSE")
    assert posted == [DeviceChanged("anna", FREE), DeviceChanged("anna", BUSY)]


def test_in_use_through_our_own_call_is_not_told(watch: DeviceWatch, posted: list[Event], clock: Clockwork) -> None:
    watch.said("PJSIP/anna", "NOT_INUSE")
    posted.clear()
    watch.on_activity("anna", True)
    watch.said("PJSIP/anna", "RINGING")
    watch.said("PJSIP/anna", "INUSE")
    watch.on_activity("anna", False)
    watch.said("PJSIP/anna", "NOT_INUSE")
    clock.advance(10)
    assert posted == []


def test_in_use_that_outlasts_our_call_is_told(watch: DeviceWatch, posted: list[Event], clock: Clockwork) -> None:
    watch.said("PJSIP/anna", "NOT_INUSE")
    watch.on_activity("anna", True)
    watch.said("PJSIP/anna", "INUSE")  # ours, and a second call of the agent's own
    watch.on_activity("anna", False)
    clock.advance(SETTLE_S / 2)
    assert posted == [DeviceChanged("anna", FREE)]
    clock.advance(SETTLE_S)
    assert posted[1:] == [DeviceChanged("anna", BUSY)]


def test_the_next_call_of_ours_within_the_moment_keeps_it_back(
    watch: DeviceWatch, posted: list[Event], clock: Clockwork
) -> None:
    watch.said("PJSIP/anna", "NOT_INUSE")
    watch.on_activity("anna", True)
    watch.said("PJSIP/anna", "INUSE")
    watch.on_activity("anna", False)
    watch.on_activity("anna", True)
    clock.advance(10)
    assert posted == [DeviceChanged("anna", FREE)]
    watch.on_activity("anna", False)
    clock.advance(10)
    assert posted[1:] == [DeviceChanged("anna", BUSY)]


def test_a_phone_that_goes_away_is_told_at_once(watch: DeviceWatch, posted: list[Event]) -> None:
    watch.on_activity("anna", True)
    watch.said("PJSIP/anna", "UNAVAILABLE")
    watch.said("PJSIP/anna", "NOT_INUSE")
    assert posted == [DeviceChanged("anna", GONE), DeviceChanged("anna", FREE)]


def test_one_agents_activity_is_not_anothers(watch: DeviceWatch, posted: list[Event]) -> None:
    watch.on_activity("anna", True)
    watch.said("PJSIP/bob", "INUSE")
    assert posted == [DeviceChanged("bob", BUSY)]

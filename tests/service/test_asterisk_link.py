"""When offers begin, what operators are told, and what is asked of AMI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from acd.core.events import CallArrived, CallEnded, CallQueued
from acd.service import asterisk_link
from acd.service.call_state import CallPhase, StoredCall
from acd.service.parts import Parts
from acd.service.prompts.site import Voices
from ami_bridge.ami_client import AmiState, AmiStatus
from ami_bridge.ami_codec import AmiMessage, HeaderValue
from ami_bridge.ami_connection import AmiTrouble
from tests.service.sites import load_site, write_site

LIMIT_S = 5.0
DIALPLAN_HAS_PLACE = "DIALPLAN_EXISTS(acd-place,s,1)"


class StatusMessage(AmiMessage):
    """An event with the header Variable more than once."""

    variables: Sequence[str] = ()

    def all(self, name: str) -> list[str]:
        return list(self.variables) if name == "Variable" else super().all(name)


class FakeAmi:
    """Answers the actions of a resync and of questions, and remembers what was sent."""

    def __init__(self) -> None:
        self.statuses: list[AmiMessage] = []
        self.devices: list[AmiMessage] = []
        self.sent: list[tuple[str, Mapping[str, HeaderValue]]] = []
        self.values: dict[str, str] = {DIALPLAN_HAS_PLACE: "1"}

    async def list_action(
        self, name: str, headers: Mapping[str, HeaderValue] | None = None, timeout_s: float = 10.0
    ) -> list[AmiMessage]:
        return self.statuses if name == "Status" else self.devices

    async def action(
        self, name: str, headers: Mapping[str, HeaderValue] | None = None, timeout_s: float = 5.0
    ) -> AmiMessage:
        asked = headers or {}
        return AmiMessage({"Response": "Success", "Value": self.values[str(asked.get("Channel", asked["Variable"]))]})

    def send(self, name: str, headers: Mapping[str, HeaderValue] | None = None, timeout_s: float = 5.0) -> bool:
        self.sent.append((name, headers or {}))
        return True

    def channel(
        self,
        uniqueid: str,
        call_id: str = "",
        *,
        phone: str = "trunk",
        linked: str = "",
        bridge: str = "",
        called_back: str = "",
    ) -> None:
        """Add a channel; with a call it is a caller who waits in the queue cards.

        ``called_back``: the callback for which it was dialled, or dials.
        """
        message = StatusMessage(
            {
                "Event": "Status",
                "Channel": f"PJSIP/{phone}-0000000{uniqueid}",
                "Uniqueid": uniqueid,
                "Linkedid": linked or uniqueid,
                "BridgeID": bridge,
                "Seconds": "3",
            }
        )
        if call_id:
            state = StoredCall(phase=CallPhase.QUEUE, arrived_at=1.0, queue="cards", entered_at=2.0)
            message.variables = [f"ACD_CALL={call_id}", f"ACD_STATE={state.encode()}"]
        if called_back:
            message.variables = [f"ACD_CALLED_BACK={called_back}|cards"]
        self.statuses.append(message)


@pytest.fixture
def ami() -> FakeAmi:
    return FakeAmi()


@pytest.fixture
async def parts(tmp_path: Path, ami: FakeAmi) -> AsyncIterator[Parts]:
    folder = write_site(tmp_path / "site")
    (folder / "state").mkdir()
    parts = Parts(load_site(folder), asyncio.get_running_loop(), Voices(()))
    for name in ("list_action", "action", "send"):
        setattr(parts.ami, name, getattr(ami, name))
    parts.begin()
    yield parts
    parts.close()


def suspended(parts: Parts) -> bool:
    return bool(parts.engine.suspended)


async def until_offers_begin(parts: Parts) -> None:
    async with asyncio.timeout(LIMIT_S):
        while suspended(parts):  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(0.005)


async def test_offers_wait_for_asterisk(parts: Parts) -> None:
    assert suspended(parts)
    assert not parts.backend.readiness().is_ready
    await parts.link.resync(parts.ami)
    assert not suspended(parts)


async def test_offers_wait_for_callers_of_an_engine_before_us(parts: Parts, ami: FakeAmi) -> None:
    for number in (1, 2, 3, 4):
        ami.channel(str(number), f"c{number}")
    parts.host.post(CallQueued("c4", "cards"))  # was faster than the list
    await parts.link.resync(parts.ami)
    assert suspended(parts)
    parts.host.post(CallArrived("c1"))
    assert suspended(parts), "come in, but not in the queue yet"
    parts.host.post(CallQueued("c1", "cards"))
    parts.host.post(CallArrived("c2"))
    parts.host.post(CallEnded("c2"))
    assert suspended(parts)
    parts.link.on_event(AmiMessage({"Event": "Hangup", "Uniqueid": "3", "Channel": "PJSIP/trunk-3"}))
    assert not suspended(parts)


async def test_but_not_for_ever(parts: Parts, ami: FakeAmi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asterisk_link, "RETURN_WINDOW_S", 0.05)
    ami.channel("1", "c1")
    await parts.link.resync(parts.ami)
    assert suspended(parts)
    await until_offers_begin(parts)


async def test_callers_who_ring_or_talk_are_not_awaited(parts: Parts, ami: FakeAmi) -> None:
    ami.channel("1", "ringing")
    ami.channel("2", phone="anna", linked="1")
    ami.channel("3", "talking", bridge="b")
    ami.channel("4", phone="bob", linked="3", bridge="b")
    await parts.link.resync(parts.ami)
    assert not suspended(parts)
    assert parts.engine.calls["talking"].agent is parts.engine.agents["bob"]
    parts.link.on_event(AmiMessage({"Event": "Hangup", "Uniqueid": "4", "Channel": "PJSIP/bob-4"}))
    assert parts.engine.agents["bob"].call is None
    parts.link.on_event(AmiMessage({"Event": "Hangup", "Uniqueid": "3", "Channel": "PJSIP/trunk-3"}))
    assert not parts.engine.calls


async def test_the_talk_of_an_agent_who_has_called_back_is_found(parts: Parts, ami: FakeAmi) -> None:
    parts.host.post(CallArrived("cb"))
    parts.host.post(CallQueued("cb", "cards"))  # as after the restart: not known yet to be reached
    ami.channel("3", phone="anna", bridge="b", called_back="cb")
    ami.channel("4", linked="3", bridge="b", called_back="cb")
    await parts.link.resync(parts.ami)
    assert not suspended(parts)
    assert parts.engine.calls["cb"].agent is parts.engine.agents["anna"]
    inputs = parts.engine.inputs
    await parts.link.resync(parts.ami)
    assert parts.engine.inputs == inputs, "once"
    parts.link.on_event(AmiMessage({"Event": "Hangup", "Uniqueid": "4", "Channel": "PJSIP/trunk-4"}))
    assert not parts.engine.calls
    assert parts.engine.agents["anna"].call is None


async def test_a_phone_that_rings_for_an_engine_before_us_stops(parts: Parts, ami: FakeAmi) -> None:
    ami.channel("acd-c1-7", phone="anna", called_back="c1")
    ami.channel("acd-c2-7", phone="bob", bridge="b")
    await parts.link.resync(parts.ami)
    assert [headers["Channel"] for name, headers in ami.sent if name == "Hangup"] == ["acd-c1-7"]


async def test_a_second_list_does_not_restore_a_talk_twice(parts: Parts, ami: FakeAmi) -> None:
    ami.channel("3", "talking", bridge="b")
    ami.channel("4", phone="bob", linked="3", bridge="b")
    await parts.link.resync(parts.ami)
    inputs = parts.engine.inputs
    await parts.link.resync(parts.ami)
    assert parts.engine.inputs == inputs


async def test_device_states_come_with_the_list_and_with_events(parts: Parts, ami: FakeAmi) -> None:
    ami.devices.append(AmiMessage({"Event": "DeviceStateChange", "Device": "PJSIP/anna", "State": "UNAVAILABLE"}))
    await parts.link.resync(parts.ami)
    assert not parts.engine.agents["anna"].phone_free
    parts.link.on_event(AmiMessage({"Event": "DeviceStateChange", "Device": "PJSIP/anna", "State": "NOT_INUSE"}))
    assert parts.engine.agents["anna"].phone_free


async def test_each_trouble_is_said_once_with_its_remedy(parts: Parts) -> None:
    refused = AmiStatus(AmiState.DISCONNECTED, AmiTrouble.LOGIN_REFUSED, "Asterisk refuses user 'acd'", 30.0)
    with capture_logs() as logs:
        for status in (AmiStatus(AmiState.CONNECTING), refused, AmiStatus(AmiState.CONNECTING), refused):
            parts.ami.status = status
            parts.link.on_state(status)
            if status is refused:
                assert "manager.conf" in parts.backend.readiness().reasons[0]
        assert [entry["log_level"] for entry in logs] == ["error"]
        gone = AmiStatus(AmiState.DISCONNECTED, AmiTrouble.UNREACHABLE, "Connection refused", 1.0)
        parts.link.on_state(gone)
        parts.link.on_state(AmiStatus(AmiState.READY))
        parts.link.on_state(gone)
    assert [entry["log_level"] for entry in logs] == ["error", "error", "info", "error"]


async def test_while_connecting_again_the_last_trouble_is_the_reason(parts: Parts) -> None:
    parts.link.on_state(AmiStatus(AmiState.DISCONNECTED, AmiTrouble.UNREACHABLE, "Connection refused", 1.0))
    parts.ami.status = AmiStatus(AmiState.CONNECTING)
    assert "Connection refused" in parts.link.problem


@pytest.mark.parametrize(("value", "warned"), [("0", True), ("1", False), ("", False)])
async def test_a_dialplan_of_an_older_version_is_told_with_its_remedy(
    parts: Parts, ami: FakeAmi, value: str, warned: bool
) -> None:
    asked = asyncio.Event()

    async def action(name: str, headers: Mapping[str, HeaderValue] | None = None) -> AmiMessage:
        asked.set()
        return await ami.action(name, headers)

    ami.values[DIALPLAN_HAS_PLACE] = value
    parts.ami.action = action  # type: ignore[assignment, method-assign]
    with capture_logs() as logs:
        parts.link.on_state(AmiStatus(AmiState.READY))
        async with asyncio.timeout(LIMIT_S):
            await asked.wait()
        await asyncio.sleep(0)  # what is asked is answered in the same turn
    warnings = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert [("acd-place" in text, "extensions_acd.conf" in text) for text in warnings] == [(True, True)] * warned


async def test_actions(parts: Parts, ami: FakeAmi) -> None:
    parts.link.hang_up("PJSIP/anna-1")
    parts.link.stop_playback("PJSIP/trunk-1")
    assert ami.sent == [
        ("Hangup", {"Channel": "PJSIP/anna-1", "Cause": "26"}),
        ("ControlPlayback", {"Channel": "PJSIP/trunk-1", "Control": "stop"}),
    ]


async def test_an_unknown_event_does_nothing(parts: Parts) -> None:
    inputs = parts.engine.inputs
    parts.link.on_event(AmiMessage({"Event": "Something"}))
    assert parts.engine.inputs == inputs

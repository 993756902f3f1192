"""Getting in step with Asterisk after each (re)connect of AMI: what its channels say, told to the engine as events.

AMI has no replay, so everything that may have been missed is compared: the phones' states, the phones of dials under
way, callers who were found talking to an agent although no session of ours holds their line (they outlived the engine
that connected them), and those talks that have ended since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog

from acd.core.calls import Call
from acd.core.events import CallEnded, Event, TalkEnded, TalkRestored
from acd.core.transitions import CallState
from acd.service.call_state import (
    CALL_VARIABLE,
    CALLED_BACK_VARIABLE,
    STATE_VARIABLE,
    CallPhase,
    CallStateError,
    StoredCall,
    is_call_id,
)
from acd.service.clocks import Clocks
from acd.service.devices import DeviceWatch
from acd.service.legs import LegTracker
from acd.service.sessions import Sessions
from ami_bridge.ami_codec import AmiMessage
from ami_bridge.translation import is_surrogate, phone_of_channel, variables_of

__all__ = ["Channel", "RestoredTalks", "Stocktaking", "read_channels"]

log = structlog.get_logger(__name__)

VARIABLES = f"{CALL_VARIABLE},{STATE_VARIABLE},{CALLED_BACK_VARIABLE}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as AMI ``Status`` lists it."""

    uniqueid: str
    name: str
    linkedid: str
    bridge_id: str
    age_s: float
    """Seconds since the channel was made."""
    variables: Mapping[str, str]


def read_channels(items: Iterable[AmiMessage]) -> list[Channel]:
    """Read the events of ``Status``; stand-ins of a masquerade are left out."""
    return [
        Channel(
            uniqueid=item.get("Uniqueid", ""),
            name=item.get("Channel", ""),
            linkedid=item.get("Linkedid", ""),
            bridge_id=item.get("BridgeID", ""),
            age_s=_seconds(item.get("Seconds", "")),
            variables=variables_of(item.all("Variable")),
        )
        for item in items
        if item.event == "Status" and not is_surrogate(item.get("Channel", ""))
    ]


@dataclass(slots=True)
class _Restored:
    call_id: str
    agent_id: str
    leg: str
    """Uniqueid of the agent's phone; empty when that is gone."""


class RestoredTalks:
    """Talks whose caller has no session with us: AMI alone tells when they end.

    A caller is followed until he or she comes in to us or hangs up, also when the agent has left before.
    """

    def __init__(self, post: Callable[[Event], None], on_activity: Callable[[str, bool], None]) -> None:
        self._post = post
        self._on_activity = on_activity
        self._by_caller: dict[str, _Restored] = {}
        """By the caller's Uniqueid."""
        self._callers: dict[str, str] = {}
        """Caller's Uniqueid by that of the agent's phone."""

    def add(self, caller: str, leg: str, call_id: str, agent_id: str) -> None:
        """Follow a talk that was found."""
        self._by_caller[caller] = _Restored(call_id, agent_id, leg)
        self._callers[leg] = caller
        self._on_activity(agent_id, True)

    def __contains__(self, caller: object) -> bool:
        return caller in self._by_caller

    def compare(self, present: Collection[str]) -> None:
        """Of all channels these (Uniqueids) still exist."""
        for caller, talk in list(self._by_caller.items()):
            if talk.leg and talk.leg not in present:
                self.hung_up(talk.leg)
            if caller not in present:
                self.hung_up(caller)

    def taken_over(self, caller: str) -> None:
        """The caller has come in to us: the session tells what is to be told."""
        talk = self._by_caller.pop(caller, None)
        if talk is not None:
            self._leg_gone(talk)

    def hung_up(self, uniqueid: str) -> None:
        """A channel is gone, a caller's, an agent's or anyone's."""
        talk = self._by_caller.pop(uniqueid, None)
        if talk is not None:
            self._leg_gone(talk)
            self._post(CallEnded(talk.call_id))
            return
        caller = self._callers.get(uniqueid)
        if caller is not None:
            # The caller, if still there, leaves Dial now and enters the dialplan's way to us again.
            talk = self._by_caller[caller]
            self._leg_gone(talk)
            self._post(TalkEnded(talk.call_id))

    def _leg_gone(self, talk: _Restored) -> None:
        if talk.leg:
            del self._callers[talk.leg]
            talk.leg = ""
            self._on_activity(talk.agent_id, False)


class Stocktaking:
    """Compares Asterisk's channels with what the process believes."""

    def __init__(
        self,
        post: Callable[[Event], None],
        calls: Mapping[str, Call],
        agents_by_phone: Mapping[str, str],
        sessions: Sessions,
        tracker: LegTracker,
        devices: DeviceWatch,
        restored: RestoredTalks,
        clocks: Clocks,
    ) -> None:
        self._post = post
        self._calls = calls
        self._agents_by_phone = agents_by_phone
        self._sessions = sessions
        self._tracker = tracker
        self._devices = devices
        self._restored = restored
        self._clocks = clocks

    def take(self, channels: list[Channel], device_states: Mapping[str, str]) -> dict[str, str]:
        """Tell the engine what is found.

        Returns the callers (Uniqueid: call) who waited in a queue of an engine before us and do not wait in ours yet.
        """
        present = {channel.uniqueid: channel for channel in channels}
        in_bridge: dict[str, list[Channel]] = {}
        linked: dict[str, list[Channel]] = {}
        for channel in channels:
            linked.setdefault(channel.linkedid, []).append(channel)
            if channel.bridge_id:
                in_bridge.setdefault(channel.bridge_id, []).append(channel)
        self._restored.compare(present)
        self._compare_dials(present, linked)
        expected = {}
        for channel in channels:
            self._find_called_back(channel, in_bridge.get(channel.bridge_id, []))
            stored = self._stored(channel)
            if stored is None or channel.uniqueid in self._restored:
                continue
            call_id = channel.variables[CALL_VARIABLE]
            if self._sessions.of_uniqueid(channel.uniqueid) is not None:
                if call_id not in self._calls or self._calls[call_id].state is CallState.MENU:
                    expected[channel.uniqueid] = call_id
                continue
            leg = self._agent_leg(channel, in_bridge.get(channel.bridge_id, []))
            if leg is not None:
                self._restore(channel, leg, call_id, stored.queue)
            elif not any(other is not channel for other in linked[channel.linkedid]):
                expected[channel.uniqueid] = call_id  # no phone rings for it: it is on its way in
        for device, state in device_states.items():
            self._devices.said(device, state)
        return expected

    def _compare_dials(self, present: Mapping[str, Channel], linked: Mapping[str, list[Channel]]) -> None:
        for session in list(self._sessions):
            caller = present.get(session.uniqueid)
            if caller is None or session.stay is None:
                continue  # the session's own socket tells what is to be told
            self._tracker.missing_legs(caller.uniqueid, frozenset(present))
            for leg in linked[caller.linkedid]:
                if leg is not caller and phone_of_channel(leg.name) in self._agents_by_phone:
                    self._tracker.found_leg(caller.uniqueid, leg.uniqueid, leg.name, leg.bridge_id, caller.bridge_id)

    def _stored(self, channel: Channel) -> StoredCall | None:
        if not is_call_id(channel.variables.get(CALL_VARIABLE, "")):
            return None
        try:
            stored = StoredCall.decode(channel.variables.get(STATE_VARIABLE, ""))
        except CallStateError:
            return None
        return stored if stored.phase is CallPhase.QUEUE else None

    def _agent_leg(self, caller: Channel, bridged: Iterable[Channel]) -> Channel | None:
        return next(
            (leg for leg in bridged if leg is not caller and phone_of_channel(leg.name) in self._agents_by_phone), None
        )

    def _find_called_back(self, channel: Channel, bridged: Iterable[Channel]) -> None:
        """Take up the talk with a customer whom an engine before us has let an agent call back."""
        call_id, _, queue = channel.variables.get(CALLED_BACK_VARIABLE, "").partition("|")
        leg = self._agent_leg(channel, bridged) if is_call_id(call_id) else None
        known = self._calls.get(call_id)
        under_way = known is not None and known.state is not CallState.WAITING  # it is our own engine's
        if leg is not None and not under_way and channel.uniqueid not in self._restored:
            self._restore(channel, leg, call_id, queue)

    def _restore(self, caller: Channel, leg: Channel, call_id: str, queue: str) -> None:
        known = self._calls.get(call_id)
        if known is not None and known.state is CallState.TALKING:
            return
        agent_id = self._agents_by_phone[phone_of_channel(leg.name)]
        log.info("talk found", call_id=call_id, agent=agent_id, queue=queue)
        self._restored.add(caller.uniqueid, leg.uniqueid, call_id, agent_id)
        self._post(TalkRestored(call_id, agent_id, queue, self._clocks.monotonic() - leg.age_s))


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0

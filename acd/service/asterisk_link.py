"""The AMI side of the process: events to the trackers, actions for them, and staying in step with Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from acd.core.commands import VerifyOffer
from acd.core.events import CallEnded, CallQueued, Event, OffersResumed, OffersSuspended
from acd.service.call_session import CallSession
from acd.service.confirming import ConfirmingPhones
from acd.service.devices import DeviceWatch
from acd.service.late_legs import LateLegs
from acd.service.legs import LegTracker
from acd.service.sessions import Sessions
from acd.service.stocktaking import VARIABLES, RestoredTalks, Stocktaking, read_channels
from ami_bridge.ami_client import AmiClient, AmiState, AmiStatus
from ami_bridge.ami_codec import AmiMessage, AmiValueError, HeaderValue
from ami_bridge.ami_connection import AmiTrouble
from ami_bridge.ami_protocol import AmiError
from ami_bridge.translation import is_surrogate, phone_of_channel

if TYPE_CHECKING:
    from acd.service.callbacks.desk import Callbacks

__all__ = ["AsteriskLink", "LinkParts"]

log = structlog.get_logger(__name__)

RETURN_WINDOW_S = 1.2
"""So long after a start offers wait for callers who are on their way in: a refused caller tries again each second."""

ANSWERED_ELSEWHERE = "26"
"""Q.850 cause with which we stop a ringing phone: phones do not count that as a missed call."""

_PLACE = "DIALPLAN_EXISTS(acd-place,s,1)"
"""Whether the dialplan has the newest context that the engine's own dials use; 0 if it has not."""

_STARTING = "starting: not in step with Asterisk yet"

_REMEDIES = {
    AmiTrouble.UNREACHABLE: "is Asterisk running, and does manager.conf listen there? See asterisk.ami in acd.yaml",
    AmiTrouble.NOT_AMI: "is asterisk.ami.port in acd.yaml the port of manager.conf?",
    AmiTrouble.LOGIN_REFUSED: "compare asterisk.ami.user and the password (acd.yaml, ACD_AMI_PASSWORD) with"
    " manager.conf, and its permit lines with this machine's address",
}


@dataclass(frozen=True, slots=True)
class LinkParts:
    """What AMI's events and states go to."""

    post: Callable[[Event], None]
    sessions: Sessions
    tracker: LegTracker
    late: LateLegs
    confirming: ConfirmingPhones
    devices: DeviceWatch
    restored: RestoredTalks
    stocktaking: Stocktaking
    agents_by_phone: Mapping[str, str]
    callbacks: Callbacks


class AsteriskLink:
    """Holds the AMI client and what hangs on it.

    Offers are suspended from the start until Asterisk has been taken stock of and the callers it still holds from an
    engine before us have come in again (at most ``RETURN_WINDOW_S`` later), so that the old order is kept. When AMI is
    lost later calls go on without it.
    """

    def __init__(self) -> None:
        self._client: AmiClient | None = None
        self._parts: LinkParts | None = None
        self._expected: dict[str, str] = {}
        """Callers (Uniqueid: call) who are awaited before offers begin."""
        self._settled: set[str] = set()
        """Calls that have come in or ended since the start, while offers have not begun."""
        self._window: asyncio.TimerHandle | None = None
        self._resumed = False
        self._said: tuple[AmiTrouble | None, str] = (None, "")
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, client: AmiClient, parts: LinkParts) -> None:
        """Give the client and the parts. Once, before ``client.run``."""
        self._client = client
        self._parts = parts
        parts.post(OffersSuspended(_STARTING))

    @property
    def problem(self) -> str:
        """Why we are not in step with Asterisk, for operators; empty when we are."""
        client = self._client
        if client is None or client.connected:
            return ""
        status = client.status
        if status.trouble is None:
            trouble, text = self._said
            return f"AMI: {text}" if trouble is not None else f"AMI: {status.text or status.state.value}"
        return f"AMI: {_explain(status)}"

    @property
    def connected(self) -> bool:
        """Whether AMI is up and we are in step."""
        return self._client is not None and self._client.connected

    @property
    def offers_resumed(self) -> bool:
        """Whether offers have been let go after the start."""
        return self._resumed

    # Actions for others.

    def hang_up(self, channel: str) -> None:
        """Hang up a phone that rings, or may have answered a moment ago."""
        self._send("Hangup", {"Channel": channel, "Cause": ANSWERED_ELSEWHERE})

    def stop_playback(self, channel: str) -> None:
        """Stop what is being played to a caller."""
        self._send("ControlPlayback", {"Channel": channel, "Control": "stop"})

    def refresh_devices(self) -> None:
        """Ask for the states of all phones: the site has changed."""
        self._spawn(self._refresh_devices())

    async def _refresh_devices(self) -> None:
        if self._client is None or self._parts is None:
            return
        try:
            for item in await self._client.list_action("DeviceStateList"):
                self._parts.devices.said(item.get("Device", ""), item.get("State", ""))
        except (AmiError, AmiValueError) as error:
            log.warning("states of phones are not known until they change", why=str(error))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def originate(self, headers: Mapping[str, HeaderValue]) -> bool:
        """Ring a phone on a channel of its own; False when that cannot be asked for now."""
        return self.connected and self._send("Originate", headers)

    def ask_who_answered(self, session: CallSession, offer: VerifyOffer) -> None:
        """Find out which phone took a call whose dial has outlived its time."""
        self._spawn(self._ask_who_answered(session.channel, offer))

    async def _ask_who_answered(self, channel: str, offer: VerifyOffer) -> None:
        if self._client is None or self._parts is None:
            return
        try:
            reply = await self._client.action("Getvar", {"Channel": channel, "Variable": "DIALEDPEERNAME"})
        except (AmiError, AmiValueError) as error:
            log.warning("who answered is not known", call_id=offer.call_id, why=str(error))
            return  # the engine asks again
        agent_id = self._parts.agents_by_phone.get(phone_of_channel(reply.get("Value", "")))
        if agent_id is not None:
            self._parts.tracker.connected_by_inquiry(offer.offer_id, agent_id)

    def _send(self, action: str, headers: Mapping[str, HeaderValue]) -> bool:
        if self._client is None:
            return False
        try:
            return self._client.send(action, headers)
        except AmiValueError as error:
            log.warning("AMI action not sent", action=action, why=str(error))
            return False

    # What the client tells.

    def on_event(self, event: AmiMessage) -> None:
        """Take an AMI event."""
        parts = self._parts
        if parts is None:
            return
        name = event.event
        if name == "DeviceStateChange":
            parts.devices.said(event.get("Device", ""), event.get("State", ""))
            return
        parts.tracker.on_event(event)
        parts.late.on_event(event)
        parts.confirming.on_event(event)
        parts.callbacks.on_event(event)
        parts.sessions.on_event(event)
        if name == "Hangup" and not is_surrogate(event.get("Channel", "")):
            uniqueid = event.get("Uniqueid", "")
            parts.restored.hung_up(uniqueid)
            if not self._resumed and self._expected.pop(uniqueid, None) is not None:
                self._resume_if_complete()

    async def resync(self, client: AmiClient) -> None:
        """Take stock of Asterisk (called by the client after each (re)connect)."""
        parts = self._parts
        if parts is None:
            return
        statuses, states = await asyncio.gather(
            client.list_action("Status", {"Variables": VARIABLES}), client.list_action("DeviceStateList")
        )
        channels = read_channels(statuses)
        devices = {item.get("Device", ""): item.get("State", "") for item in states}
        awaited = parts.stocktaking.take(channels, devices)
        parts.late.compare({channel.uniqueid: channel.name for channel in channels})
        parts.late.stop_strays(channel.uniqueid for channel in channels if not channel.bridge_id)
        log.info("in step with Asterisk", channels=len(channels), on_their_way_in=len(awaited))
        if not self._resumed:
            self._expected = {caller: call for caller, call in awaited.items() if call not in self._settled}
            if self._window is None:
                self._window = asyncio.get_running_loop().call_later(RETURN_WINDOW_S, self._resume)
            self._resume_if_complete()

    def on_state(self, status: AmiStatus) -> None:
        """Log what operators need, each trouble once until it changes."""
        if status.state is AmiState.READY:
            log.info("AMI connected")
            self._said = (None, "")
            self._spawn(self._check_dialplan())
        elif status.trouble is not None and status.trouble is not AmiTrouble.CLOSED:
            text = _explain(status)
            if self._said != (status.trouble, text):
                self._said = (status.trouble, text)
                log.error("no AMI connection; trying on", why=text)
        elif status.state is AmiState.BOOTING and status.text:
            log.warning("AMI", why=status.text)

    async def _check_dialplan(self) -> None:
        """Warn of a dialplan older than this version; calls go on with it."""
        if self._client is None:
            return
        try:
            reply = await self._client.action("Getvar", {"Variable": _PLACE})
        except (AmiError, AmiValueError) as error:
            log.debug("the dialplan was not asked for", why=str(error))
            return
        if reply.get("Value", "") == "0":
            log.warning(
                "the dialplan has no context acd-place: a caller whose first offer rings loses the place if the engine"
                " is killed; copy this version's extensions_acd.conf to /etc/asterisk, then: dialplan reload"
                " (acd doctor tells what else is missing)"
            )

    def observe(self, sequence: int, event: Event, now: float, commands: object) -> None:  # noqa: ARG002
        """Note that a caller has come in or is gone: after the last one awaited, offers begin."""
        if not self._resumed and isinstance(event, CallQueued | CallEnded):
            self._settled.add(event.call_id)
            self._expected = {caller: call for caller, call in self._expected.items() if call != event.call_id}
            self._resume_if_complete()

    def _resume_if_complete(self) -> None:
        if self._window is not None and not self._expected:
            self._resume()

    def _resume(self) -> None:
        if self._window is not None:
            self._window.cancel()
            self._window = None
        if not self._resumed and self._parts is not None:
            self._resumed = True
            self._expected.clear()
            self._settled.clear()
            log.info("offers begin")
            self._parts.post(OffersResumed())


def _explain(status: AmiStatus) -> str:
    remedy = _REMEDIES.get(status.trouble) if status.trouble is not None else None
    return f"{status.text}; {remedy}" if remedy else status.text

"""A caller's stay in a queue: music, announcements and dials on the caller's own AGI socket.

Waiting is a silent socket with music on. An offer is ``EXEC Dial`` on that socket, written in the very call that brings
the engine's command, unless a command is under way: a set-up step of a millisecond is waited for, an announcement is
stopped through AMI first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum

import structlog

from acd.core.commands import AddLeg, Announce, CancelLeg, CancelOffer, ChangeQueue, OfferCall, Overflow
from acd.core.events import CallLeftQueue, LegFailed, LegFailure, OfferEnded
from acd.core.specs import WaitingMessageKind
from acd.service.agi_line import AgiLine, hung_up
from acd.service.late_legs import CallerId, LateLeg
from acd.service.legs import DialResult, Known
from acd.service.stay_tools import StayTools, dial_arguments
from acd.service.waiting_messages import speech_of
from ami_bridge.agi_codec import AgiReply, AgiValueError
from ami_bridge.agi_session import AgiError, AgiSession
from ami_bridge.translation import BRIDGED
from ivr.line import LineHungUp

__all__ = ["QueueStay", "StayEnd"]

log = structlog.get_logger(__name__)

_RESULT = ("DIALSTATUS", "HANGUPCAUSE", "ANSWEREDTIME", "DIALEDPEERNAME")
_MOST_ANNOUNCEMENTS = 3
_AFTER_RINGING_S = 0.1
"""An agent who could not be rung is let go so long after the ringing time of the offer (seconds)."""
_STOP_AGAIN_S = 0.02
"""A sound that Asterisk has not begun yet cannot be stopped: it is tried again after so long (seconds)."""


class StayEnd(Enum):
    """How a stay ended, if not by the caller's hang-up."""

    TALKED = "talked"
    OVERFLOWED = "overflowed"
    LEFT = "left"
    """The caller has left the queue by own wish, or was waiting for an agent who does not take the call."""
    LOST = "lost"
    """The engine has let go of the call after a fault: it must be queued again."""


class QueueStay:
    """One caller's stay, from the event that queues the call to the end of a talk or of the stay."""

    def __init__(
        self,
        agi: AgiSession,
        line: AgiLine,
        call_id: str,
        queue: str,
        tools: StayTools,
        on_queue_changed: Callable[[ChangeQueue], Awaitable[None]],
        memory: Callable[[], tuple[str, str]] | None = None,
    ) -> None:
        self._agi = agi
        self._line = line
        self._call_id = call_id
        self._queue = queue
        self._tools = tools
        self._on_queue_changed = on_queue_changed
        self._changed: ChangeQueue | None = None
        """The engine has moved the call to another queue; its channel does not know yet."""
        self._offer: OfferCall | None = None
        """To be dialled as soon as the socket is free."""
        self._dialled: OfferCall | None = None
        self._dialling: asyncio.Future[AgiReply] | None = None
        self._announcements: deque[Announce] = deque(maxlen=_MOST_ANNOUNCEMENTS)
        self._announcing = False
        self._idle: asyncio.Future[None] | None = None
        """Waited for while the socket is silent."""
        self._begun = False
        """Until ``run`` is, the socket is silent as well."""
        self._memory = memory
        """What the channel is to remember of this stay and does not yet: until ``run``, a dial brings it along."""
        self._music = ""
        """The music that plays, as far as we know."""
        self._joined = False
        """Agents have joined the offer since its dial was written."""
        self._winner: LateLeg | None = None
        """A phone that was picked up beside our dial, to be connected as soon as the socket is free."""
        self._connecting: LateLeg | None = None
        """It is connected, or about to be."""
        self.overflow: Overflow | None = None
        """Set when the engine has sent the call elsewhere."""
        self._lost = False
        self._left = False
        self.ring_at_most_s: float | None = None
        """Phones ring no longer than that, whatever the queue's rule (seconds)."""
        self.on_unanswered: Callable[[], None] = _nothing
        """Told when phones have rung in vain."""

    # What the engine commands.

    def offer(self, command: OfferCall) -> None:
        """Ring these phones, now if the socket is free."""
        if self._left:
            return  # the engine, which is about to learn that the caller has left, takes it back
        self._offer = command
        self._queue = command.queue
        self._announcements.clear()  # said now, they would be late
        silent = self._idle is not None and not self._idle.done()
        if silent or (not self._begun and not self._agi.busy):
            self._dial(command)
        self._cut_short()
        self._wake()

    def cancel(self, command: CancelOffer) -> None:
        """Stop ringing, or do not begin to."""
        self.drop(command.offer_id)
        self._tools.tracker.cancel_offer(command.offer_id)
        self._tools.late.cancel_offer(command.offer_id)

    def drop(self, offer_id: str) -> None:
        """Forget an offer that was never dialled."""
        if self._offer is not None and self._offer.offer_id == offer_id:
            self._offer = None

    def cancel_leg(self, command: CancelLeg) -> None:
        """Stop ringing one phone; an offer not yet dialled goes on without it."""
        pending = self._offer
        if pending is not None and pending.offer_id == command.offer_id:
            left = tuple(agent_id for agent_id in pending.agent_ids if agent_id != command.agent_id)
            self._offer = _with_agents(pending, left) if left else None
        self._tools.tracker.cancel_leg(command.offer_id, command.agent_id)
        self._tools.late.cancel_leg(command.offer_id, command.agent_id)

    def add_leg(self, command: AddLeg) -> None:
        """Ring one more phone, beside our dial if that is under way.

        Where that cannot be done (without AMI) the agent stays reserved, and rings with the next dial.
        """
        pending = self._offer
        if pending is not None and pending.offer_id == command.offer_id:
            self._offer = _with_agents(pending, (*pending.agent_ids, command.agent_id))
            return
        env = self._agi.env
        rung = self._tools.late.ring(
            (command.offer_id, command.call_id, command.agent_id),
            self._tools.phones[command.agent_id],
            command.ring_timeout_s,
            CallerId(env.get("agi_callerid", ""), env.get("agi_calleridname", "")),
            self._picked_up,
            self._tools.variables(),
        )
        if not rung:
            self._joined = True
            later = asyncio.get_running_loop().call_later
            failed = LegFailed(command.offer_id, command.agent_id, LegFailure.CANCELLED)
            later(command.ring_timeout_s + _AFTER_RINGING_S, self._tools.post, failed)

    def _picked_up(self, leg: LateLeg) -> None:
        """A phone beside our dial has won the call: end the dial, and connect it."""
        self._winner = leg
        self._tools.tracker.cancel_offer(leg.offer_id)
        self._cut_short()
        self._wake()

    def announce(self, command: Announce) -> None:
        """Tell the caller something when nothing else is under way."""
        if self._tools.can_stop_playback():
            self._announcements.append(command)
            self._wake()

    def say(self, prompt: str) -> None:
        """Tell the caller this as ``announce`` does: at once if the caller waits, not at all while phones ring."""
        self.announce(Announce(0, self._call_id, WaitingMessageKind.PROMPT, 0, None, prompt))

    def overflowed(self, command: Overflow) -> None:
        """The call has left the queue."""
        self.overflow = command
        self._cut_short()
        self._wake()

    def change_queue(self, command: ChangeQueue) -> None:
        """The call waits in another queue from now on."""
        self._queue = command.queue
        self._changed = command
        self._announcements.clear()
        self._wake()

    def leave(self, reason: str, *, although_offered: bool = False) -> bool:
        """Leave the queue by the caller's own wish. False: too late, a phone rings or the call goes elsewhere already.

        ``although_offered``: an offer that no phone rings for yet is given back.
        """
        gone = self._left or self._lost or self.overflow is not None
        if gone or self.is_engaged or (self._offer is not None and not although_offered):
            return False
        self._left = True
        self._offer = None
        self._tools.post(CallLeftQueue(self._call_id, reason))
        self._cut_short()
        self._wake()
        return True

    def lost(self) -> None:
        """The engine knows the call no longer, after a fault of its own: end the stay, and the dial if there is one."""
        self._lost = True
        self._offer = None
        if self._dialled is not None:
            self._tools.tracker.cancel_offer(self._dialled.offer_id)
        self._tools.late.call_gone(self._call_id)
        self._wake()

    @property
    def call_id(self) -> str:
        """Whose stay it is."""
        return self._call_id

    @property
    def dialling(self) -> OfferCall | None:
        """The offer whose dial is under way."""
        return self._dialled if self._dialling is not None else None

    @property
    def connecting(self) -> LateLeg | None:
        """The phone that was picked up beside our dial, and is connected or about to be."""
        return self._winner or self._connecting

    @property
    def is_engaged(self) -> bool:
        """Whether phones ring by our dial, or an agent talks."""
        return self._dialling is not None or self.connecting is not None

    # The stay.

    async def run(self) -> StayEnd:
        """Wait, announce, dial, until there was a talk or the engine has sent the call elsewhere.

        Raises:
            LineHungUp: the caller is gone.
        """
        self._begun = True
        self._memory = None
        self._agi.on_hangup(self._wake)
        while True:
            if self._dialling is not None:
                if await self._dial_ended(self._dialling):
                    return StayEnd.TALKED
                self.on_unanswered()
            elif self._winner is not None:
                if await self._connect(self._winner):
                    return StayEnd.TALKED
            elif (end := self._ended()) is not None:
                return end
            elif self._offer is not None:
                self._dial(self._offer)
            elif self._changed is not None:
                changed, self._changed = self._changed, None
                await self._on_queue_changed(changed)
            elif self._announcements:
                await self._announce(self._announcements.popleft())
            elif self._music != self._spec_music():
                await self._start_music()
            else:
                await self._wait()

    def _ended(self) -> StayEnd | None:
        if self.overflow is not None:
            return StayEnd.OVERFLOWED
        if self._left:
            return StayEnd.LEFT
        return StayEnd.LOST if self._lost else None

    async def _wait(self) -> None:
        if not self._agi.ended:
            self._idle = asyncio.get_running_loop().create_future()
            try:
                await self._idle
            finally:
                self._idle = None
        if self._agi.ended:
            raise LineHungUp("the caller hung up while waiting")

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _dial(self, offer: OfferCall) -> None:
        self._offer = None
        phones = [self._tools.phones[agent_id] for agent_id in offer.agent_ids]
        devices = {phone.device: agent_id for phone, agent_id in zip(phones, offer.agent_ids, strict=True)}
        ring_s = min(offer.ring_timeout_s, self.ring_at_most_s or offer.ring_timeout_s)
        memory = self._memory() if self._memory is not None else None
        arguments = dial_arguments(phones, ring_s, self._tools.queues.get(offer.queue), memory)
        try:
            self._dialling = self._agi.start("EXEC", "Dial", ",".join(arguments))
        except AgiValueError:
            if memory is None:
                raise
            self._offer = offer  # no room for both: dialled as soon as the channel has been told
            return
        except AgiError:
            return  # the line has ended; the session's end frees the agents
        self._tools.tracker.begin(offer.offer_id, self._call_id, self._agi.uniqueid, devices)
        self._dialled = offer
        self._music = ""

    async def _dial_ended(self, dialling: asyncio.Future[AgiReply]) -> bool:
        """Wait for the dial's end and tell the engine what came of it; True after a talk."""
        async with hung_up():
            reply = await dialling
        offer, self._dialling, self._dialled = self._dialled, None, None
        if self._agi.ended or reply.result == "-1":
            raise LineHungUp("the caller hung up, or was transferred")
        if offer is None:
            return False
        known = self._tools.tracker.returned(offer.offer_id)
        talked = known is Known.TALKED
        if talked:
            self._tools.late.cancel_offer(offer.offer_id)
        elif known is Known.NOTHING and self._winner is None:
            talked = self._tools.tracker.settle(offer.offer_id, await self._ask())
        still_rings = self._winner is not None or self._tools.late.ringing(offer.offer_id)
        if self._joined and not talked and not still_rings:
            # Those who joined while it rang never did: not one by one, or each would join what is left of it again.
            self._tools.post(OfferEnded(offer.offer_id, LegFailure.CANCELLED))
        self._joined = False
        return talked

    async def _connect(self, leg: LateLeg) -> bool:
        """Take over the line of a phone that was picked up beside our dial; True after a talk."""
        self._winner, self._connecting = None, leg
        try:
            if leg.line is None or leg.line.ended:
                return self._dropped(leg)
            channel = leg.line.channel
            await self._line.set_variable("DIALEDPEERNAME", channel)  # who answered, as Dial would tell
            self._music = ""
            self._tools.late.connecting(leg)
            await self._line.run_application("Bridge", channel)
            if self._agi.ended:
                raise LineHungUp("the caller hung up, or was transferred")
            if not leg.bridged and (await self._line.read_variables(("BRIDGERESULT",)))[0] != BRIDGED:
                return self._dropped(leg)
            self._tools.late.talk_ended(leg)
            return True
        finally:
            self._connecting = None

    def _dropped(self, leg: LateLeg) -> bool:
        """It was picked up, and gone before it was connected: the caller goes back to the old place."""
        self._tools.late.cancel_offer(leg.offer_id)
        self._tools.post(OfferEnded(leg.offer_id, LegFailure.CANCELLED))
        return False

    async def _ask(self) -> DialResult:
        status, cause, answered_s, peer = await self._line.read_variables(_RESULT)
        return DialResult(status, cause, peer, talked=bool(answered_s))

    async def _announce(self, announcement: Announce) -> None:
        self._announcing = True
        try:
            await self._line.play(speech_of(announcement))
        finally:
            self._announcing = False
            self._music = ""

    def _cut_short(self) -> None:
        """End an announcement at once: somebody is offered the call, or it goes elsewhere."""
        wanted = self._offer is not None or self._winner is not None or self.overflow is not None or self._left
        if self._announcing and wanted and not self._agi.ended:
            self._line.stop()
            self._tools.stop_playback(self._agi.channel)
            asyncio.get_running_loop().call_later(_STOP_AGAIN_S, self._cut_short)

    async def _start_music(self) -> None:
        music = self._spec_music()
        await self._line.music_on(music)
        self._music = music

    def _spec_music(self) -> str:
        spec = self._tools.queues.get(self._queue)
        return spec.music if spec is not None else "default"


def _nothing() -> None:
    """Nobody is to be told."""


def _with_agents(offer: OfferCall, agent_ids: tuple[str, ...]) -> OfferCall:
    return OfferCall(offer.cause, offer.offer_id, offer.call_id, agent_ids, offer.queue, offer.ring_timeout_s)

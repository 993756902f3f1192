"""The phones that ring for offers, followed through AMI events, and told to the engine in its own order.

The engine is told ``LegAnswered`` before ``OfferBridged`` before ``TalkEnded``, each once, whatever order AMI's events
and the reply to ``Dial`` come in, and also when AMI tells nothing at all (``settle`` takes what the caller's channel
knows instead).

How an AMI event finds its offer: ``DialBegin`` names the caller's channel (Uniqueid) and the new channel of the phone.
A caller has one dial at a time, but events may come late, so the oldest dial of this caller that still expects this
phone takes it. From then on the phone's own Uniqueid is the key.

Of several phones, Asterisk stops the others before it tells which one was picked up. Of those the engine is not told:
their agents stay reserved until caller and winner are connected, or the winner is gone, which ends the whole offer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from acd.core.events import Event, LegAnswered, LegFailed, LegFailure, OfferBridged, OfferEnded, TalkEnded
from ami_bridge.translation import (
    ANSWERED,
    CANCELLED,
    hangup_cause,
    is_surrogate,
    leg_failure,
    leg_failure_is_certain,
    phone_of_channel,
)

__all__ = ["DialResult", "Known", "LegTracker"]

FORGET_AFTER_S = 3.0
"""So long after its end a dial still takes late events, so that they are not mistaken for the next one's (seconds)."""


class Known(Enum):
    """What AMI had told of a dial when the dial returned."""

    NOTHING = "nothing"
    """The caller's channel must be asked, see ``LegTracker.settle``."""
    FAILED = "failed"
    """Every phone failed, and the engine knows."""
    TALKED = "talked"
    """Caller and agent were connected; the engine knows that and that they are apart now."""


@dataclass(frozen=True, slots=True)
class DialResult:
    """What the caller's channel says after ``Dial``: its variables of these names."""

    status: str
    """DIALSTATUS"""
    cause: str = ""
    """HANGUPCAUSE"""
    peer: str = ""
    """DIALEDPEERNAME, the channel that answered."""
    talked: bool = False
    """Whether ANSWEREDTIME is set: the two were really connected."""


@dataclass(slots=True, eq=False)
class _Leg:
    agent_id: str
    phone: str
    channel: str = ""
    uniqueid: str = ""
    answered: bool = False
    bridge_id: str = ""
    over: bool = False
    """The engine knows that this phone is out."""
    cancelled: bool = False
    """We want it hung up: at once, or as soon as its channel is known, or as soon as AMI is there."""
    gone: bool = False
    """AMI has told that it will not take the call."""
    stopped: bool = False
    """By Asterisk, as another phone was picked up, or the caller is gone."""
    dial_status: str = ""
    """Told by DialEnd, waiting for the hang-up's cause."""
    busy: bool = True
    """Rings or talks for us, as ``on_activity`` was told."""


@dataclass(slots=True, eq=False)
class _Dial:
    offer_id: str
    call_id: str
    caller: str
    legs: dict[str, _Leg]
    """By phone."""
    bridge_id: str = ""
    """Where the caller is."""
    winner: _Leg | None = None
    """Connected with the caller, as the engine knows."""
    apart: bool = False
    """The engine knows that the talk is over."""
    returned: bool = False


@dataclass(slots=True)
class _Index:
    by_offer: dict[str, _Dial] = field(default_factory=dict)
    by_caller: dict[str, list[_Dial]] = field(default_factory=dict)
    by_leg: dict[str, tuple[_Dial, _Leg]] = field(default_factory=dict)


class LegTracker:
    """All dials under way, and those that ended a moment ago.

    ``post`` tells the engine. ``hang_up`` ends a channel through AMI. ``call_later(seconds, action)`` is the event
    loop's. ``on_activity(agent_id, busy)`` is told when a phone of ours begins and ends to ring or talk.
    """

    def __init__(
        self,
        post: Callable[[Event], None],
        hang_up: Callable[[str], None],
        call_later: Callable[[float, Callable[[], None]], object],
        on_activity: Callable[[str, bool], None],
    ) -> None:
        self._post = post
        self._hang_up = hang_up
        self._call_later = call_later
        self._on_activity = on_activity
        self._index = _Index()
        self._handlers: Mapping[str, Callable[[Mapping[str, str]], None]] = {
            "DialBegin": self._dial_begin,
            "DialEnd": self._dial_end,
            "BridgeEnter": self._bridge_enter,
            "Hangup": self._leg_hangup,
        }

    # What the caller's session tells.

    def begin(self, offer_id: str, call_id: str, caller: str, phones: Mapping[str, str]) -> None:
        """A dial is about to be written. ``caller``: the caller's Uniqueid; ``phones``: phone to agent."""
        legs = {phone: _Leg(agent_id, phone) for phone, agent_id in phones.items()}
        dial = _Dial(offer_id, call_id, caller, legs)
        self._index.by_offer[offer_id] = dial
        self._index.by_caller.setdefault(caller, []).append(dial)
        for leg in legs.values():
            self._on_activity(leg.agent_id, True)

    def returned(self, offer_id: str) -> Known:
        """The reply to ``Dial`` has come. Tells what AMI had told; a talk's end is posted at once."""
        dial = self._index.by_offer.get(offer_id)
        if dial is None:
            return Known.NOTHING
        self._end(dial)
        if dial.winner is not None:
            self._part(dial)
            return Known.TALKED
        if all(leg.gone and leg.over for leg in dial.legs.values()):
            return Known.FAILED
        return Known.NOTHING

    def settle(self, offer_id: str, result: DialResult) -> bool:
        """Tell the engine what the caller's channel says of a dial that returned. Returns whether there was a talk."""
        dial = self._index.by_offer.get(offer_id)
        if dial is None:
            return False
        if dial.winner is not None:  # AMI was faster than the question
            self._part(dial)
            return True
        failure = leg_failure(result.status, hangup_cause(result.cause))
        if failure is not None:
            self._fail_all(dial, failure)
            return False
        leg = dial.legs.get(phone_of_channel(result.peer)) or _only(dial)
        if leg is None or not result.talked:
            self._fail_all(dial, LegFailure.DROPPED)
            return False
        self._connect(dial, leg)
        self._part(dial)
        return True

    def caller_gone(self, caller: str) -> None:
        """The caller's line has ended: the engine is told by the session, nothing more is expected of its dials."""
        for dial in self._index.by_caller.pop(caller, []):
            for leg in dial.legs.values():
                self._release(leg)
            self._forget_legs(dial)
            self._index.by_offer.pop(dial.offer_id, None)

    # What the engine wants.

    def cancel_offer(self, offer_id: str) -> None:
        """Stop every phone of the offer, those whose channel is not known yet as soon as it appears."""
        dial = self._index.by_offer.get(offer_id)
        for leg in dial.legs.values() if dial is not None else ():
            self._cancel(leg)

    def cancel_leg(self, offer_id: str, agent_id: str) -> None:
        """Stop one phone of the offer."""
        dial = self._index.by_offer.get(offer_id)
        for leg in dial.legs.values() if dial is not None else ():
            if leg.agent_id == agent_id:
                self._cancel(leg)

    def connected_by_inquiry(self, offer_id: str, agent_id: str) -> None:
        """It was found out by asking that the agent took the call, AMI's events having been missed."""
        dial = self._index.by_offer.get(offer_id)
        for leg in dial.legs.values() if dial is not None else ():
            if dial is not None and leg.agent_id == agent_id and dial.winner is None and not dial.returned:
                self._connect(dial, leg)

    # What AMI tells.

    def on_event(self, event: Mapping[str, str]) -> None:
        """Take an AMI event; those that are not about legs are ignored."""
        handler = self._handlers.get(event.get("Event", ""))
        if handler is not None:
            handler(event)

    def found_leg(self, caller: str, uniqueid: str, channel: str, bridge_id: str, caller_bridge_id: str) -> None:
        """After a (re)connect: this channel of a phone exists, and belongs to the dial of this caller."""
        known = self._index.by_leg.get(uniqueid)
        if known is None:
            self._adopt(caller, uniqueid, channel)
        elif known[1].cancelled:
            self._hang_up(channel)  # could not be told when it was wanted
        if bridge_id and bridge_id == caller_bridge_id:
            self._enter(caller, bridge_id)
            self._enter(uniqueid, bridge_id)

    def missing_legs(self, caller: str, present: frozenset[str]) -> None:
        """After a (re)connect: of this caller's phones only these (Uniqueids) still exist."""
        for dial in self._index.by_caller.get(caller, []):
            for leg in dial.legs.values():
                if leg.uniqueid and leg.uniqueid not in present:
                    self._gone(dial, leg, None)

    def _dial_begin(self, event: Mapping[str, str]) -> None:
        channel = event.get("DestChannel", "")
        if not is_surrogate(channel):
            self._adopt(event.get("Uniqueid", ""), event.get("DestUniqueid", ""), channel)

    def _adopt(self, caller: str, uniqueid: str, channel: str) -> None:
        if uniqueid in self._index.by_leg:
            return
        phone = phone_of_channel(channel)
        for dial in self._index.by_caller.get(caller, []):
            leg = dial.legs.get(phone)
            if leg is not None and not leg.uniqueid:
                leg.uniqueid, leg.channel = uniqueid, channel
                self._index.by_leg[uniqueid] = (dial, leg)
                if leg.cancelled and not dial.returned:
                    self._hang_up(channel)
                return

    def _dial_end(self, event: Mapping[str, str]) -> None:
        found = self._index.by_leg.get(event.get("DestUniqueid", ""))
        if found is None:
            return
        dial, leg = found
        status = event.get("DialStatus", "")
        if status == ANSWERED:
            self._answer(dial, leg)
        elif status == CANCELLED:
            leg.gone = leg.stopped = True
        elif leg_failure_is_certain(status):
            leg.gone = True
            self._fail(dial, leg, leg_failure(status, None))
        else:
            leg.dial_status = status  # the hang-up, which follows at once, tells the cause

    def _bridge_enter(self, event: Mapping[str, str]) -> None:
        self._enter(event.get("Uniqueid", ""), event.get("BridgeUniqueid", ""))

    def _enter(self, uniqueid: str, bridge_id: str) -> None:
        found = self._index.by_leg.get(uniqueid)
        if found is not None:
            dial, leg = found
            leg.bridge_id = bridge_id
            self._connect_if_together(dial, leg)
            return
        for dial in self._index.by_caller.get(uniqueid, []):
            if not dial.returned:
                dial.bridge_id = bridge_id
                for leg in dial.legs.values():
                    self._connect_if_together(dial, leg)

    def _leg_hangup(self, event: Mapping[str, str]) -> None:
        found = self._index.by_leg.get(event.get("Uniqueid", ""))
        if found is not None and not is_surrogate(event.get("Channel", "")):
            self._gone(*found, hangup_cause(event.get("Cause", "")))

    # What follows from it.

    def _gone(self, dial: _Dial, leg: _Leg, cause: int | None) -> None:
        """A phone's channel is gone, whatever it was doing."""
        self._index.by_leg.pop(leg.uniqueid, None)
        self._release(leg)
        leg.gone = True
        if dial.winner is leg:
            self._part(dial)
        elif leg.answered:
            self._dropped(dial, leg)
        elif not leg.stopped:
            self._fail(dial, leg, leg_failure(leg.dial_status or "NOANSWER", cause))

    def _answer(self, dial: _Dial, leg: _Leg) -> None:
        if not leg.answered and not leg.over and not dial.returned:
            leg.answered = True
            self._post(LegAnswered(dial.offer_id, leg.agent_id))
        self._connect_if_together(dial, leg)

    def _connect_if_together(self, dial: _Dial, leg: _Leg) -> None:
        if leg.bridge_id and leg.bridge_id == dial.bridge_id and not leg.over and not dial.returned:
            self._connect(dial, leg)

    def _connect(self, dial: _Dial, leg: _Leg) -> None:
        if dial.winner is not None:
            return
        dial.winner = leg
        if not leg.answered:
            leg.answered = True
            self._post(LegAnswered(dial.offer_id, leg.agent_id))
        self._post(OfferBridged(dial.offer_id, leg.agent_id))

    def _part(self, dial: _Dial) -> None:
        if not dial.apart and dial.winner is not None:
            dial.apart = True
            self._release(dial.winner)
            self._post(TalkEnded(dial.call_id))

    def _fail(self, dial: _Dial, leg: _Leg, failure: LegFailure | None) -> None:
        if not leg.over and not dial.returned and dial.winner is not leg:
            leg.over = True
            self._release(leg)
            self._post(LegFailed(dial.offer_id, leg.agent_id, failure or LegFailure.DROPPED))

    def _dropped(self, dial: _Dial, leg: _Leg) -> None:
        """It was picked up, and gone before it was connected: no other phone rings any more."""
        if not leg.over and not dial.returned:
            for each in dial.legs.values():
                each.over = True
            self._post(OfferEnded(dial.offer_id, LegFailure.CANCELLED))

    def _fail_all(self, dial: _Dial, failure: LegFailure) -> None:
        """Tell it of each phone, as the offer may have agents by now whose phones never rang."""
        for leg in dial.legs.values():
            if not leg.over:
                leg.over = True
                reason = LegFailure.CANCELLED if leg.stopped else failure
                self._post(LegFailed(dial.offer_id, leg.agent_id, reason))

    def _cancel(self, leg: _Leg) -> None:
        leg.over = True
        if not leg.cancelled and not leg.gone:
            leg.cancelled = True
            if leg.channel:
                self._hang_up(leg.channel)

    def _end(self, dial: _Dial) -> None:
        if not dial.returned:
            dial.returned = True
            for leg in dial.legs.values():
                self._release(leg)
            self._call_later(FORGET_AFTER_S, lambda: self._forget(dial))

    def _release(self, leg: _Leg) -> None:
        if leg.busy:
            leg.busy = False
            self._on_activity(leg.agent_id, False)

    def _forget(self, dial: _Dial) -> None:
        self._forget_legs(dial)
        self._index.by_offer.pop(dial.offer_id, None)
        dials = self._index.by_caller.get(dial.caller)
        if dials is not None and dial in dials:
            dials.remove(dial)
            if not dials:
                del self._index.by_caller[dial.caller]

    def _forget_legs(self, dial: _Dial) -> None:
        for leg in dial.legs.values():
            self._index.by_leg.pop(leg.uniqueid, None)


def _only(dial: _Dial) -> _Leg | None:
    """The dial's one phone, if it has one only."""
    return next(iter(dial.legs.values())) if len(dial.legs) == 1 else None

"""Phones that join an offer while ``Dial`` is under way on the caller's line, which takes no more once it is written.

Each is rung by AMI ``Originate`` into the dialplan's ``acd-leg``, which enters ``acd/leg`` when the phone is picked up:
that entry decides, in the very order in which the engine hears of it. The winner's line is held there, silent, until
the caller's own line has taken it over by ``Bridge``.

A phone of ours is known by the Uniqueid that we give it, so nothing has to be matched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from acd.core.events import Event, LegAnswered, LegFailed, LegFailure, OfferBridged, TalkEnded
from acd.service.call_state import is_call_id
from acd.service.live_site import AgentPhone
from ami_bridge.agi_session import AgiSession
from ami_bridge.translation import hangup_cause, is_surrogate, leg_failure

__all__ = ["CallerId", "LateLeg", "LateLegs"]

log = structlog.get_logger(__name__)

_PREFIX = "acd-"
_CUSTOMERS = "cb-"
"""What follows the prefix where a customer's phone is rung, which is no agent's."""
_LEAST_RING_S = 1.0
"""A phone that would ring for less is not rung (seconds)."""
_NOT_A_NUMBER = re.compile(r"[^0-9+*#]")
_NOT_A_NAME = re.compile(r"[^\w .+-]")


@dataclass(frozen=True, slots=True)
class CallerId:
    """Who calls, as phones show it. Made from what the network sent, which is hostile."""

    number: str
    name: str

    def header(self) -> str:
        """Write it as AMI takes it."""
        number = _NOT_A_NUMBER.sub("", self.number)[:40]
        name = _NOT_A_NAME.sub("", self.name)[:40].strip()
        return f'"{name}" <{number}>' if name else number


@dataclass(slots=True, eq=False)
class LateLeg:
    """One phone."""

    offer_id: str
    call_id: str
    agent_id: str
    uniqueid: str
    over: bool = False
    """The engine knows that it is out, or needs not."""
    exists: bool = False
    """Asterisk has made its channel, whose hang-up will tell why it failed if it does."""
    line: AgiSession | None = None
    """Since it was picked up."""
    connecting: bool = False
    """The caller's line is about to take it over."""
    bridged: bool = False
    """The engine knows that the two are connected."""
    talked: bool = False
    """Asterisk has connected it with somebody."""
    joins: Callable[[LateLeg], None] = field(default=lambda _: None)
    """Told when it has won the call."""
    on_talk: Callable[[], None] = field(default=lambda: None)
    """Told when Asterisk has connected it with somebody."""


class LateLegs:
    """All such phones.

    ``post`` tells the engine. ``originate(headers)`` sends the AMI action and tells whether it went out. ``hang_up``
    ends a channel, by name or Uniqueid. ``winner(offer)`` is who has picked up first, as the engine knows.
    ``on_activity(agent_id, busy)`` is told when a phone begins and ends to ring or talk. ``counts_from``: greater than
    any number that an engine before us gave, whose phones may still ring for the same calls.
    """

    def __init__(
        self,
        post: Callable[[Event], None],
        originate: Callable[[Mapping[str, str | tuple[str, ...]]], bool],
        hang_up: Callable[[str], None],
        winner: Callable[[str], str],
        on_activity: Callable[[str, bool], None],
        counts_from: int = 0,
    ) -> None:
        self._post = post
        self._originate = originate
        self._hang_up = hang_up
        self._winner = winner
        self._on_activity = on_activity
        self._by_uniqueid: dict[str, LateLeg] = {}
        self._by_offer: dict[str, list[LateLeg]] = {}
        self._rung = counts_from

    # What the caller's stay tells and asks.

    def ring(
        self,
        leg_of: tuple[str, str, str],
        phone: AgentPhone,
        timeout_s: float,
        caller: CallerId,
        joins: Callable[[LateLeg], None],
        variables: Sequence[tuple[str, str]],
    ) -> bool:
        """Ring a phone for (offer, call, agent); False when that is not possible now.

        ``joins`` is called when it has won the call: it waits to be connected then.
        """
        offer_id, call_id, agent_id = leg_of
        if timeout_s < _LEAST_RING_S:
            return False
        self._rung += 1
        leg = LateLeg(offer_id, call_id, agent_id, f"{_PREFIX}{call_id}-{self._rung}", joins=joins)
        headers: dict[str, str | tuple[str, ...]] = {
            "Channel": phone.dial,
            "Context": "acd-leg",
            "Exten": "s",
            "Priority": "1",
            "Timeout": str(round(timeout_s * 1000)),
            "CallerID": caller.header(),
            "Async": "true",
            "ChannelId": leg.uniqueid,
            "Variable": (f"ACD_LEG={offer_id}", *(f"{name}={value}" for name, value in variables)),
        }
        if phone.auto_answer:
            headers["PreDialGoSub"] = f"acd-pre-dial,s,1({phone.marked})"  # Asterisk 18.25, 20.10, 22 or newer
        if not self._originate(headers):
            return False
        self._by_uniqueid[leg.uniqueid] = leg
        self._by_offer.setdefault(offer_id, []).append(leg)
        self._on_activity(agent_id, True)
        return True

    def ringing(self, offer_id: str) -> bool:
        """Tell whether any such phone may still win the offer."""
        return any(not leg.over for leg in self._by_offer.get(offer_id, ()))

    def cancel_offer(self, offer_id: str) -> None:
        """Stop all phones of the offer; the engine knows that they are out."""
        for leg in list(self._by_offer.get(offer_id, ())):
            self._cancel(leg)

    def cancel_leg(self, offer_id: str, agent_id: str) -> None:
        """Stop one phone of the offer; the engine knows."""
        for leg in list(self._by_offer.get(offer_id, ())):
            if leg.agent_id == agent_id:
                self._cancel(leg)

    def lost_to_dial(self, offer_id: str) -> None:
        """A phone of the caller's ``Dial`` was picked up first: the others stop.

        Their agents are free when the two are connected, or that phone is gone: the engine sees to it.
        """
        for leg in list(self._by_offer.get(offer_id, ())):
            if not leg.over and not leg.bridged:
                self._cancel(leg)

    def call_gone(self, call_id: str) -> None:
        """The caller is gone; the engine knows."""
        for leg in [leg for leg in self._by_uniqueid.values() if leg.call_id == call_id]:
            self._cancel(leg)

    def connecting(self, leg: LateLeg) -> None:
        """The caller's line is about to take over the winner's."""
        leg.connecting = True

    def talk_ended(self, leg: LateLeg) -> None:
        """The caller's line has the winner's no longer; they were connected."""
        self.bridged(leg)
        leg.over = True
        self._drop(leg)
        self._post(TalkEnded(leg.call_id))

    def bridged(self, leg: LateLeg) -> None:
        """The two are connected."""
        if not leg.bridged:
            leg.bridged = True
            self._post(OfferBridged(leg.offer_id, leg.agent_id))

    def declined(self, leg: LateLeg, failure: LegFailure) -> None:
        """The winner will not have the call after all: the engine offers it to the next."""
        self._fail(leg, failure)
        if leg.line is not None:
            leg.line.close()  # the dialplan hangs up

    def let_go(self, call_id: str) -> None:
        """We give up the caller's line: phones that ring for it stop, a talk goes on in Asterisk."""
        for leg in [leg for leg in self._by_uniqueid.values() if leg.call_id == call_id and not leg.bridged]:
            self._cancel(leg)

    # The phone's own line.

    async def serve(self, agi: AgiSession) -> None:
        """Take the line of a phone that was picked up, and hold it until it is connected or gone."""
        leg = self._by_uniqueid.get(agi.uniqueid)
        if leg is None or leg.over:
            return  # the dialplan hangs up
        leg.line = agi
        self._post(LegAnswered(leg.offer_id, leg.agent_id))
        if self._winner(leg.offer_id) != leg.agent_id:
            log.info("picked up too late", call_id=leg.call_id, agent=leg.agent_id)
            leg.over = True  # as of all others who rang in vain, the engine sees to the agent
            return
        for other in list(self._by_offer.get(leg.offer_id, ())):
            if other is not leg:
                self._cancel(other)
        leg.joins(leg)
        # Once it is connected, what is left in this AGI is a stand-in of Asterisk's, which lives as long as the socket.
        await agi.wait_ended()

    # What AMI tells.

    def on_event(self, event: Mapping[str, str]) -> None:
        """Take an AMI event; those of other channels are ignored."""
        leg = self._by_uniqueid.get(event.get("Uniqueid", ""))
        name = event.get("Event", "")
        if leg is None or is_surrogate(event.get("Channel", "")):
            return
        if name == "Newchannel":
            leg.exists = True
            if leg.over:
                self._hang_up(leg.uniqueid)  # it was cancelled before it was there
        elif name == "BridgeEnter":
            if leg.connecting and not leg.talked:
                leg.talked = True
                self.bridged(leg)
                leg.on_talk()
        elif name == "Hangup":
            self._gone(leg, leg_failure("NOANSWER", hangup_cause(event.get("Cause", ""))))
        elif name == "OriginateResponse" and event.get("Response") == "Failure" and not leg.exists:
            self._gone(leg, LegFailure.UNREACHABLE)

    def compare(self, present: Mapping[str, str]) -> None:
        """After a (re)connect: of all channels these (Uniqueids) exist."""
        for leg in list(self._by_uniqueid.values()):
            if leg.uniqueid not in present:
                self._gone(leg, LegFailure.MISSED)
            elif leg.over:
                self._hang_up(leg.uniqueid)

    def stop_strays(self, alone: Iterable[str]) -> None:
        """Of all channels these (Uniqueids) are connected with nobody: hang up what an engine before us has rung.

        Nobody would take the line when it is picked up, nor learn who answers what it dials.
        """
        for uniqueid in alone:
            call_id = uniqueid.removeprefix(_PREFIX).rpartition("-")[0]
            is_leg = uniqueid.startswith(_PREFIX) and is_call_id(call_id) and not call_id.startswith(_CUSTOMERS)
            if is_leg and uniqueid not in self._by_uniqueid:
                log.info("phone rung by an engine before us", call_id=call_id)
                self._hang_up(uniqueid)

    # What follows from it.

    def _gone(self, leg: LateLeg, failure: LegFailure | None) -> None:
        if leg.line is None:
            self._fail(leg, failure or LegFailure.MISSED)
        self._drop(leg)

    def _fail(self, leg: LateLeg, failure: LegFailure) -> None:
        if not leg.over:
            leg.over = True
            self._post(LegFailed(leg.offer_id, leg.agent_id, failure))

    def _cancel(self, leg: LateLeg) -> None:
        leg.over = True
        if leg.line is not None:
            leg.line.close()  # without AMI, too; the dialplan hangs up
        self._hang_up(leg.uniqueid)

    def _drop(self, leg: LateLeg) -> None:
        if self._by_uniqueid.pop(leg.uniqueid, None) is None:
            return
        self._on_activity(leg.agent_id, False)
        legs = self._by_offer.get(leg.offer_id, [])
        legs.remove(leg)
        if not legs:
            self._by_offer.pop(leg.offer_id, None)

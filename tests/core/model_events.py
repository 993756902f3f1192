"""The brute-force model's answer to each event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Any

from acd.core.commands import Command
from acd.core.events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentNotReady,
    AgentReady,
    CallEnded,
    CallLeftQueue,
    CallQueued,
    CountsReset,
    DeviceChanged,
    DeviceState,
    Event,
    LegAnswered,
    LegFailed,
    LegFailure,
    OfferBridged,
    OfferEnded,
    OffersResumed,
    OffersSuspended,
    TalkEnded,
    TimePassed,
    WrapUpDone,
    WrapUpExtended,
)
from acd.core.specs import RoutingSpec
from tests.core.model import PHONE_COMMANDS, Model
from tests.core.model_entities import Mismatch, MOffer


class EventModel(Model):
    """Told every event, its time, and what the engine did: ``handle`` raises Mismatch when that was wrong."""

    def __init__(self, routing: RoutingSpec) -> None:
        super().__init__(routing)
        self.answers: dict[type, Callable[[Any, float], None]] = {
            CallQueued: self.call_queued,
            CallLeftQueue: self.call_left,
            CallEnded: self.call_over,
            TalkEnded: self.talk_ended,
            LegAnswered: self.answered,
            LegFailed: self.failed,
            OfferEnded: self.offer_ended,
            OfferBridged: self.connected,
            OffersSuspended: self.suspend,
            OffersResumed: self.offers_resumed,
            CountsReset: self.counts_reset,
            TimePassed: self.time_passed,
            AgentLoggedIn: self.logged_in,
            AgentReady: self.wants,
            AgentNotReady: self.not_ready,
            AgentLoggedOut: self.logged_out,
            WrapUpDone: self.work_done,
            WrapUpExtended: self.extended,
            DeviceChanged: self.device,
        }

    def handle(self, event: Event, now: float, commands: Sequence[Command]) -> None:
        self.engine_did = [command for command in commands if isinstance(command, PHONE_COMMANDS)]
        while due := [timer for timer in self.timers if timer.at <= now]:
            timer = min(due, key=lambda timer: (timer.at, timer.number))
            self.timers.remove(timer)
            timer.action(now)
        self.answers[type(event)](event, now)
        if self.engine_did:
            raise Mismatch(f"the engine did more than expected: {self.engine_did}")

    def next_deadline(self) -> float:
        return min((timer.at for timer in self.timers), default=inf)

    # Calls and offers.

    def call_left(self, event: CallLeftQueue, now: float) -> None:
        call = self.calls.get(event.call_id)
        if call is not None and call.state in ("waiting", "offered"):
            self.leave_queue(call, now)

    def call_over(self, event: CallEnded, now: float) -> None:
        if event.call_id in self.calls:
            self.call_ended(self.calls[event.call_id], now)

    def talk_ended(self, event: TalkEnded, now: float) -> None:
        call = self.calls.get(event.call_id)
        if call is not None and call.state == "talking":
            agent, call.agent, call.state = call.agent, None, "menu"
            self.talk_over(agent, call, now)

    def answered(self, event: LegAnswered, now: float) -> None:
        offer, agent = self.leg(event.offer_id, event.agent_id)
        if offer is not None and offer.winner is None:
            offer.winner, offer.hungry = agent, False
            self.cancel(offer.step)

    def failed(self, event: LegFailed, now: float) -> None:
        offer, agent = self.leg(event.offer_id, event.agent_id)
        if offer is not None and agent is not None:
            self.leg_failed(offer, agent, event.reason, now)

    def connected(self, event: OfferBridged, now: float) -> None:
        offer, agent = self.leg(event.offer_id, event.agent_id)
        if offer is not None and agent is not None:
            self.bridged(offer, agent, now)

    def offer_ended(self, event: OfferEnded, now: float) -> None:
        offer: MOffer | None = self.offers.get(event.offer_id)
        if offer is not None:
            dropped = LegFailure.DROPPED
            failures = [(leg, dropped if leg is offer.winner else event.reason) for leg in offer.legs]
            offer.legs = []
            self.back_to_queue(offer, failures, now)

    # The site.

    def suspend(self, event: OffersSuspended, now: float) -> None:
        self.suspended = True

    def offers_resumed(self, event: OffersResumed, now: float) -> None:
        self.resume(now)

    def counts_reset(self, event: CountsReset, now: float) -> None:
        for agent in self.agents.values():
            agent.calls, agent.talk_s = {}, {}

    def time_passed(self, event: TimePassed, now: float) -> None:
        """What was due has been done."""

    # Agents.

    def logged_in(self, event: AgentLoggedIn, now: float) -> None:
        agent = self.agents[event.agent_id]
        if agent.state != "logged-out":
            if event.ready:
                self.wants_calls(agent, now)
            return
        agent.missed = 0
        if event.ready:
            self.become_ready(agent, now, fresh=True)
        else:
            self.go(agent, "not-ready", now)

    def wants(self, event: AgentReady, now: float) -> None:
        self.wants_calls(self.agents[event.agent_id], now)

    def not_ready(self, event: AgentNotReady, now: float) -> None:
        agent = self.agents[event.agent_id]
        if agent.offer is not None:
            self.give_back(agent, ("not-ready", event.reason), now)
        elif agent.state in ("talking", "wrap-up"):
            agent.pending = ("not-ready", event.reason)
            self.release_all(agent, now)
        elif agent.state != "logged-out":
            self.go(agent, "not-ready", now)

    def logged_out(self, event: AgentLoggedOut, now: float) -> None:
        agent = self.agents[event.agent_id]
        if agent.offer is not None:
            self.give_back(agent, ("logged-out", ""), now)
        elif agent.state == "talking":
            agent.pending = ("logged-out", "")
            self.release_all(agent, now)
        elif agent.state != "logged-out":
            self.go(agent, "logged-out", now)

    def work_done(self, event: WrapUpDone, now: float) -> None:
        self.wrap_up_done(self.agents[event.agent_id], now)

    def extended(self, event: WrapUpExtended, now: float) -> None:
        agent = self.agents[event.agent_id]
        if agent.state == "wrap-up" and agent.until is not None and agent.extension_s > 0:
            agent.until += agent.extension_s
            agent.extension_s = 0.0
            self.cancel(agent.timer)
            agent.timer = self.set(agent.until, partial(self.wrap_up_over, agent))

    def device(self, event: DeviceChanged, now: float) -> None:
        agent = self.agents[event.agent_id]
        if event.state is not agent.device:  # told once more it is no news
            agent.device = event.state
            self.phone(agent, event.state in (DeviceState.NOT_INUSE, DeviceState.UNKNOWN), now)

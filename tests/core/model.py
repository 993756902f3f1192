"""A second engine, brute force: it looks at every agent and every call each time, and keeps no index of anything.

Written from the documentation of the core (the docstrings of ``acd.core`` and ``routing``), not from its code, and
sharing nothing with it but the words of its interface: events, commands, specs. Where a draw decides (random
strategies), the model is shown what the engine drew and checks that it was among the candidates.

Not modelled: overflow rules, messages, changes of configuration; scripted scenarios test those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from math import inf

from acd.core.commands import AddLeg, CancelLeg, CancelOffer, OfferCall, VerifyOffer
from acd.core.events import CallQueued, LegFailure
from acd.core.specs import QueueSpec, RoutingSpec, WrapUpMode
from tests.core.model_entities import MAgent, MCall, Mismatch, MOffer, MTimer
from tests.core.model_order import candidates, fits, is_idle, key

PHONE_COMMANDS = OfferCall | AddLeg | CancelLeg | CancelOffer | VerifyOffer
_FAIR_RING_S = 5.0


class Model:
    """What the engine should do. Raises Mismatch when the engine's commands are others."""

    def __init__(self, routing: RoutingSpec) -> None:
        self.routing = routing
        self.queues = dict(routing.queues)
        self.agents = {spec.id: MAgent(spec, index) for index, spec in enumerate(routing.agents.values())}
        self.calls: dict[str, MCall] = {}
        self.offers: dict[str, MOffer] = {}
        self.timers: list[MTimer] = []
        self.timers_set = 0
        self.calls_seen = 0
        self.suspended = False
        self.last_agent: dict[str, str] = {}
        self.cursor = dict.fromkeys(self.queues, (-1, -1))
        self.engine_did: list[PHONE_COMMANDS] = []

    # Timers.

    def set(self, at: float, action: Callable[[float], None]) -> MTimer:
        self.timers_set += 1
        timer = MTimer(at, self.timers_set, action)
        self.timers.append(timer)
        return timer

    def cancel(self, timer: MTimer | None) -> None:
        if timer is not None and timer in self.timers:
            self.timers.remove(timer)

    def candidates(self, call: MCall) -> list[MAgent]:
        """Idle agents who may take the call, in the strategy's order."""
        return candidates(self.routing, self.agents.values(), self.cursor[call.queue.id], call)

    # Decisions.

    def agent_idle(self, agent: MAgent, now: float) -> None:
        """The agent has become idle: which call, of all that may be given to him or her?"""
        if self.suspended or not is_idle(agent):
            return
        waiting = [
            call
            for call in self.calls.values()
            if call.state == "waiting" and (call.held_for is agent or (call.held_for is None and fits(agent, call)))
        ]
        if waiting:
            self.offer(min(waiting, key=lambda call: key(call, now)), [agent], now)
            self.stop_holding(agent, now)
            return
        self.join(agent, now)

    def join(self, agent: MAgent, now: float) -> None:
        ringing = [offer for offer in self.offers.values() if self.takes_more(offer, now) and fits(agent, offer.call)]
        if ringing:
            self.add_leg(min(ringing, key=lambda offer: key(offer.call, now)), agent, now)

    def takes_more(self, offer: MOffer, now: float) -> bool:
        return (
            offer.joinable
            and offer.hungry
            and offer.winner is None
            and now < offer.ring_until
            and len(offer.legs) < self.routing.max_legs
        )

    def call_waits(self, call: MCall, now: float) -> None:
        """The call has begun to wait: which agents, of all who may take it?"""
        queue = call.queue
        call.state = "waiting"
        if call.held_for is not None and not self.waits_on(call, call.held_for):
            call.held_for = None
        if call.held_for is not None:
            if not self.suspended and is_idle(call.held_for):
                self.offer(call, [call.held_for], now)
            elif call not in call.held_for.held:
                call.held_for.held.append(call)
            return
        agents = [] if self.suspended else self.candidates(call)
        if not agents:
            return
        if queue.strategy == "ring-all":
            self.offer(call, agents[: self.routing.max_legs], now)
        elif queue.strategy in ("random", "weighted-random"):
            drawn = self.engine_did[0] if self.engine_did else None
            if not isinstance(drawn, OfferCall) or len(drawn.agent_ids) != 1:
                raise Mismatch(f"{call.id} should be offered to one of {[a.id for a in agents]}, not {drawn}")
            if drawn.agent_ids[0] not in {agent.id for agent in agents}:
                raise Mismatch(f"{call.id}: drew {drawn.agent_ids[0]}, who is none of {[a.id for a in agents]}")
            self.offer(call, [self.agents[drawn.agent_ids[0]]], now)
        else:
            self.offer(call, agents[:1], now)

    def offer(self, call: MCall, agents: list[MAgent], now: float) -> None:
        queue = call.queue
        call.offers += 1
        offer = MOffer(f"{call.id}.{call.offers}", call, now, now + queue.ring_timeout_s)
        self.offers[offer.id] = offer
        call.state, call.offer = "offered", offer
        if call.held_for is not None and call in call.held_for.held:
            call.held_for.held.remove(call)
        for agent in agents:
            self.reserve(agent, offer, now)
        self.picked(queue, agents[0])
        offer.lease = self.set(offer.ring_until + self.routing.lease_margin_s, partial(self.lease_over, offer))
        if call.held_for is None and queue.strategy in ("ring-all", "progressive-ring"):
            offer.joinable = True
            if queue.strategy == "ring-all":
                offer.hungry = True
            else:
                self.arm_step(offer, now)
        self.expect(offer.id, OfferCall, tuple(agent.id for agent in agents))
        self.ring_more(offer, now)

    def reserve(self, agent: MAgent, offer: MOffer, now: float) -> None:
        offer.legs.append(agent)
        self.change(agent, "reserved", now)
        agent.offer = offer

    def picked(self, queue: QueueSpec, agent: MAgent) -> None:
        self.cursor[queue.id] = (agent.spec.queues[queue.id], agent.index)

    def arm_step(self, offer: MOffer, now: float) -> None:
        step_s = float(offer.call.queue.strategy_options.get("step_s", 5.0))
        offer.step = self.set(now + step_s, partial(self.step, offer))

    def step(self, offer: MOffer, now: float) -> None:
        if offer.winner is not None or now >= offer.ring_until:
            return
        agents = [] if self.suspended else self.candidates(offer.call)
        if agents and len(offer.legs) < self.routing.max_legs:
            self.add_leg(offer, agents[0], now)
        else:
            offer.hungry = True

    def add_leg(self, offer: MOffer, agent: MAgent, now: float) -> None:
        queue = offer.call.queue
        self.reserve(agent, offer, now)
        self.picked(queue, agent)
        if queue.strategy == "progressive-ring":
            offer.hungry = False
            self.cancel(offer.step)
            self.arm_step(offer, now)
        self.expect(offer.id, AddLeg, (agent.id,))

    def lease_over(self, offer: MOffer, now: float) -> None:
        offer.lease = self.set(now + self.routing.lease_margin_s, partial(self.lease_over, offer))
        self.expect(offer.id, VerifyOffer, tuple(leg.id for leg in offer.legs))

    def resume(self, now: float) -> None:
        if not self.suspended:
            return
        self.suspended = False
        waiting = [call for call in self.calls.values() if call.state == "waiting"]
        for call in sorted(waiting, key=lambda call: key(call, now)):
            if call.state == "waiting":
                if call.held_for is not None:
                    call.held_for.held.remove(call)
                self.call_waits(call, now)
        idle = [agent for agent in self.agents.values() if is_idle(agent)]
        for agent in sorted(idle, key=lambda agent: (agent.idle_since, agent.index)):
            self.join(agent, now)

    def expect(self, offer_id: str, kind: type[PHONE_COMMANDS], agent_ids: tuple[str, ...] | None = None) -> None:
        did = self.engine_did.pop(0) if self.engine_did else None
        wanted = f"{kind.__name__} {offer_id} {agent_ids}"
        if not isinstance(did, kind) or did.offer_id != offer_id:
            raise Mismatch(f"expected {wanted}, the engine: {did}")
        if agent_ids is not None:
            ids = (did.agent_id,) if isinstance(did, AddLeg | CancelLeg) else getattr(did, "agent_ids", agent_ids)
            if ids != agent_ids:
                raise Mismatch(f"expected {wanted}, the engine: {did}")

    # Calls.

    def call_queued(self, event: CallQueued, now: float) -> None:
        call = self.calls.get(event.call_id)
        if call is None:
            self.calls_seen += 1
            call = self.calls[event.call_id] = MCall(event.call_id, self.calls_seen)
        if call.state != "menu":
            return
        call.queue = queue = self.queues[event.queue]
        call.entered_at = now if event.entered_at is None else event.entered_at
        call.extra, call.requires = event.priority, event.requires
        call.customer = event.customer or call.customer
        call.state = "waiting"
        call.held_for = None
        call.relaxed = self.steps_reached(call, now)
        for step in queue.relaxation[call.relaxed :]:
            call.timers.append(self.set(call.entered_at + step.after_s, partial(self.relax, call)))
        self.hold(call, event.agent, now)
        self.call_waits(call, now)

    def hold(self, call: MCall, wanted: str, now: float) -> None:
        queue = call.queue
        sticky = queue.sticky
        agent = self.agents.get(wanted or self.last_agent.get(call.customer, ""))
        until = call.entered_at + sticky.hold_s
        if agent is None or sticky.hold_s <= 0 or now >= until or not fits(agent, call):
            return
        wraps_up = agent.state == "wrap-up" and agent.until is not None
        will_be_free = (wraps_up and (agent.until or inf) - now <= sticky.wait_for_wrap_up_s) or (
            sticky.wait_while_busy and agent.state in ("talking", "reserved")
        )
        if is_idle(agent) or (will_be_free and agent.pending is None):
            call.held_for = agent
            call.timers.append(self.set(until, partial(self.release, call)))

    @staticmethod
    def steps_reached(call: MCall, now: float) -> int:
        return sum(call.entered_at + step.after_s <= now for step in call.queue.relaxation)

    def relax(self, call: MCall, now: float) -> None:
        call.relaxed = self.steps_reached(call, now)
        if call.state == "waiting" and call.held_for is None:
            self.call_waits(call, now)
        elif call.state == "offered" and call.offer is not None:
            self.ring_more(call.offer, now)

    def ring_more(self, offer: MOffer, now: float) -> None:
        while self.takes_more(offer, now) and not self.suspended and (agents := self.candidates(offer.call)):
            self.add_leg(offer, agents[0], now)

    def release(self, call: MCall, now: float) -> None:
        agent, call.held_for = call.held_for, None
        if agent is not None and call in agent.held:
            agent.held.remove(call)
            self.call_waits(call, now)

    def stop_holding(self, agent: MAgent, now: float) -> None:
        for call in list(agent.held):
            if not self.waits_on(call, agent):
                self.release(call, now)

    @staticmethod
    def waits_on(call: MCall, agent: MAgent) -> bool:
        return agent.state not in ("reserved", "talking") or call.queue.sticky.wait_while_busy

    def release_all(self, agent: MAgent, now: float) -> None:
        for call in list(agent.held):
            self.release(call, now)

    def out_of_queue(self, call: MCall) -> None:
        for timer in call.timers:
            self.cancel(timer)
        call.timers = []
        if call.held_for is not None and call in call.held_for.held:
            call.held_for.held.remove(call)
        call.held_for = None

    def leave_queue(self, call: MCall, now: float) -> None:
        offer = call.offer
        call.state = "menu"
        self.out_of_queue(call)
        if offer is not None:
            self.expect(offer.id, CancelOffer)
            self.close(offer)
            self.free_legs(offer.legs, now)

    def call_ended(self, call: MCall, now: float) -> None:
        offer, agent = call.offer, call.agent
        del self.calls[call.id]
        call.state = "ended"
        self.out_of_queue(call)
        if offer is not None:
            self.close(offer)
            self.free_legs(offer.legs, now)
        self.talk_over(agent, call, now)

    # Offers and talks.

    def leg(self, offer_id: str, agent_id: str) -> tuple[MOffer | None, MAgent | None]:
        offer = self.offers.get(offer_id)
        agent = self.agents.get(agent_id)
        return (offer, agent) if offer is not None and agent in offer.legs else (None, None)

    def close(self, offer: MOffer) -> None:
        self.cancel(offer.lease)
        self.cancel(offer.step)
        del self.offers[offer.id]
        offer.call.offer = None

    def free_legs(self, legs: Iterable[MAgent], now: float) -> None:
        for agent in list(legs):
            self.offer_failed(agent, LegFailure.CANCELLED, now)

    def bridged(self, offer: MOffer, agent: MAgent, now: float) -> None:
        call = offer.call
        self.close(offer)
        self.out_of_queue(call)
        call.state, call.agent = "talking", agent
        agent.offer, agent.call = None, call
        self.change(agent, "talking", now)
        if call.customer:
            self.last_agent[call.customer] = agent.id
        self.free_legs([leg for leg in offer.legs if leg is not agent], now)

    def give_back(self, agent: MAgent, pending: tuple[str, str], now: float) -> None:
        agent.pending = pending
        offer = agent.offer
        assert offer is not None
        if offer.winner is not agent:
            self.expect(offer.id, CancelLeg, (agent.id,))
            self.leg_failed(offer, agent, LegFailure.CANCELLED, now)
        else:
            self.release_all(agent, now)

    def leg_failed(self, offer: MOffer, agent: MAgent, reason: LegFailure, now: float) -> None:
        offer.legs.remove(agent)
        if offer.winner is agent:
            offer.winner = None
        if offer.legs:
            self.offer_failed(agent, self.fair(agent, offer, reason, now), now)
            self.ring_more(offer, now)
        else:
            self.back_to_queue(offer, [(agent, reason)], now)

    def back_to_queue(self, offer: MOffer, failures: list[tuple[MAgent, LegFailure]], now: float) -> None:
        """Its place first, then the agents are free, then it goes to whoever else is."""
        call = offer.call
        self.close(offer)
        call.held_for = None
        call.state = "waiting"
        for agent, reason in failures:
            self.offer_failed(agent, self.fair(agent, offer, reason, now), now)
        if call.state == "waiting":
            self.call_waits(call, now)

    @staticmethod
    def fair(agent: MAgent, offer: MOffer, reason: LegFailure, now: float) -> LegFailure:
        late = agent.since > offer.made_at and now - agent.since < _FAIR_RING_S
        return LegFailure.CANCELLED if reason is LegFailure.MISSED and late else reason

    def offer_failed(self, agent: MAgent, reason: LegFailure, now: float) -> None:
        offer, agent.offer = agent.offer, None
        assert offer is not None
        if self.take_pending(agent, now):
            return
        if reason is LegFailure.CANCELLED:
            self.become_ready(agent, now)
            return
        back_off = self.routing.back_off
        if self.routing.missed_resets_idle:
            agent.idle_since = agent.idle_in[offer.call.queue.id] = now
        if reason is LegFailure.MISSED:
            agent.missed += 1
            if agent.missed == back_off.missed_in_row_limit:
                agent.missed = 0
                self.go(agent, "not-ready", now)
                return
        seconds = {LegFailure.MISSED: back_off.missed_s, LegFailure.UNREACHABLE: back_off.unreachable_s}.get(
            reason, back_off.rejected_s
        )
        if seconds <= 0:
            self.become_ready(agent, now)
            return
        self.change(agent, "back-off", now)
        agent.timer = self.set(now + seconds, partial(self.become_ready, agent))
        self.release_all(agent, now)

    def talk_over(self, agent: MAgent | None, call: MCall, now: float) -> None:
        if agent is None:
            return
        queue = call.queue
        agent.call = None
        agent.missed = 0
        talk_s = now - agent.since
        agent.call_counted = talk_s >= self.routing.short_call_s
        if agent.call_counted:
            agent.calls[queue.id] = agent.calls.get(queue.id, 0) + 1
            agent.talk_s[queue.id] = agent.talk_s.get(queue.id, 0.0) + talk_s
            agent.idle_since = agent.idle_in[queue.id] = now
        if agent.pending is not None and agent.pending[0] == "logged-out":
            self.take_pending(agent, now)
        elif queue.wrap_up.mode is WrapUpMode.UNTIL_DONE or queue.wrap_up.seconds > 0:
            self.change(agent, "wrap-up", now)
            agent.wrap_up = queue.wrap_up.mode
            if queue.wrap_up.mode is not WrapUpMode.UNTIL_DONE:
                agent.extension_s = queue.wrap_up.extension_s
                agent.until = now + queue.wrap_up.seconds
                agent.timer = self.set(agent.until, partial(self.wrap_up_over, agent))
        elif not self.take_pending(agent, now):
            self.become_ready(agent, now)

    # Agents.

    def change(self, agent: MAgent, state: str, now: float) -> None:
        self.cancel(agent.timer)
        agent.timer = agent.until = agent.wrap_up = None
        agent.extension_s = 0.0
        agent.state, agent.since = state, now

    def become_ready(self, agent: MAgent, now: float, *, fresh: bool = False) -> None:
        self.change(agent, "ready", now)
        if fresh:
            agent.idle_since = now
        self.agent_idle(agent, now)

    def take_pending(self, agent: MAgent, now: float) -> bool:
        pending, agent.pending = agent.pending, None
        if pending is not None:
            self.go(agent, pending[0], now)
        return pending is not None

    def go(self, agent: MAgent, state: str, now: float) -> None:
        self.change(agent, state, now)
        self.release_all(agent, now)

    def wants_calls(self, agent: MAgent, now: float) -> None:
        agent.pending = None
        agent.missed = 0
        if agent.state in ("logged-out", "not-ready"):
            self.become_ready(agent, now, fresh=True)
        elif agent.state == "back-off":
            self.become_ready(agent, now)
        else:
            self.wrap_up_done(agent, now)

    def wrap_up_done(self, agent: MAgent, now: float) -> None:
        if agent.state == "wrap-up" and agent.wrap_up is not WrapUpMode.FIXED:
            self.wrap_up_over(agent, now)

    def wrap_up_over(self, agent: MAgent, now: float) -> None:
        if agent.call_counted:
            agent.idle_since = now
        if not self.take_pending(agent, now):
            self.become_ready(agent, now)

    def phone(self, agent: MAgent, free: bool, now: float) -> None:
        was_free, agent.phone_free = agent.phone_free, free
        if agent.state == "ready" and free and not was_free:
            self.agent_idle(agent, now)
        elif agent.state == "ready" and not free:
            self.release_all(agent, now)

"""Who gets which call: the decisions, and nothing else.

Two questions only. An agent has become idle: which waiting call goes first, of all that he or she may take? A call
has begun to wait: which idle agent goes first, of all who may take it? Each is asked at the moment it arises, so that
no idle agent and waiting call that fit each other are ever left side by side (work conservation).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.commands import AddLeg, OfferCall, VerifyOffer
from acd.core.offers import Offer
from acd.core.queues import Demand
from acd.core.transitions import AgentState, CallState
from acd.core.world import World
from routing.candidate import Candidate
from routing.idle_orders import OrderValue
from routing.priority import OrderKey
from routing.skills import Requirement
from routing.strategies import FanOut

__all__ = ["Decision", "Matching"]


class Decision(NamedTuple):
    """Why an offer was made, as kept in the call's story and put into words by ``acd.core.explain``.

    ``trigger``: ``agent`` (one became idle), ``call`` (it began to wait, or was relaxed), ``join`` (one more phone).
    ``key``: the call's place in the total order then. ``next_call``: which call would have been next, with its key.
    ``front``: the agents who stood first, with what the strategy ordered them by; empty when one became idle.
    """

    offer_id: str
    agent_ids: tuple[str, ...]
    trigger: str
    queue: str
    requirement: Requirement
    key: OrderKey | None
    next_call: tuple[str, OrderKey] | None
    waiting: int
    front: tuple[tuple[str, OrderValue], ...] = ()


class Matching:
    """The decisions over one world."""

    __slots__ = ("_world",)

    def __init__(self, world: World) -> None:
        self._world = world

    # An agent has become idle.

    def place_agent(self, agent: Agent, now: float) -> None:
        """Offer the agent the call that goes first, or index him or her as idle. Does nothing unless ready and free."""
        if agent.state is not AgentState.READY or not agent.phone_free or agent.is_idle:
            return
        if not self._world.suspended:
            if self._offer_waiting_call(agent, now):
                if agent.personal:
                    self.stop_holding(agent, now)
                return
            if self._join_ringing(agent, now):
                return
        agent.is_idle = True
        agent.idle_stamp += 1
        for demand in agent.demands:
            demand.idle.add(agent)

    def withdraw_agent(self, agent: Agent) -> None:
        """Take the agent out of every index of idle agents."""
        if agent.is_idle:
            agent.is_idle = False
            agent.idle_stamp += 1

    def _offer_waiting_call(self, agent: Agent, now: float) -> bool:
        best_key: OrderKey | None = None
        best: Call | None = None
        second: tuple[str, OrderKey] | None = None
        for demand in agent.demands:
            line = demand.line
            if line.size:
                head = line.head(now)
                if head is not None:
                    key, call = head
                    if best_key is None or key < best_key:
                        if best is not None and best_key is not None:
                            second = (best.id, best_key)
                        best_key, best = key, call
                    elif second is None or key < second[1]:
                        second = (call.id, key)
        for call in agent.personal.values():
            key = call.order_key(now)
            if best_key is None or key < best_key:
                best_key, best = key, call
        if best is None:
            return False
        self._offer(best, [agent], "agent", best_key, second, now)
        return True

    def _join_ringing(self, agent: Agent, now: float) -> bool:
        best: Offer | None = None
        best_key: OrderKey | None = None
        for demand in agent.demands:
            while demand.joinable.size:
                head = demand.joinable.head(now)
                offer = head[1].offer if head is not None else None
                if head is None or offer is None:
                    break
                if self._takes_more(offer, now):
                    if best_key is None or head[0] < best_key:
                        best_key, best = head[0], offer
                    break
                demand.joinable.remove(offer.call)  # its time to ring is over
        if best is None:
            return False
        self._add_leg(best, agent, now)
        return True

    def note_joinable(self, offer: Offer, now: float) -> None:
        """Keep the offer among those that agents may join, or not, as it has come to be."""
        call = offer.call
        if call.demand is None or offer.id not in call.demand.ringing:
            return
        line = call.demand.joinable
        if self._takes_more(offer, now):
            if call not in line:
                line.add(call, now)
        elif call in line:
            line.remove(call)

    def forget_joinable(self, offer: Offer) -> bool:
        """Let nobody join the offer any more. Tells whether agents could be added to it."""
        demand = offer.call.demand
        if demand is None or demand.ringing.pop(offer.id, None) is None:
            return False
        if offer.call in demand.joinable:
            demand.joinable.remove(offer.call)
        return True

    def _takes_more(self, offer: Offer, now: float) -> bool:
        """Tell whether whoever becomes idle may join the offer."""
        return (
            offer.hungry
            and offer.winner is None
            and now < offer.ring_until
            and len(offer.legs) < self._world.routing.max_legs
        )

    # A call has begun to wait.

    def place_call(self, call: Call, now: float, trigger: str = "call") -> None:
        """Offer the call (state WAITING) to who goes first, or let it wait in line."""
        world = self._world
        if call.held_for is not None and not self._waits_on(call):
            call.held_for = None
        if call.held_for is not None:
            if not world.suspended and call.held_for.is_idle:
                self._offer(call, [call.held_for], trigger, None, None, now)
            else:
                call.held_for.personal[call.id] = call
                self._wait(call)
            return
        demand = self._demand_of(call)
        call.demand = demand
        if not world.suspended:
            agents = self._idle_for(demand)
            if agents:
                self._offer(call, agents, trigger, None, None, now, demand.idle.front())
                return
        demand.line.add(call, now)
        self._wait(call)

    def could_be_offered(self, call: Call) -> bool:
        """Whether an agent is idle who may take the call (in a queue) and would be offered it."""
        if self._world.suspended or call.held_for is not None:
            return False
        return self._demand_of(call).idle.first() is not None

    def line_up(self, call: Call, now: float) -> None:
        """Let the call (state WAITING) wait in line without a look at idle agents."""
        call.demand = self._demand_of(call)
        call.demand.line.add(call, now)
        self._wait(call)

    def try_again(self, call: Call, now: float, trigger: str) -> None:
        """Place a call that waits in line anew: its requirement may have changed, or offers may be made again."""
        self.withdraw_call(call)
        self.place_call(call, now, trigger)

    def withdraw_call(self, call: Call) -> None:
        """Take a waiting call out of its line (its state is changed by the caller of this)."""
        if call.held_for is not None:
            call.held_for.personal.pop(call.id, None)
        elif call.demand is not None:
            call.demand.line.remove(call)
        if call.queue is not None:
            call.queue.waiting.pop(call.id, None)

    def release(self, call: Call, now: float) -> None:
        """Let a waiting call that was held for one agent go to anyone."""
        self.withdraw_call(call)
        call.held_for = None
        call.story.tell(now, self._world.cause, "no longer held")
        self.place_call(call, now)

    def stop_holding(self, agent: Agent, now: float) -> None:
        """Let calls go to anyone that wait for this agent, who has got another one, unless they are to wait on."""
        for call in list(agent.personal.values()):
            if not self._waits_on(call):
                self.release(call, now)

    @staticmethod
    def _waits_on(call: Call) -> bool:
        """Whether the call is to wait on for its one agent, who may have got another call."""
        agent = call.held_for
        busy = agent is not None and agent.state in (AgentState.RESERVED, AgentState.TALKING)
        return not busy or (call.queue is not None and call.queue.spec.sticky.wait_while_busy)

    def rejoin(self, call: Call, now: float) -> None:
        """Ring on for what the call asks for now, which has changed while phones ring for it: others may join in."""
        offer = call.offer
        if offer is None or not self.forget_joinable(offer):
            return
        demand = call.demand = self._demand_of(call)
        if demand.queue.strategy.fan_out is FanOut.ONE:
            offer.hungry = False
            self._world.timers.cancel(offer.step_timer)
            return
        demand.ringing[offer.id] = offer
        self.note_joinable(offer, now)
        self.ring_more(offer, now)

    def ring_more(self, offer: Offer, now: float) -> None:
        """Ring further phones for an offer that has room for them, as far as agents are idle."""
        demand = offer.call.demand
        while demand is not None and not self._world.suspended and self._takes_more(offer, now):
            agents = self._idle_for(demand)
            if not agents:
                return
            self._add_leg(offer, agents[0], now)

    def purge(self, call: Call) -> None:
        """Take a call of which nothing is certain out of wherever it may be waiting (a pass over everything)."""
        for queue in self._world.queues.values():
            queue.waiting.pop(call.id, None)
            for demand in queue.demands.values():
                if any(waiting is call for waiting in demand.line):
                    demand.line.remove(call)
        for agent in self._world.agents.values():
            agent.personal.pop(call.id, None)

    def place_all(self, now: float) -> None:
        """Match everyone who can be matched, in the total order (when offers are resumed)."""
        world = self._world
        waiting = [call for queue in world.queues.values() for call in queue.waiting.values()]
        for call in sorted(waiting, key=lambda call: call.order_key(now)):
            if call.state is CallState.WAITING:
                self.try_again(call, now, "resumed")
        if any(offer.hungry for offer in world.offers.values()):
            idle = [agent for agent in world.agents.values() if agent.is_idle]
            for agent in sorted(idle, key=lambda agent: (agent.idle_since, agent.index)):
                self._join_ringing(agent, now)

    def _demand_of(self, call: Call) -> Demand:
        queue = call.queue
        if queue is None:
            raise LookupError(f"call {call.id} waits in no queue")
        return self._world.demand(queue, call.requirement())

    def _idle_for(self, demand: Demand) -> list[Agent]:
        fan_out = demand.queue.strategy.fan_out
        if fan_out is FanOut.ALL:
            return list(islice(demand.idle.ordered(), self._world.routing.max_legs))  # type: ignore[arg-type]
        first = demand.idle.first()
        return [] if first is None else [first]  # type: ignore[list-item]

    @staticmethod
    def _wait(call: Call) -> None:
        if call.queue is not None:
            call.queue.waiting[call.id] = call

    # The offer itself.

    def _offer(
        self,
        call: Call,
        agents: list[Agent],
        trigger: str,
        key: OrderKey | None,
        second: tuple[str, OrderKey] | None,
        now: float,
        front: Sequence[tuple[Candidate, OrderValue]] = (),
    ) -> None:
        world = self._world
        queue = call.queue
        if queue is None:
            raise LookupError(f"call {call.id} waits in no queue")
        waiting = len(queue.waiting)
        agent_ids = tuple([agent.id for agent in agents])
        if call.id in queue.waiting:
            self.withdraw_call(call)
        call.offers_made += 1
        offer = Offer(f"{call.id}.{call.offers_made}", call, now, queue.spec.ring_timeout_s)
        world.offers[offer.id] = offer
        call.offer = offer
        queue.offered += 1
        call.change(
            CallState.OFFERED,
            now,
            world.cause,
            Decision(
                offer.id,
                agent_ids,
                trigger,
                queue.spec.id,
                call.demand.requirement if call.demand is not None else Requirement(),
                key,
                second,
                waiting,
                tuple([(agent.id, value) for agent, value in front]),
            ),
        )
        for agent in agents:
            self._reserve(agent, offer, now)
        queue.strategy.picked(agents[0])
        offer.lease = world.timers.set(offer.ring_until + world.routing.lease_margin_s, self._lease_expired, offer)
        self._prepare_joining(offer, now)
        world.out.append(OfferCall(world.cause, offer.id, call.id, agent_ids, queue.spec.id, queue.spec.ring_timeout_s))
        if offer.hungry:
            self.ring_more(offer, now)  # of ring-all, when one agent's turn brought the call up while others were idle

    def _reserve(self, agent: Agent, offer: Offer, now: float) -> None:
        self.withdraw_agent(agent)
        offer.legs[agent.id] = agent
        agent.offer = offer
        agent.working_since = now
        self._world.change_agent(agent, AgentState.RESERVED, now, offer.call.id, offer.ring_until)

    def _prepare_joining(self, offer: Offer, now: float) -> None:
        call = offer.call
        if call.demand is None or call.queue is None or call.held_for is not None:
            return
        fan_out = call.queue.strategy.fan_out
        if fan_out is FanOut.ONE:
            return
        call.demand.ringing[offer.id] = offer
        if fan_out is FanOut.ALL:
            offer.hungry = True
            self.note_joinable(offer, now)
        else:
            self._arm_step(offer, now)

    def _arm_step(self, offer: Offer, now: float) -> None:
        queue = offer.call.queue
        if queue is not None:
            step_s = queue.strategy.number("step_s", 5.0)
            offer.step_timer = self._world.timers.set(now + step_s, self._step, offer)

    def _step(self, offer: Offer, now: float) -> None:
        offer.step_timer = None
        demand = offer.call.demand
        if demand is None or offer.winner is not None or now >= offer.ring_until:
            return
        full = len(offer.legs) >= self._world.routing.max_legs
        agents = [] if full or self._world.suspended else self._idle_for(demand)
        if agents:
            self._add_leg(offer, agents[0], now)
        else:
            offer.hungry = True
            self.note_joinable(offer, now)

    def _add_leg(self, offer: Offer, agent: Agent, now: float) -> None:
        world = self._world
        call = offer.call
        self._reserve(agent, offer, now)
        queue = call.queue
        if queue is None or call.demand is None:
            raise LookupError(f"call {call.id} waits in no queue")
        queue.strategy.picked(agent)
        call.story.tell(
            now,
            world.cause,
            "one more phone",
            Decision(
                offer.id, (agent.id,), "join", queue.spec.id, call.demand.requirement, None, None, len(queue.waiting)
            ),
        )
        if queue.strategy.fan_out is FanOut.PROGRESSIVE:
            offer.hungry = False
            world.timers.cancel(offer.step_timer)
            self._arm_step(offer, now)
        self.note_joinable(offer, now)
        world.out.append(AddLeg(world.cause, offer.id, call.id, agent.id, offer.ring_until - now))

    def _lease_expired(self, offer: Offer, now: float) -> None:
        world = self._world
        if offer.id in world.offers:
            offer.lease = world.timers.set(now + world.routing.lease_margin_s, self._lease_expired, offer)
            world.out.append(VerifyOffer(world.cause, offer.id, offer.call.id, tuple(offer.legs)))

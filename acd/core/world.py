"""Everything the engine knows, and what it decided while handling one event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.commands import AgentStateChanged, Command
from acd.core.offers import Offer
from acd.core.queues import Demand, Queue
from acd.core.specs import AgentSpec, QueueSpec, RoutingSpec
from acd.core.timers import Timers
from acd.core.transitions import AgentState
from routing.skills import Requirement
from routing.strategies import Strategy, StrategyContext

if TYPE_CHECKING:
    from routing.idle_orders import Uniform

__all__ = ["World"]

_DEMANDS_PER_QUEUE = 1000
"""Requirements kept per queue; unused ones make room. Bounds memory when look-ups invent requirements."""
_ENDED_CALLS = 1000
"""Ended calls kept for explaining."""
_LAST_AGENTS = 50_000
"""Customers whose last agent is remembered."""


class World:
    """State of the engine. Changed by the functions of its sister modules only, within ``Engine.handle``."""

    def __init__(self, routing: RoutingSpec, rng: Uniform, strategies: Mapping[str, type[Strategy]]) -> None:
        self.routing = routing
        self.rng = rng
        self.strategies = dict(strategies)
        self.queues: dict[str, Queue] = {}
        self.agents: dict[str, Agent] = {}
        self.calls: dict[str, Call] = {}
        self.ended: dict[str, Call] = {}
        """The last calls that ended, oldest first: what is still explained from memory."""
        self.offers: dict[str, Offer] = {}
        self.timers = Timers()
        self.suspended = ""
        """Why no offers are made; empty when they are."""
        self.last_agent: dict[str, str] = {}
        """Customer to the agent who talked to him or her last."""
        self.cause = 0
        """Number of the input event being handled, from 1."""
        self.out: list[Command] = []
        self.stale_events = 0
        """Inputs that came too late to matter."""
        self.faults = 0
        self.agents_seen = 0
        self.calls_seen = 0

    def __getstate__(self) -> dict[str, object]:
        """What a copy of this needs to decide as this does: calls that have ended are for explaining alone."""
        return self.__dict__ | {"ended": {}}

    def add_queue(self, spec: QueueSpec) -> Queue:
        """Create a queue. Raises KeyError when its strategy is not installed."""
        queue = self.queues[spec.id] = Queue(spec, self.new_strategy(spec))
        return queue

    def new_strategy(self, spec: QueueSpec) -> Strategy:
        """Return a fresh strategy for the queue."""
        return self.strategies[spec.strategy](StrategyContext(spec.id, self.rng, spec.strategy_options))

    def add_agent(self, spec: AgentSpec, now: float) -> Agent:
        """Create an agent, logged out, member of the queues in the configuration."""
        agent = Agent(self.agents_seen, spec, now, self.routing.idle_scope, self.routing.count_scope)
        self.agents_seen += 1
        self.agents[spec.id] = agent
        for queue_id in spec.queues:
            self.queues[queue_id].members[spec.id] = agent
        self.rebuild_demands(agent)
        return agent

    def rebuild_demands(self, agent: Agent) -> None:
        """Find out anew what the agent may take, and index an idle one accordingly."""
        was_idle = agent.is_idle
        agent.idle_stamp += 1  # whatever lists the agent as idle lists the past
        agent.demands = [
            demand
            for queue in self.queues.values()
            if agent.id in queue.members
            for demand in queue.demands.values()
            if demand.requirement.met_by(agent.levels, agent.spec.groups)
        ]
        if was_idle:
            for demand in agent.demands:
                demand.idle.add(agent)

    def demand(self, queue: Queue, requirement: Requirement) -> Demand:
        """Return the queue's demand for the requirement, made when first needed."""
        found = queue.demands.get(requirement)
        if found is not None:
            return found
        if len(queue.demands) >= _DEMANDS_PER_QUEUE:
            self._drop_unused_demands(queue)
        demand = queue.demands[requirement] = Demand(queue, requirement)
        for agent in _who_may(queue, requirement):
            if requirement.met_by(agent.levels, agent.spec.groups):
                agent.demands.append(demand)
                if agent.is_idle:
                    demand.idle.add(agent)
        return demand

    def _drop_unused_demands(self, queue: Queue) -> None:
        unused = {id(demand) for demand in queue.demands.values() if not demand.line.size and not demand.ringing}
        queue.demands = {key: demand for key, demand in queue.demands.items() if id(demand) not in unused}
        for agent in queue.members.values():
            agent.demands = [demand for demand in agent.demands if id(demand) not in unused]

    def change_agent(
        self, agent: Agent, state: AgentState, now: float, reason: str = "", until: float | None = None
    ) -> None:
        """Change an agent's state and tell whoever listens; the state's own timer ends."""
        if agent.state_timer is not None:
            self.timers.cancel(agent.state_timer)
            agent.state_timer = None
        agent.change(state, now, self.cause, reason, until)
        self.out.append(AgentStateChanged(self.cause, agent.id, state.value, reason, until))

    def tell_agent(self, agent: Agent) -> None:
        """Tell whoever listens that something about the agent's present state has changed."""
        self.out.append(AgentStateChanged(self.cause, agent.id, agent.state.value, agent.reason, agent.until))

    def forget_call(self, call: Call) -> None:
        """Move a call that has ended from the live ones to the recent ones."""
        del self.calls[call.id]
        self.ended.pop(call.id, None)
        self.ended[call.id] = call
        if len(self.ended) > _ENDED_CALLS:
            del self.ended[next(iter(self.ended))]

    def remember_agent(self, customer: str, agent_id: str) -> None:
        """Note who talked to the customer last; the longest unseen customers make room."""
        if customer:
            self.last_agent.pop(customer, None)
            self.last_agent[customer] = agent_id
            if len(self.last_agent) > _LAST_AGENTS:
                del self.last_agent[next(iter(self.last_agent))]


def _who_may(queue: Queue, requirement: Requirement) -> Iterable[Agent]:
    """Return the agents of the queue who are worth a look: all of them, but for a call that asks for one alone."""
    if not requirement.one_agent:
        return queue.members.values()
    agent = queue.members.get(requirement.one_agent)
    return () if agent is None else (agent,)

"""Taking a changed configuration between two events: nobody who waits is lost, re-ordered or disconnected.

- A queue that changed: its waiting calls keep their time of entry and take its new requirement, priority and deadlines.
- A queue that is gone: whoever waits in it is still served by those who served it; it takes no new calls and goes when
  the last one has left.
- An agent who is gone: a ringing phone is cancelled, a talk (or a phone just picked up) goes on to its end, wrap-up
  included unless only the agent could end it; then the agent goes.
"""

from __future__ import annotations

from acd.core.agent_desk import NOT_CONFIGURED, AgentDesk
from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.matching import Matching
from acd.core.offering import Offering
from acd.core.queues import Queue
from acd.core.specs import RoutingSpec
from acd.core.transitions import AgentState, CallState
from acd.core.waiting_room import WaitingRoom
from acd.core.world import World

__all__ = ["Reconfiguration"]


class Reconfiguration:
    """Changes of configuration in one world."""

    __slots__ = ("_desk", "_matching", "_offering", "_room", "_world", "retired_queues")

    def __init__(
        self, world: World, matching: Matching, room: WaitingRoom, desk: AgentDesk, offering: Offering
    ) -> None:
        self._world = world
        self._matching = matching
        self._room = room
        self._desk = desk
        self._offering = offering
        self.retired_queues: list[Queue] = []
        """No longer configured, and not empty yet."""
        desk.when_gone(self._agent_gone)

    def take(self, routing: RoutingSpec, now: float) -> None:
        """Use this configuration from now on. Raises KeyError, with nothing changed, for an unknown strategy."""
        world = self._world
        for spec in routing.queues.values():
            world.strategies[spec.strategy]
        suspended, world.suspended = world.suspended, "the configuration is being changed"
        self._lift()
        for agent in [agent for agent in world.agents.values() if agent.id not in routing.agents]:
            self._retire(agent, now)
        self._lift()  # calls that a retired agent's phone gave back
        world.routing = routing
        self._take_queues(routing)
        self._take_agents(routing, now)
        for agent in world.agents.values():
            agent.idle_scope, agent.count_scope = routing.idle_scope, routing.count_scope
            world.rebuild_demands(agent)
        for call in self._in_queues():
            self._room.settle(call, now)
        self.retired_queues = [queue for queue in world.queues.values() if queue.retired]
        world.suspended = suspended
        if not suspended:
            self._matching.place_all(now)
        for queue in list(world.queues.values()):
            self._room.recheck(queue, now)

    def drop_empty_queues(self) -> None:
        """Let retired queues go whose last waiting call has left."""
        for queue in self.retired_queues:
            if not queue.waiting and not queue.offered:
                del self._world.queues[queue.spec.id]
                for agent in queue.members.values():
                    agent.demands = [demand for demand in agent.demands if demand.queue is not queue]
        self.retired_queues = [queue for queue in self.retired_queues if queue.waiting or queue.offered]

    def _in_queues(self) -> list[Call]:
        return [call for call in self._world.calls.values() if call.state in (CallState.WAITING, CallState.OFFERED)]

    def _lift(self) -> None:
        for call in self._in_queues():
            if call.queue is not None and (call.state is CallState.OFFERED or call.id in call.queue.waiting):
                self._room.lift(call)

    def _take_queues(self, routing: RoutingSpec) -> None:
        world = self._world
        for queue_id, spec in routing.queues.items():
            queue = world.queues.get(queue_id)
            if queue is None:
                world.add_queue(spec)
                continue
            same = (spec.strategy, dict(spec.strategy_options)) == (
                queue.spec.strategy,
                dict(queue.spec.strategy_options),
            )
            queue.spec = spec
            queue.retired = False
            if not same:
                queue.strategy = world.new_strategy(spec)
            queue.demands = {}
        for queue_id, queue in world.queues.items():
            if queue_id not in routing.queues:
                queue.retired = True
                queue.demands = {}

    def _take_agents(self, routing: RoutingSpec, now: float) -> None:
        world = self._world
        for agent in list(world.agents.values()):
            spec = routing.agents.get(agent.id)
            if spec is None:
                continue  # retired, and still on a call
            agent.retired = False
            agent.take_spec(spec)
            for queue_id, queue in world.queues.items():
                if queue_id in spec.queues:
                    queue.members[agent.id] = agent
                elif not queue.retired:
                    queue.members.pop(agent.id, None)
        for spec in routing.agents.values():
            if spec.id not in world.agents:
                agent = world.add_agent(spec, now)
                if spec.start != "logged-out":
                    self._desk.log_in(agent, now, ready=spec.start == "ready", reason="")

    def _retire(self, agent: Agent, now: float) -> None:
        agent.retired = True
        if agent.offer is not None:
            if agent.offer.winner is not agent:
                self._offering.cancel_leg(agent, "agent no longer configured", now)
        elif agent.state is AgentState.LOGGED_OUT:
            self._agent_gone(agent, now)
        elif agent.state is not AgentState.TALKING and (agent.state is not AgentState.WRAP_UP or agent.until is None):
            self._desk.log_out(agent, now, NOT_CONFIGURED)

    def _agent_gone(self, agent: Agent, now: float) -> None:  # noqa: ARG002
        world = self._world
        world.agents.pop(agent.id, None)
        for queue in world.queues.values():
            queue.members.pop(agent.id, None)
        agent.demands = []

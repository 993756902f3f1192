"""A frozen view of the engine for pages, metrics and logs: plain values only, nothing that could be changed.

Times are seconds before the moment of the snapshot (``waited_s`` and the like): no reader needs the engine's clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from acd.core.estimates import next_call_wait_s, position
from acd.core.transitions import AgentState, CallState
from acd.core.world import World

__all__ = ["AgentView", "CallView", "QueueView", "Snapshot", "take_snapshot"]


@dataclass(frozen=True, slots=True)
class CallView:
    """One live call. ``position`` is 0 unless it waits; ``waited_s`` counts from its entry into the queue."""

    id: str
    state: CallState
    caller: str
    dialled: str
    queue: str
    priority: int
    requirement: str
    position: int
    waited_s: float
    in_state_s: float
    offered_to: tuple[str, ...]
    agent: str
    language: str
    customer: str


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue. ``ready`` counts idle members, ``staffed`` those logged in and not not-ready."""

    id: str
    title: str
    strategy: str
    waiting: int
    offered: int
    talking: int
    longest_wait_s: float
    estimated_wait_s: float | None
    logged_in: int
    ready: int
    staffed: int
    handled: int
    is_open: bool
    hours: str
    """Open or closed, until when and why; empty for a queue without opening hours."""
    retired: bool


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent. ``until_s``: seconds until the state ends by itself, None when it does not."""

    id: str
    name: str
    phone: str
    state: AgentState
    reason: str
    in_state_s: float
    until_s: float | None
    device: str
    idle: bool
    call: str
    queues: tuple[str, ...]
    calls: int
    talk_s: float
    missed_in_row: int
    pending: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one moment; calls in order of arrival, queues and agents in order of configuration."""

    calls: tuple[CallView, ...]
    queues: tuple[QueueView, ...]
    agents: tuple[AgentView, ...]
    suspended: str
    inputs: int
    stale_events: int
    faults: int


def take_snapshot(world: World, now: float) -> Snapshot:
    """Copy what readers need (a pass over everything: for once a second, not for every event)."""
    talking: dict[str, int] = {}
    calls = []
    for call in world.calls.values():
        queue = call.queue
        if call.state is CallState.TALKING and queue is not None:
            talking[queue.spec.id] = talking.get(queue.spec.id, 0) + 1
        in_line = call.state is CallState.WAITING and call.held_for is None
        calls.append(
            CallView(
                id=call.id,
                state=call.state,
                caller=call.caller,
                dialled=call.dialled,
                queue=queue.spec.id if queue is not None else "",
                priority=call.extra_priority + (queue.spec.priority.base if queue is not None else 0),
                requirement=str(call.demand.requirement) if call.demand is not None else "",
                position=position(call, now) if in_line else 0,
                waited_s=(call.answered_at or now) - call.entered_at if queue is not None else 0.0,
                in_state_s=now - call.since,
                offered_to=tuple(call.offer.legs) if call.offer is not None else (),
                agent=call.agent.id if call.agent is not None else "",
                language=call.language,
                customer=call.customer,
            )
        )
    queues = []
    for queue in world.queues.values():
        members = queue.members.values()
        waits = [now - call.entered_at for call in queue.waiting.values()]
        queues.append(
            QueueView(
                id=queue.spec.id,
                title=queue.spec.title,
                strategy=queue.spec.strategy,
                waiting=len(queue.waiting),
                offered=queue.offered,
                talking=talking.get(queue.spec.id, 0),
                longest_wait_s=max(waits, default=0.0),
                estimated_wait_s=next_call_wait_s(queue, now),
                logged_in=sum(agent.is_logged_in for agent in members),
                ready=sum(agent.is_idle for agent in members),
                staffed=sum(agent.is_working for agent in members),
                handled=queue.handled,
                is_open=queue.is_open,
                hours=queue.hours_why,
                retired=queue.retired,
            )
        )
    agents = tuple(
        AgentView(
            id=agent.id,
            name=agent.spec.name,
            phone=agent.spec.phone,
            state=agent.state,
            reason=agent.reason,
            in_state_s=now - agent.since,
            until_s=agent.until - now if agent.until is not None else None,
            device=agent.device.value,
            idle=agent.is_idle,
            call=agent.call.id if agent.call is not None else (agent.offer.call.id if agent.offer is not None else ""),
            queues=tuple(agent.spec.queues),
            calls=agent.counts.calls,
            talk_s=agent.counts.talk_s,
            missed_in_row=agent.missed_in_row,
            pending=agent.pending[0].value if agent.pending is not None else "",
        )
        for agent in world.agents.values()
    )
    return Snapshot(tuple(calls), tuple(queues), agents, world.suspended, world.cause, world.stale_events, world.faults)

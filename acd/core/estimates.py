"""How long a waiting call will still wait, from what can be known at that moment.

Method: the call at position n of a queue with c agents working for it, each busy for h seconds per call on average,
waits for n of them to become free: n * h / c (the "queue length" predictor of Ibrahim and Whitt, *Real-time delay
estimation based on delay history*, 2009). h is a smoothed mean of talk and wrap-up per call of the queue. An agent who
serves several queues counts here by this queue's share of the work that waits or is in hand in them. Nothing in it
depends on how long the call has waited, so an estimate does not grow merely because an average was passed: it changes
when the position, the staff or the handling time does.
"""

from __future__ import annotations

from acd.core.calls import Call
from acd.core.queues import Queue
from acd.core.world import World

__all__ = ["estimated_wait_s", "note_handling", "position"]

_SMOOTHING = 0.05
"""Weight of the newest call in the mean handling time: about the last 20 calls count."""


def note_handling(queue: Queue, handling_s: float) -> None:
    """Take a finished call's talk and wrap-up time (seconds) into the queue's mean."""
    queue.handled += 1
    weight = max(_SMOOTHING, 1.0 / queue.handled)
    queue.working_s += weight * (handling_s - queue.working_s)


def position(call: Call, now: float) -> int:
    """Place of a waiting call among those of its queue, from 1."""
    queue = call.queue
    if queue is None:
        return 0
    key = queue.spec.priority.key(call.extra_priority, call.entered_at, call.sequence, now)
    ahead = sum(demand.line.ahead_of(key, now) for demand in queue.demands.values() if demand.line.size)
    return ahead + 1


def estimated_wait_s(world: World, queue: Queue, place: int) -> float | None:
    """Estimated wait of the call at ``place`` (from 1), in seconds; None while nothing is known yet.

    Nobody working for the queue: None as well, as no number would be true.
    """
    if not queue.handled:
        return None
    manned = _manned(world, queue)
    return place * queue.working_s / manned if manned > 0 else None


def _manned(world: World, queue: Queue) -> float:
    """Agents working for the queue, those of several queues by this queue's share of the load."""
    total = 0.0
    loads: dict[str, float] = {}

    def load(queue_id: str) -> float:
        found = loads.get(queue_id)
        if found is None:
            other = world.queues[queue_id]
            found = loads[queue_id] = (len(other.waiting) + other.offered) * max(other.working_s, 1.0) + 1e-9
        return found

    for agent in queue.members.values():
        if agent.is_working:
            queues = [queue_id for queue_id in agent.spec.queues if queue_id in world.queues]
            share = load(queue.spec.id) / sum(load(queue_id) for queue_id in queues) if len(queues) > 1 else 1.0
            total += share
    return total

"""How long a waiting call will still wait, from what can be known at that moment.

Method, for a call that asks for something of a queue:

1. The work ahead, in calls: ``x`` who ask for the same and go first, this call included; and for everything else that
   the same agents may be given (other queues, other requirements), ``y`` each who go first in the one total order,
   weighed by their queue's handling time over this queue's.
2. The staff: ``a`` agents at work who may take this call. Of each other demand, ``b`` agents who may take that but not
   this one: they relieve ours of some of the ``y``.
3. ``n = x + sum(max(0, y - b t/h))`` calls then go first in the time ``t`` to come, and ``t = n h / a``: the "queue
   length" predictor (Ibrahim and Whitt, *Real-Time Delay Estimation Based on Delay History*, 2009), the best there is
   for exponential handling times when everybody waits patiently. Solved for ``t``. Agents who may take nothing else but
   this bound it: ``t <= x h / (a of those)``.
4. Callers hang up: with ``q`` hang-ups per second and waiting caller, ``t`` becomes ``ln(1 + q t) / q``, the sum of
   ``1 / (a/h + i q)`` over the places ahead (the "QL_a" of the same authors, 2009).
5. Calls will come that go first although they come later, by their priority: ``r`` a second. They take the share
   ``r h / a`` of the staff, so that ``t`` becomes ``t / (1 - r h / a)``, as in any queue with priorities (Cobham 1954).

One third is taken off ``x``: what is told is about the median of the wait, which half of the callers undercut; the
mean of the same is a third of a call longer.

``h`` is the mean time from an agent's being reserved to being free again, of about the last 1,000 calls of the
queue: so many, because its error is multiplied by the position. ``q`` is hang-ups over seconds waited, of about as
many calls. ``r`` is counted over about the last quarter of an hour.

Nothing in it depends on how long the call has waited, so an estimate never grows because time, or an average, has
passed: it changes when the position, the staff, the handling time, the callers' patience or the traffic does. An agent
who has asked to leave or to be not ready after the present call no longer counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import log1p
from typing import TYPE_CHECKING, NamedTuple

from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.transitions import AgentState
from routing.priority import OrderKey
from routing.skills import Requirement

if TYPE_CHECKING:
    from acd.core.queues import Demand, Queue

__all__ = ["Staffing", "estimated_wait_s", "next_call_wait_s", "note_handling", "note_wait", "position"]

_PATIENTLY_S = 3600.0
"""An hour of waiting without a hang-up is taken for granted: the first one or two do not mean that everybody leaves."""
_MEDIAN = 1.0 / 3.0
_NEWEST = 0.002
"""Weight of the newest call in the means."""
_MOST_OVERTAKING = 0.9
_ALWAYS_FRESH = 200
_AGED_PER_AGENT_S = 0.01
_OLDEST_S = 10.0
"""Counting the staff is a pass over it and over the agents of all queues that share some of it. Up to 200 agents it is
done for each estimate; the count of more is used for as long as its cost and its error, both in proportion to their
number, allow."""
_MOST_COUNTED = 500
"""Of so many agents of the queue, and of the other queues together, each one is looked at; of more, every so manieth,
who stands for those beside: a pass over ten thousand would hold up all callers."""


class Staffing(NamedTuple):
    """Who works for a requirement of a queue.

    ``own``: agents who may take its calls; ``only``: those of them who may take nothing else. ``others``: each other
    demand on those agents, and how many agents serve that and not this; one who serves several counts in parts.
    """

    counted_at: float
    looked_at: int
    own: int
    only: int
    others: tuple[tuple[Demand, float], ...]

    def fresh_at(self, now: float) -> bool:
        """Whether it may still be used. ``looked_at``: how many agents a new count would look at."""
        looked_at = self.looked_at
        return looked_at > _ALWAYS_FRESH and now - self.counted_at < min(looked_at * _AGED_PER_AGENT_S, _OLDEST_S)


def note_handling(queue: Queue, handling_s: float) -> None:
    """Take a finished call's handling time, ring to end of wrap-up (seconds), into the queue's mean."""
    queue.handlings += 1
    queue.handling_s += max(_NEWEST, 1.0 / queue.handlings) * (handling_s - queue.handling_s)


def note_wait(queue: Queue, waited_s: float, *, hung_up: bool) -> None:
    """Take a call's wait in the queue, however it ended, into what is known of the callers' patience."""
    if waited_s > 0.0:
        queue.waited_s = queue.waited_s * (1.0 - _NEWEST) + waited_s
        queue.hang_ups = queue.hang_ups * (1.0 - _NEWEST) + hung_up


def position(call: Call, now: float) -> int:
    """Place of a waiting call among those of its queue, from 1."""
    queue = call.queue
    if queue is None:
        return 0
    key = call.order_key(now)
    ahead = sum(demand.line.ahead_of(key, now) for demand in queue.demands.values() if demand.line.size)
    return ahead + 1


def estimated_wait_s(call: Call, now: float, *, viewed: bool = False) -> float | None:
    """Return how long the call, in its queue or about to enter it, will still wait, in seconds.

    None while nothing is known yet, and when nobody works for it: no number would be true. ``viewed``: for a reader
    outside of an event, who must leave no trace in what is decided.
    """
    queue = call.queue
    if queue is None:
        return None
    return _estimate(queue, call.requirement(), call.order_key(now), now, viewed=viewed)


def next_call_wait_s(queue: Queue, now: float) -> float | None:
    """Return how long a call would wait that entered the queue now and asked for nothing special (seconds)."""
    requirement = queue.spec.requirement
    if any(agent.is_idle and requirement.met_by(agent.levels, agent.spec.groups) for agent in queue.members.values()):
        return 0.0
    return _estimate(queue, requirement, queue.spec.priority.key(0, now, 1 << 62, now), now, viewed=True)


def _estimate(queue: Queue, requirement: Requirement, key: OrderKey, now: float, *, viewed: bool) -> float | None:
    if not queue.handlings:
        return None
    counted = queue.staffing_viewed if viewed else queue.staffing
    staffing = counted.get(requirement)
    if staffing is None or not staffing.fresh_at(now):
        staffing = counted[requirement] = _count_staff(queue, requirement, now)
    if not staffing.own:
        return None
    demand = queue.demands.get(requirement)
    ahead = 1 + (demand.line.ahead_of(key, now) if demand is not None else 0)
    handling_s = queue.handling_s
    wait_s = _time_to_serve(staffing, ahead, handling_s, key, now)
    wait_s /= 1.0 - min(_share_overtaking(queue, staffing, key, now), _MOST_OVERTAKING)
    if queue.hang_ups > 0.0:
        rate = queue.hang_ups / (queue.waited_s + _PATIENTLY_S)
        wait_s = log1p(rate * wait_s) / rate
    return wait_s


def _time_to_serve(staffing: Staffing, ahead: int, handling_s: float, key: OrderKey, now: float) -> float:
    """Solve t = (x + sum(max(0, y - b t/h))) h / a, in units of h: the sum runs over the largest y / b first."""
    rivals = []
    for demand, helpers in staffing.others:
        if demand.line.size:
            calls = demand.line.ahead_of(key, now) * (demand.queue.handling_s / handling_s or 1.0)
            if calls > 0.0:
                rivals.append((calls / helpers if helpers else float("inf"), calls, helpers))
    work, staff = ahead - _MEDIAN, float(staffing.own)
    for relief, calls, helpers in sorted(rivals, reverse=True):
        if work / staff >= relief:
            break  # their own agents are done with them by then, and with all that follow
        work += calls
        staff += helpers
    rounds = work / staff
    if staffing.only:
        rounds = min(rounds, (ahead - _MEDIAN) / staffing.only)
    return rounds * handling_s


def _share_overtaking(queue: Queue, staffing: Staffing, key: OrderKey, now: float) -> float:
    """Share of the staff's time that goes to calls that have yet to come and will go first (step 5)."""
    tier, minus_points, _, _ = key
    if tier == 0:
        return 0.0  # overdue: nobody goes first who comes later
    share = queue.arrivals.rate_above(-minus_points - queue.spec.priority.base, now) * queue.handling_s
    others = {demand.queue: helpers for demand, helpers in staffing.others if demand.queue is not queue}
    for other, helpers in others.items():
        rate = other.arrivals.rate_above(-minus_points - other.spec.priority.base, now)
        if rate > 0.0:
            share += rate * other.handling_s * staffing.own / (staffing.own + helpers)
    return share / staffing.own


def _count_staff(queue: Queue, requirement: Requirement, now: float) -> Staffing:
    step = 1 + len(queue.members) // _MOST_COUNTED
    own = only = 0
    others: dict[Demand, float] = {}
    for agent in _at_work(queue, step):
        if not requirement.met_by(agent.levels, agent.spec.groups):
            continue
        own += step
        shared = False
        for demand in agent.demands:
            if demand.queue is not queue or demand.requirement != requirement:
                shared = True
                if demand not in others:
                    others[demand] = 0.0
        only += 0 if shared else step
    looked_at = len(queue.members) // step + _count_helpers(queue, requirement, others)
    return Staffing(now, looked_at, own, only, tuple(others.items()))


def _count_helpers(queue: Queue, requirement: Requirement, others: dict[Demand, float]) -> int:
    """Count who serves the other demands and not this one; returns how many agents were looked at."""
    queues = {demand.queue.spec.id: demand.queue for demand in others}
    listed = sum(len(other.members) for other in queues.values())
    step = 1 + listed // _MOST_COUNTED
    for other in queues.values():
        for agent in _at_work(other, step):
            if agent.id in queue.members and requirement.met_by(agent.levels, agent.spec.groups):
                continue
            serves = [demand for demand in agent.demands if demand in others]
            if serves:
                # Whoever is in several of these queues comes up in each of them: a part of the agent each time.
                times = sum(1 for queue_id in agent.spec.queues if queue_id in queues) or 1
                for demand in serves:
                    others[demand] += step / (len(serves) * times)
    return listed // step


def _at_work(queue: Queue, step: int) -> Iterator[Agent]:
    """Agents of the queue who take calls and will take more: not those who are about to leave, or cannot be rung.

    ``step``: every so manieth of the queue's agents only.
    """
    for agent in islice(queue.members.values(), 0, None, step):
        stays = agent.is_working and agent.pending is None and not agent.retired
        if stays and (agent.state is not AgentState.READY or agent.phone_free):
            yield agent

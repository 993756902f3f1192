"""Why a call went where it went, and why an agent has no call: from the stories, when somebody asks.

A decision stores little (``acd.core.matching.Decision``), so that deciding stays cheap. Who was ruled out, and by what,
is worked out here: each agent's story tells the state at the decision's moment, the configuration tells the rest. An
agent whose story no longer reaches back so far is listed as such, not guessed.

The answers are plain dictionaries (JSON values). Times are seconds on the engine's clock, named ``…at_s``: whoever
shows them adds the date.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from operator import itemgetter
from typing import cast

from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.estimates import estimated_wait_s, position
from acd.core.events import MenuStepped
from acd.core.matching import Decision
from acd.core.offers import Offer
from acd.core.past import STATE_WORDS, Past, why_not_now
from acd.core.stories import Happening
from acd.core.timers import Timer
from acd.core.transitions import AgentState, CallState
from acd.core.world import World
from routing.priority import OrderKey

__all__ = ["Explanation", "explain_agent", "explain_call"]

Explanation = dict[str, object]
"""A JSON object."""

_NAMED = 50
"""So many agents are listed by name for each reason; the others are counted."""

_TIMER_WORDS = {
    "_relax": "relaxes its requirement",
    "_announce": "hears a message",
    "_overflow_due": "overflow rules are looked at",
    "_release": "is no longer held for one agent",
    "_lease_expired": "the offer is verified",
    "_step": "one more phone rings",
    "_wrap_up_over": "wrap-up ends",
    "_back_off_over": "back-off ends",
    "_login_over": "login limit",
}


def explain_call(world: World, call_id: str, now: float) -> Explanation | None:
    """Tell the story of a live or recent call with each decision; None when the call is not known (any more)."""
    call = world.calls.get(call_id) or world.ended.get(call_id)
    if call is None:
        return None
    queue, past = call.queue, Past()
    explanation: Explanation = {
        "call": call.id,
        "state": call.state.value,
        "caller": call.caller,
        "dialled": call.dialled,
        "queue": queue.spec.id if queue is not None else "",
        "entered_at_s": call.entered_at if queue is not None else None,
        "offers": [happening[3].offer_id for happening in _decisions(call)],
        "agent": call.agent.id if call.agent is not None else "",
        "story_cut": call.story.dropped,
        "steps_cut": call.path.dropped if call.path is not None else 0,
        "story": [_told(world, happening, past) for happening in _in_order(call)],
        "timers": _timers(call, now),
    }
    if call.state is CallState.WAITING:
        explanation["now"] = _why_waiting(world, call, now)
    return explanation


def explain_agent(world: World, agent_id: str, now: float) -> Explanation | None:
    """Tell why this agent has no call now (or which one); None when nobody has this id."""
    agent = world.agents.get(agent_id)
    if agent is None:
        return None
    queues = []
    for queue_id in agent.spec.queues:
        queue = world.queues.get(queue_id)
        if queue is not None:
            lacking: dict[str, int] = {}
            may_take = 0
            for call in queue.waiting.values():
                why_not = _why_not_this_call(call, agent)
                if why_not:
                    lacking[why_not] = lacking.get(why_not, 0) + 1
                else:
                    may_take += 1
            queues.append(
                {"queue": queue_id, "waiting": len(queue.waiting), "may_take": may_take, "may_not_take": lacking}
            )
    waiting_elsewhere = sum(len(queue.waiting) for queue in world.queues.values() if agent.id not in queue.members)
    return {
        "agent": agent.id,
        "state": agent.state.value,
        "reason": agent.reason,
        "since_at_s": agent.since,
        "in_state_s": now - agent.since,
        "until_at_s": agent.until,
        "phone": agent.device.value,
        "call": agent.call.id if agent.call is not None else (agent.offer.call.id if agent.offer is not None else ""),
        "answer": _why_no_call(world, agent, queues),
        "queues": queues,
        "waiting_in_queues_not_assigned": waiting_elsewhere,
        "story": [
            {"at_s": at, "input": cause, "what": str(what), "detail": str(detail)}
            for at, cause, what, detail in agent.story.happenings
        ],
    }


def _why_no_call(world: World, agent: Agent, queues: list[dict[str, object]]) -> str:
    if agent.call is not None and agent.state is AgentState.TALKING:
        return f"talks in call {agent.call.id}{_afterwards(agent)}"
    if agent.offer is not None and agent.state is AgentState.RESERVED:
        did = "has picked up" if agent.offer.winner is agent else "the phone rings for"
        return f"{did} call {agent.offer.call.id}{_afterwards(agent)}"
    if agent.state is not AgentState.READY:
        return f"{STATE_WORDS[agent.state]}{f' ({agent.reason})' if agent.reason else ''}{_afterwards(agent)}"
    if not agent.phone_free:
        return f"ready, but the phone is {agent.device.value}"
    if world.suspended:
        return f"ready, but no offers are made: {world.suspended}"
    if not queues:
        return "ready, but assigned to no queue"
    if not any(queue["waiting"] for queue in queues):
        return "ready; no call waits in the agent's queues"
    return "ready; of the calls that wait the agent may take none (see may_not_take)"


def _afterwards(agent: Agent) -> str:
    """What the agent has asked to be when this is over."""
    if agent.pending is None:
        return ""
    state, reason = agent.pending
    return f"; afterwards {STATE_WORDS.get(state, state.value)}{f' ({reason})' if reason else ''}"


def _why_not_this_call(call: Call, agent: Agent) -> str:
    if call.held_for is not None and call.held_for is not agent:
        return f"held for {call.held_for.id}"
    return call.requirement().lacking(agent.levels, agent.spec.groups)


def _in_order(call: Call) -> list[Happening]:
    """What queues did and the steps in the menus, as they came: each input has a number of its own."""
    steps = call.path.happenings if call.path is not None else []
    return sorted([*call.story.happenings, *steps], key=itemgetter(1))


def _decisions(call: Call) -> list[Happening]:
    return [happening for happening in call.story.happenings if isinstance(happening[3], Decision)]


def _told(world: World, happening: Happening, past: Past) -> Explanation:
    at, cause, what, detail = happening
    told: Explanation = {"at_s": at, "input": cause, "what": str(what)}
    if isinstance(detail, Decision):
        told["decision"] = _decision(
            world, detail, at, lambda agent: past.why_not(agent, cause) or "idle, later in the order"
        )
    elif isinstance(detail, MenuStepped):
        told["step"] = {
            "node": detail.node,
            "outcome": detail.outcome,
            "key": detail.key,
            "to": detail.to,
            "detail": detail.detail,
        }
    elif detail != "":
        told["detail"] = str(detail)
    return told


def _decision(world: World, decision: Decision, at: float, why_not: Callable[[Agent], str]) -> Explanation:
    queue = world.queues.get(decision.queue)
    strategy = queue.strategy if queue is not None else None
    ordered = [
        {"agent": agent_id, "by": strategy.describe(value, at) if strategy is not None else str(value)}
        for agent_id, value in decision.front
    ]
    told: Explanation = {
        "offer": decision.offer_id,
        "offered_to": list(decision.agent_ids),
        "because": _TRIGGER_WORDS.get(decision.trigger, decision.trigger),
        "requirement": str(decision.requirement),
        "strategy": strategy.name if strategy is not None else "",
        "agents_in_order": ordered,
        "waiting_in_queue": decision.waiting,
        "ruled_out": _ruled_out(world, decision, why_not),
    }
    if decision.key is not None:
        told["call_order"] = _key_words(decision.key, at)
    if decision.next_call is not None:
        told["next_call"] = {"call": decision.next_call[0], "order": _key_words(decision.next_call[1], at)}
    return told


_TRIGGER_WORDS = {
    "agent": "the agent became idle, and of all calls the agent may take this one goes first",
    "call": "the call began to wait, and of all idle agents who may take it this one goes first",
    "join": "one more phone rings for the same offer",
    "relaxed": "the requirement was relaxed, and an idle agent meets it now",
    "resumed": "offers were resumed",
    "offer failed": "the offer before failed",
    "configuration changed": "the configuration changed",
}


def _key_words(key: OrderKey, at: float) -> Explanation:
    tier, minus_points, entered_at, sequence = key
    return {
        "overdue": tier == 0,
        "points": -minus_points,
        "waited_s": at - entered_at,
        "entered_at_s": entered_at,
        "number": sequence,
    }


def _ruled_out(world: World, decision: Decision, why_not: Callable[[Agent], str]) -> list[Explanation]:
    """Who of all agents did not get the offer, grouped by reason.

    ``why_not``: what kept an agent who serves the queue and meets the requirement from it.
    """
    reasons: dict[str, list[str]] = {}
    members = world.queues[decision.queue].members if decision.queue in world.queues else {}
    chosen, requirement = set(decision.agent_ids), decision.requirement
    for agent in members.values():
        if agent.id not in chosen:
            reason = requirement.lacking(agent.levels, agent.spec.groups) or why_not(agent)
            reasons.setdefault(reason, []).append(agent.id)
    told: list[Explanation] = [
        {"reason": reason, "count": len(agents), "agents": agents[:_NAMED]} for reason, agents in reasons.items()
    ]
    # Of all the others, who may be thousands, the first are looked up and the rest counted.
    others = (name for name in world.agents if name not in members and name not in chosen)
    named = list(islice(others, _NAMED))
    if named:
        count = len(world.agents) - len(world.agents.keys() & (members.keys() | chosen))
        told.append({"reason": "queue not assigned", "count": count, "agents": named})
    return sorted(told, key=lambda line: (-cast("int", line["count"]), line["reason"]))


def _why_waiting(world: World, call: Call, now: float) -> Explanation:
    queue = call.queue
    if queue is None:
        return {}
    requirement = call.requirement()
    place = position(call, now) if call.held_for is None else 1
    idle = f"ready, but the call is held for {call.held_for.id}" if call.held_for is not None else "ready"
    if world.suspended:
        idle = "ready, but no offers are made"

    def why_not(agent: Agent) -> str:
        return why_not_now(agent) or idle

    chosen = Decision("", (), "", queue.spec.id, requirement, None, None, len(queue.waiting))
    return {
        "requirement": str(requirement),
        "held_for": call.held_for.id if call.held_for is not None else "",
        "position": place,
        "estimated_wait_s": estimated_wait_s(call, now, viewed=True),
        "order": _key_words(call.order_key(now), now),
        "suspended": world.suspended,
        "no_agent_because": _ruled_out(world, chosen, why_not),
    }


def _timers(call: Call, now: float) -> list[Explanation]:
    timers: list[Timer] = [*call.timers]
    offer: Offer | None = call.offer
    if offer is not None:
        timers += [timer for timer in (offer.lease, offer.step_timer) if timer is not None]
    live = sorted((timer for timer in timers if timer.live), key=lambda timer: timer.at)
    told: list[Explanation] = [
        {"in_s": timer.at - now, "what": _TIMER_WORDS.get(timer.action.__name__, timer.action.__name__)}
        for timer in live
    ]
    if offer is not None:
        told.insert(0, {"in_s": offer.ring_until - now, "what": "the phones stop ringing"})
    return told

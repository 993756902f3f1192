"""A call's stay in a queue: entering with its place, relaxation, sticky hold, messages, overflow, leaving."""

from __future__ import annotations

from math import ceil

from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.changes import condition_words
from acd.core.commands import Announce, ChangeQueue, Overflow
from acd.core.estimates import estimated_wait_s, note_wait, position
from acd.core.events import CallQueued
from acd.core.matching import Matching
from acd.core.queues import Queue
from acd.core.specs import OverflowAction, OverflowActionKind, OverflowCondition, OverflowRule, WaitingMessage
from acd.core.transitions import AgentState, CallState
from acd.core.world import World

__all__ = ["WaitingRoom"]

_MOVES_AT_ONCE = 5
_MOVES_PER_CALL = 100
"""Moves from queue to queue that one call may make, at one instant and in all: rules that send a call round in a circle
stop acting then, and the call waits where it is."""


class WaitingRoom:
    """The stay of calls in the queues of one world."""

    __slots__ = ("_matching", "_world")

    def __init__(self, world: World, matching: Matching) -> None:
        self._world = world
        self._matching = matching

    def enter(self, call: Call, queue: Queue, event: CallQueued, now: float) -> None:
        """Let the call (in the menus) wait in the queue, unless a join rule sends it elsewhere."""
        call.extra_priority = event.priority
        call.requires = event.requires
        call.customer = event.customer or call.customer
        call.wanted_agent = event.agent
        call.language = event.language or call.language
        call.stays = event.stays
        entered_at = now if event.entered_at is None else min(event.entered_at, now)
        self._enter(call, queue, entered_at, now, returns=event.returns)

    def _enter(self, call: Call, queue: Queue, entered_at: float, now: float, *, returns: bool = False) -> None:
        call.entered_at = entered_at
        call.queue = queue
        call.held_for = None
        call.demand = None
        call.step = _step_reached(call, queue, now)
        call.change(CallState.WAITING, now, self._world.cause, queue.spec.id)
        if not returns:
            queue.arrivals.note(call.extra_priority, now)
        if queue.retired:
            closing = OverflowAction(OverflowActionKind.CLOSING, "")
            self._go(call, closing, f"queue {queue.spec.id} is no longer configured", now)
            return
        if self._turn_away_if_due(call, queue, now, returns=returns) or self._overflow_if_due(call, now):
            return
        self._arm(call, queue, now)
        call.held_for = self._sticky_agent(call, queue, now)
        self._matching.place_call(call, now)
        rules = queue.spec.overflow
        if rules and call.state is CallState.WAITING and any(_may_hold_later(rule.when) for rule in rules):
            self.recheck(queue, now)

    def leave(self, call: Call) -> None:
        """End the stay (the state is changed by the caller of this): out of the line, no more deadlines."""
        if call.state is CallState.WAITING:
            self._matching.withdraw_call(call)
        self._disarm(call)

    def lift(self, call: Call) -> None:
        """Take a call in the queue out of its line and off its deadlines for a moment; its state stays."""
        held_for = call.held_for
        if call.state is CallState.WAITING:
            self._matching.withdraw_call(call)
        self._disarm(call)
        call.held_for = held_for

    def settle(self, call: Call, now: float) -> None:
        """Put a lifted call back, with its time of entry, under its queue's present configuration."""
        queue = call.queue
        if queue is None:
            return
        call.step = _step_reached(call, queue, now)
        self._arm(call, queue, now)
        call.held_for = self._sticky_agent(call, queue, now) if call.held_for is not None else None
        if call.state is CallState.WAITING:
            self._matching.place_call(call, now, "configuration changed")
        else:
            self._matching.rejoin(call, now)

    # Deadlines of a stay.

    def _arm(self, call: Call, queue: Queue, now: float) -> None:
        spec = queue.spec
        if not (spec.relaxation or spec.overflow or spec.messages):
            return
        timers, entered_at = self._world.timers, call.entered_at
        for step in spec.relaxation[call.step :]:
            call.timers += (timers.set(entered_at + step.after_s, self._relax, call),)
        for after_s in sorted({rule.when.waiting_s for rule in spec.overflow if rule.when.waiting_s is not None}):
            if entered_at + after_s > now:
                call.timers += (timers.set(entered_at + after_s, self._overflow_due, call),)
        for number, message in enumerate(spec.messages):
            at = entered_at + message.after_s
            if at < now and message.every_s > 0:
                at += message.every_s * ceil((now - at) / message.every_s)
            if at >= now:  # at once, for those who do wait, when the message comes after 0 seconds
                call.timers += (timers.set(at, self._announce, (call, number)),)

    def _disarm(self, call: Call) -> None:
        for timer in call.timers:
            self._world.timers.cancel(timer)
        call.timers = ()
        call.held_for = None

    def _relax(self, call: Call, now: float) -> None:
        queue = call.queue
        if queue is None:
            return
        call.step = _step_reached(call, queue, now)
        call.story.tell(now, self._world.cause, "relaxed to", call.requirement())
        if call.state is CallState.OFFERED:
            self._matching.rejoin(call, now)
        elif call.state is CallState.WAITING and call.held_for is None:
            self._matching.try_again(call, now, "relaxed")

    def _announce(self, due: tuple[Call, int], now: float) -> None:
        call, number = due
        queue = call.queue
        if queue is None or number >= len(queue.spec.messages):
            return
        message: WaitingMessage = queue.spec.messages[number]
        if call.state is CallState.WAITING:
            place = position(call, now) if call.held_for is None else 1
            estimate = estimated_wait_s(call, now)
            self._world.out.append(Announce(self._world.cause, call.id, message.kind, place, estimate, message.prompt))
        if message.every_s > 0:
            again = self._world.timers.set(now + message.every_s, self._announce, (call, number))
            call.timers = (*[timer for timer in call.timers if timer.live], again)

    # Sticky agent.

    def _sticky_agent(self, call: Call, queue: Queue, now: float) -> Agent | None:
        spec = queue.spec.sticky
        if spec.hold_s <= 0:
            return None
        wanted = call.wanted_agent or self._world.last_agent.get(call.customer, "")
        agent = self._world.agents.get(wanted)
        until = call.entered_at + spec.hold_s
        if agent is None or agent.id not in queue.members or now >= until:
            return None
        if not call.requirement().met_by(agent.levels, agent.spec.groups):
            return None
        if not self._worth_holding(agent, queue, now):
            return None
        call.story.tell(now, self._world.cause, "held for", agent.id)
        call.timers += (self._world.timers.set(until, self._release, call),)
        return agent

    @staticmethod
    def _worth_holding(agent: Agent, queue: Queue, now: float) -> bool:
        spec = queue.spec.sticky
        if agent.is_idle:
            return True
        if agent.pending is not None or agent.retired:
            return False  # will take no further call
        if agent.state is AgentState.WRAP_UP and agent.until is not None:
            return agent.until - now <= spec.wait_for_wrap_up_s
        return spec.wait_while_busy and agent.state in (AgentState.TALKING, AgentState.RESERVED)

    def _release(self, call: Call, now: float) -> None:
        if call.held_for is None:
            return
        if call.state is CallState.WAITING:
            self._matching.release(call, now)
        else:
            call.held_for = None

    def release_held_by(self, agent: Agent, now: float) -> None:
        """Let the calls that wait for this agent alone go to anyone: the agent went away."""
        for call in list(agent.personal.values()):
            self._release(call, now)

    # Overflow.

    def _turn_away_if_due(self, call: Call, queue: Queue, now: float, *, returns: bool) -> bool:
        """Ask the join rules; of one who returns from where such a rule led, those that have not acted yet."""
        if returns and not call.turned_away:
            return False
        acted = call.overflowed if returns and call.overflowed else ()
        for number, rule in enumerate(queue.spec.join):
            place = -1 - number
            if (queue.spec.id, place) in acted or not self._may_act(rule, call, queue, now):
                continue
            if self.holds(rule.when, call, queue, now):
                call.turned_away = True
                self._overflow(call, rule, place, "join rule", now)
                return True
        call.turned_away = False
        return False

    def _overflow_due(self, call: Call, now: float) -> None:
        if call.state is CallState.WAITING:
            self._overflow_if_due(call, now)

    def back_in_line(self, call: Call, now: float) -> None:
        """Ask the rules of a call whose phones have stopped ringing: a deadline may have passed meanwhile."""
        if call.queue is not None and call.queue.spec.overflow:
            self._overflow_due(call, now)

    def recheck(self, queue: Queue, now: float) -> None:
        """Look at the overflow rules of all who wait, newest first: staff or hours have changed."""
        if not queue.spec.overflow or not queue.waiting:
            return
        for call in sorted(queue.waiting.values(), key=lambda call: -call.sequence):
            if call.state is CallState.WAITING and call.queue is queue:
                self._overflow_if_due(call, now)

    def _overflow_if_due(self, call: Call, now: float) -> bool:
        queue = call.queue
        if queue is None:
            return False
        for number, rule in enumerate(queue.spec.overflow):
            used = call.overflowed is not None and (queue.spec.id, number) in call.overflowed
            if used and not rule.repeat:
                continue
            if self._may_act(rule, call, queue, now) and self.holds(rule.when, call, queue, now):
                self._overflow(call, rule, number, "overflow rule", now)
                return True
        return False

    def holds(self, when: OverflowCondition, call: Call, queue: Queue, now: float) -> bool:
        """Tell whether every part of the condition holds for the call in the queue now.

        What is about waiting never holds for a call that an idle agent may take: it comes, and will not wait here.
        """
        if when.waiting_s is not None and now < call.entered_at + when.waiting_s:  # as its deadline is computed
            return False
        if when.out_of_hours and queue.is_open:
            return False
        counted = len(queue.waiting) + (0 if call.id in queue.waiting else 1)
        if when.calls_waiting is not None and counted < when.calls_waiting:
            return False
        if not self._staff_allows(when, call, queue, counted, now):
            return False
        about_waiting = when.waiting_s is not None or when.counts_calls
        return not (about_waiting and self._matching.could_be_offered(call))

    @staticmethod
    def _staff_allows(when: OverflowCondition, call: Call, queue: Queue, counted: int, now: float) -> bool:
        if when.estimated_wait_s is not None:
            estimate = estimated_wait_s(call, now)
            if estimate is None or estimate < when.estimated_wait_s:
                return False
        members = queue.members.values()
        if when.nobody_logged_in and any(agent.is_logged_in for agent in members):
            return False
        if when.nobody_ready and any(agent.is_working for agent in members):
            return False
        if when.calls_per_ready_agent is not None:
            working = sum(1 for agent in members if agent.is_working)
            return working == 0 or counted / working >= when.calls_per_ready_agent
        return True

    def _overflow(self, call: Call, rule: OverflowRule, number: int, why: str, now: float) -> None:
        queue = call.queue
        if queue is None:
            return
        if call.overflowed is None:
            call.overflowed = set()
        call.overflowed.add((queue.spec.id, number))
        reason = f"{why} {abs(number) if number < 0 else number + 1} of queue {queue.spec.id}"
        if rule.when.out_of_hours and queue.hours_why:
            reason += f" ({queue.hours_why})"
        self._go(call, rule.then, reason, now, f", when {condition_words(rule.when)}")

    def _go(self, call: Call, action: OverflowAction, reason: str, now: float, when: str = "") -> None:
        world = self._world
        if call.queue is not None:
            note_wait(call.queue, now - call.entered_at, hung_up=False)
        self.leave(call)
        entered_at = call.entered_at
        call.story.tell(now, world.cause, "overflow", f"{reason}{when}: {action.kind} {action.target}".rstrip())
        call.change(CallState.MENU, now, world.cause)
        target = world.queues.get(action.target) if action.kind is OverflowActionKind.QUEUE else None
        if target is not None:
            call.moves_at_once = call.moves_at_once + 1 if call.moved_at == now else 1
            call.moved_at = now
            call.moves += 1
            entered_at = entered_at if action.keep_wait else now
            world.out.append(ChangeQueue(world.cause, call.id, target.spec.id, entered_at, reason))
            self._enter(call, target, entered_at, now)
            return
        if action.kind is OverflowActionKind.QUEUE:
            action = OverflowAction(OverflowActionKind.CLOSING, "")
        world.out.append(Overflow(world.cause, call.id, action, reason))

    @staticmethod
    def _may_act(rule: OverflowRule, call: Call, queue: Queue, now: float) -> bool:
        if call.stays:
            return False
        if rule.then.kind is not OverflowActionKind.QUEUE:
            return True
        circling = call.moved_at == now and call.moves_at_once >= _MOVES_AT_ONCE
        return rule.then.target != queue.spec.id and not circling and call.moves < _MOVES_PER_CALL


def _may_hold_later(when: OverflowCondition) -> bool:
    """Whether one more call in the queue can make the condition hold for those who have waited long enough."""
    return when.waiting_s is not None and when.counts_calls


def _step_reached(call: Call, queue: Queue, now: float) -> int:
    """How many relaxation steps a call has behind it by its time of entry."""
    return sum(1 for step in queue.spec.relaxation if call.entered_at + step.after_s <= now)

"""An agent's states: logging in and out, ready and not, wrap-up, back-off; global, never per queue."""

from __future__ import annotations

from collections.abc import Callable

from acd.core.agents import Agent
from acd.core.estimates import note_handling
from acd.core.events import DeviceState, LegFailure
from acd.core.matching import Matching
from acd.core.specs import WrapUpMode
from acd.core.transitions import AgentState
from acd.core.waiting_room import WaitingRoom
from acd.core.world import World

__all__ = ["AgentDesk"]

MISSED_CALLS = "missed-calls"
"""Not-ready reason of an agent who missed too many calls in a row."""
LOGIN_LIMIT = "login-limit"
NOT_CONFIGURED = "no longer configured"


class AgentDesk:
    """Agents' states in one world."""

    __slots__ = ("_matching", "_on_gone", "_room", "_world")

    def __init__(self, world: World, matching: Matching, room: WaitingRoom) -> None:
        self._world = world
        self._matching = matching
        self._room = room
        self._on_gone: Callable[[Agent, float], None] = _nothing

    def when_gone(self, callback: Callable[[Agent, float], None]) -> None:
        """Call this when an agent who left the configuration has no call any more."""
        self._on_gone = callback

    # What the agent asks for.

    def log_in(self, agent: Agent, now: float, *, ready: bool, reason: str) -> None:
        """Log in. Of an agent who is logged in already, only being ready is taken note of."""
        if agent.state is not AgentState.LOGGED_OUT:
            if ready:
                self.ready(agent, now)
            return
        agent.logged_in_at = now
        if agent.spec.max_login_s > 0:
            agent.login_timer = self._world.timers.set(now + agent.spec.max_login_s, self._login_over, agent)
        agent.missed_in_row = 0
        if ready:
            self._become_ready(agent, now, fresh=True)
        else:
            self._world.change_agent(agent, AgentState.NOT_READY, now, reason)
        self._staff_changed(agent, now)

    def log_out(self, agent: Agent, now: float, reason: str = "") -> None:
        """Log out now, or when the present call is over. A ringing phone must be cancelled before."""
        if agent.state is AgentState.TALKING:
            agent.story.tell(now, self._world.cause, "will log out after the call")
            self._go_later(agent, AgentState.LOGGED_OUT, reason, now)
        elif agent.state is not AgentState.LOGGED_OUT:
            self._go(agent, AgentState.LOGGED_OUT, reason, now)

    def ready(self, agent: Agent, now: float) -> None:
        """Want calls: ends not-ready, back-off and a capped wrap-up; during a call it withdraws what was asked for."""
        agent.pending = None
        agent.missed_in_row = 0
        if agent.state is AgentState.LOGGED_OUT:
            self.log_in(agent, now, ready=True, reason="")
        elif agent.state is AgentState.WRAP_UP:
            self.wrap_up_done(agent, now)
        elif agent.state in (AgentState.NOT_READY, AgentState.BACK_OFF):
            was_working = agent.is_working
            self._become_ready(agent, now, fresh=agent.state is AgentState.NOT_READY)
            if not was_working:
                self._staff_changed(agent, now)

    def not_ready(self, agent: Agent, reason: str, now: float) -> None:
        """No calls, now or when the present call and its wrap-up are over. A ringing phone must be cancelled before."""
        if agent.state in (AgentState.TALKING, AgentState.WRAP_UP):
            agent.story.tell(now, self._world.cause, "will be not ready after the call", reason)
            self._go_later(agent, AgentState.NOT_READY, reason, now)
        elif agent.state is not AgentState.LOGGED_OUT:
            self._go(agent, AgentState.NOT_READY, reason, now)

    def take_out_of_service(self, agent: Agent, reason: str, now: float) -> None:
        """Not ready at once, whatever the agent was doing; one who is logged out stays so."""
        agent.pending = None
        out_already = agent.state is AgentState.NOT_READY and agent.reason == reason
        if agent.state is not AgentState.LOGGED_OUT and not out_already:
            self._go(agent, AgentState.NOT_READY, reason, now)

    def wrap_up_done(self, agent: Agent, now: float) -> None:
        """End after-call work early, where the queue lets the agent."""
        if agent.state is not AgentState.WRAP_UP:
            return
        if agent.reason == WrapUpMode.FIXED:
            agent.story.tell(now, self._world.cause, "wrap-up is fixed, cannot be ended early")
            return
        self._wrap_up_over(agent, now)

    def extend_wrap_up(self, agent: Agent, now: float) -> None:
        """Grant the one extension of after-call work, where the queue has one."""
        queue = agent.call.queue if agent.call is not None else None
        extension_s = agent.wrap_up_extension_s
        if agent.state is not AgentState.WRAP_UP or agent.until is None or agent.wrap_up_extended or extension_s <= 0:
            agent.story.tell(now, self._world.cause, "no extension of wrap-up", "" if queue is None else queue.spec.id)
            return
        agent.wrap_up_extended = True
        agent.until += extension_s
        self._world.timers.cancel(agent.state_timer)
        agent.state_timer = self._world.timers.set(agent.until, self._wrap_up_over, agent)
        agent.story.tell(now, self._world.cause, "wrap-up extended by", extension_s)
        self._world.tell_agent(agent)

    # What happens to the agent.

    def device_changed(self, agent: Agent, state: DeviceState, now: float) -> None:
        """Take note of the phone's state. It can veto an idle agent, never free one whom we hold reserved."""
        if agent.device is state:
            return
        agent.device = state
        agent.story.tell(now, self._world.cause, "phone", state)
        if agent.state is not AgentState.READY:
            return
        if agent.phone_free:
            self._matching.place_agent(agent, now)
        else:
            self._matching.withdraw_agent(agent)
            self._room.release_held_by(agent, now)

    def offer_failed(self, agent: Agent, failure: LegFailure, now: float) -> None:
        """The agent's phone did not take the call."""
        back_off = self._world.routing.back_off
        queue = agent.offer.call.queue if agent.offer is not None else None
        agent.offer = None
        if agent.pending is not None:
            state, reason = agent.pending
            agent.pending = None
            self._go(agent, state, reason, now)
            return
        if failure is LegFailure.CANCELLED:
            self._become_ready(agent, now, fresh=False)
            return
        if self._world.routing.missed_resets_idle and queue is not None:
            agent.restart_idle(queue.spec.id, now)
        seconds = back_off.rejected_s
        if failure is LegFailure.MISSED:
            seconds = back_off.missed_s
            agent.missed_in_row += 1
            if back_off.missed_in_row_limit and agent.missed_in_row >= back_off.missed_in_row_limit:
                agent.missed_in_row = 0
                self._go(agent, AgentState.NOT_READY, MISSED_CALLS, now)
                return
        elif failure is LegFailure.UNREACHABLE:
            seconds = back_off.unreachable_s
        if seconds <= 0:
            self._become_ready(agent, now, fresh=False)
            return
        self._world.change_agent(agent, AgentState.BACK_OFF, now, failure.value, now + seconds)
        agent.state_timer = self._world.timers.set(now + seconds, self._back_off_over, agent)
        self._room.release_held_by(agent, now)

    def call_over(self, agent: Agent, now: float) -> None:
        """The talk has ended, whoever ended it: wrap-up, or what was asked for, or ready."""
        call = agent.call
        queue = call.queue if call is not None else None
        agent.call = None
        agent.missed_in_row = 0
        agent.wrap_up_extended = False
        agent.wrap_up_extension_s = 0.0
        talk_s = now - agent.since
        if queue is not None:
            agent.call_counted = talk_s >= self._world.routing.short_call_s
            if agent.call_counted:
                agent.count_call(queue.spec.id, talk_s, now)
                agent.idle_since = now
            wrap_up = queue.spec.wrap_up
            queue.handled += 1
            if agent.pending is not None and agent.pending[0] is AgentState.LOGGED_OUT:
                self._pending_or_ready(agent, now)
                return
            if wrap_up.mode is WrapUpMode.UNTIL_DONE and not agent.retired:  # whose word for it would not be heard
                self._world.change_agent(agent, AgentState.WRAP_UP, now, wrap_up.mode)
                return
            if wrap_up.mode is not WrapUpMode.UNTIL_DONE and wrap_up.seconds > 0:
                agent.wrap_up_extension_s = wrap_up.extension_s
                until = now + wrap_up.seconds
                self._world.change_agent(agent, AgentState.WRAP_UP, now, wrap_up.mode, until)
                agent.state_timer = self._world.timers.set(until, self._wrap_up_over, agent)
                return
        self._pending_or_ready(agent, now)

    # Ends of states.

    def _wrap_up_over(self, agent: Agent, now: float) -> None:
        if agent.state is AgentState.WRAP_UP:
            if agent.call_counted:
                agent.idle_since = now  # idle time begins when the work after the call is done
            self._pending_or_ready(agent, now)

    def _back_off_over(self, agent: Agent, now: float) -> None:
        if agent.state is AgentState.BACK_OFF:
            self._become_ready(agent, now, fresh=False)

    def _login_over(self, agent: Agent, now: float) -> None:
        agent.story.tell(now, self._world.cause, LOGIN_LIMIT)
        if agent.state in (AgentState.TALKING, AgentState.RESERVED):
            self._go_later(agent, AgentState.LOGGED_OUT, LOGIN_LIMIT, now)
        elif agent.state is not AgentState.LOGGED_OUT:
            self._go(agent, AgentState.LOGGED_OUT, LOGIN_LIMIT, now)

    def _go_later(self, agent: Agent, state: AgentState, reason: str, now: float) -> None:
        """Go to that state after the call: nobody waits for an agent who is about to leave."""
        agent.pending = (state, reason)
        self._room.release_held_by(agent, now)

    def _pending_or_ready(self, agent: Agent, now: float) -> None:
        if agent.pending is not None:
            state, reason = agent.pending
            agent.pending = None
            self._go(agent, state, reason, now)
        elif agent.retired:
            self._go(agent, AgentState.LOGGED_OUT, NOT_CONFIGURED, now)
        else:
            self._become_ready(agent, now, fresh=False)

    def _become_ready(self, agent: Agent, now: float, *, fresh: bool) -> None:
        if agent.retired:
            self._go(agent, AgentState.LOGGED_OUT, NOT_CONFIGURED, now)
            return
        if fresh:
            agent.idle_since = now
        self._note_work_done(agent, now)
        self._world.change_agent(agent, AgentState.READY, now)
        self._matching.place_agent(agent, now)

    def _go(self, agent: Agent, state: AgentState, reason: str, now: float) -> None:
        self._matching.withdraw_agent(agent)
        self._note_work_done(agent, now)
        self._world.change_agent(agent, state, now, reason)
        if state is AgentState.LOGGED_OUT:
            agent.logged_in_at = None
            self._world.timers.cancel(agent.login_timer)
            agent.login_timer = None
        self._room.release_held_by(agent, now)
        if agent.retired and state is AgentState.LOGGED_OUT:
            self._on_gone(agent, now)
        self._staff_changed(agent, now)

    @staticmethod
    def _note_work_done(agent: Agent, now: float) -> None:
        if agent.worked_for is not None:
            note_handling(agent.worked_for, now - agent.working_since)
            agent.worked_for = None

    def _staff_changed(self, agent: Agent, now: float) -> None:
        for queue_id in agent.spec.queues:
            queue = self._world.queues.get(queue_id)
            if queue is not None and queue.spec.overflow and queue.waiting:
                self._room.recheck(queue, now)


def _nothing(agent: Agent, now: float) -> None:
    """Nobody asked to be told."""

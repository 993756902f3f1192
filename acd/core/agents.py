"""An agent: one state for all queues, what he or she can take, and the counts that strategies ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from acd.core.events import DeviceState
from acd.core.specs import AgentSpec, CountScope
from acd.core.stories import Story
from acd.core.timers import Timer
from acd.core.transitions import AGENT_TRANSITIONS, AgentState, IllegalTransition

if TYPE_CHECKING:
    from acd.core.calls import Call
    from acd.core.offers import Offer
    from acd.core.queues import Demand, Queue

__all__ = ["Agent", "QueueCounts"]

_STORY_LIMIT = 16


class QueueCounts:
    """What an agent did, over all queues or in one: calls, talk time (seconds), end of the last call."""

    __slots__ = ("calls", "last_end", "talk_s")

    def __init__(self) -> None:
        self.calls = 0
        self.talk_s = 0.0
        self.last_end = float("-inf")


class Agent:
    """One agent as the engine sees him or her (implements ``routing.candidate.Candidate``)."""

    __slots__ = (
        "_order",
        "call",
        "call_counted",
        "count_scope",
        "counts",
        "demands",
        "device",
        "id",
        "idle_scope",
        "idle_since",
        "idle_stamp",
        "index",
        "is_idle",
        "levels",
        "logged_in_at",
        "login_timer",
        "missed_in_row",
        "offer",
        "pending",
        "per_queue",
        "personal",
        "reason",
        "retired",
        "since",
        "spec",
        "state",
        "state_timer",
        "story",
        "until",
        "weight",
        "worked_for",
        "working_since",
        "wrap_up_extended",
        "wrap_up_extension_s",
    )

    def __init__(
        self, index: int, spec: AgentSpec, now: float, idle_scope: CountScope, count_scope: CountScope
    ) -> None:
        self.index = index
        self.id = spec.id
        self.idle_scope = idle_scope
        self.count_scope = count_scope
        self.state = AgentState.LOGGED_OUT
        self.reason = ""
        self.since = now
        self.until: float | None = None
        self.device = DeviceState.UNKNOWN
        self.pending: tuple[AgentState, str] | None = None
        """State asked for during a call: taken when the call and its wrap-up are over."""
        self.is_idle = False
        """Indexed as idle: ready, phone free, no offer."""
        self.idle_stamp = 0
        self.idle_since = now
        self.missed_in_row = 0
        self.offer: Offer | None = None
        self.call: Call | None = None
        self.call_counted = False
        """Whether the last call was long enough to count."""
        self.worked_for: Queue | None = None
        """The queue of the present or last call, until its handling is over; ``working_since``: when that began."""
        self.working_since = now
        self.demands: list[Demand] = []
        """Everything the agent may take, one entry per queue and requirement seen so far."""
        self.personal: dict[str, Call] = {}
        """Calls that wait for this agent alone (sticky), by call id."""
        self.state_timer: Timer | None = None
        self.login_timer: Timer | None = None
        self.logged_in_at: float | None = None
        self.wrap_up_extended = False
        self.wrap_up_extension_s = 0.0
        self.counts = QueueCounts()
        self.per_queue: dict[str, QueueCounts] | None = None
        self.retired = False
        """No longer in the configuration: leaves when the present call is over."""
        self.story = Story(_STORY_LIMIT)
        self.take_spec(spec)

    def take_spec(self, spec: AgentSpec) -> None:
        """Use this configuration from now on (demands are rebuilt by whoever changes it)."""
        self.spec = spec
        self.levels: Mapping[str, int] = spec.skills
        self.weight = spec.weight
        self._order = spec.queues

    # What strategies ask.

    def order_in(self, queue: str) -> int:
        """Place in the queue's hunt order, 0 first."""
        return self._order.get(queue, 1 << 30)

    def idle_since_for(self, queue: str) -> float:
        """Since when idle; per queue: no earlier than the end of the last call from it."""
        if self.idle_scope is CountScope.GLOBAL:
            return self.idle_since
        return self._counts_in(queue).last_end

    def calls_for(self, queue: str) -> int:
        """Calls since the last reset."""
        return self.counts.calls if self.count_scope is CountScope.GLOBAL else self._counts_in(queue).calls

    def talk_s_for(self, queue: str) -> float:
        """Talk time since the last reset (seconds)."""
        return self.counts.talk_s if self.count_scope is CountScope.GLOBAL else self._counts_in(queue).talk_s

    # What the engine does.

    @property
    def phone_free(self) -> bool:
        """Whether the phone, as far as Asterisk has told, could ring. Unknown counts as free: it can only veto."""
        return self.device is DeviceState.NOT_INUSE or self.device is DeviceState.UNKNOWN

    @property
    def is_logged_in(self) -> bool:
        """Whether the agent is there at all."""
        return self.state is not AgentState.LOGGED_OUT

    @property
    def is_working(self) -> bool:
        """Logged in and on calls or ready for them: what staffing means by a position manned."""
        return self.state is not AgentState.LOGGED_OUT and self.state is not AgentState.NOT_READY

    def change(self, state: AgentState, now: float, cause: int, reason: str = "", until: float | None = None) -> None:
        """Go to another state. Raises IllegalTransition when the table does not allow it."""
        if state not in AGENT_TRANSITIONS[self.state]:
            raise IllegalTransition(f"agent {self.id}", self.state, state, self.story.lines())
        self.state = state
        self.reason = reason
        self.since = now
        self.until = until
        self.story.tell(now, cause, state, reason)

    def count_call(self, queue: str, talk_s: float, now: float) -> None:
        """Count a finished call."""
        both = self.counts, self._counts_to_change(queue)
        for counts in both:
            counts.calls += 1
            counts.talk_s += talk_s
            counts.last_end = now

    def restart_idle(self, queue: str, now: float) -> None:
        """Count idle time anew from now on, as after a call of the queue."""
        self.idle_since = now
        self._counts_to_change(queue).last_end = now

    def reset_counts(self) -> None:
        """Forget counts and talk times (daily reset); idle time stays."""
        for counts in (self.counts, *(self.per_queue or {}).values()):
            counts.calls = 0
            counts.talk_s = 0.0

    def _counts_in(self, queue: str) -> QueueCounts:
        return (self.per_queue or {}).get(queue, _NO_COUNTS)

    def _counts_to_change(self, queue: str) -> QueueCounts:
        if self.per_queue is None:
            self.per_queue = {}
        return self.per_queue.setdefault(queue, QueueCounts())

    def __repr__(self) -> str:
        return f"<agent {self.id} {self.state}>"


_NO_COUNTS = QueueCounts()

"""What a simulation measured, each figure with its definition.

Only *measured* calls count: those that arrive after the warm-up. A call counts for the queue that it entered first,
whatever overflow rules did to it later. Its wait runs from entering that queue to being connected with an agent
(ringing included) or to hanging up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from acd.core.transitions import AgentState

__all__ = ["AgentTimes", "QueueFigures", "QueueTally"]

_BUSY = frozenset({AgentState.RESERVED.value, AgentState.TALKING.value, AgentState.WRAP_UP.value})
_UNSTAFFED = frozenset({AgentState.LOGGED_OUT.value, AgentState.NOT_READY.value})


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """One queue's figures. Times in seconds; shares from 0 to 1; None where nothing was there to be measured.

    - ``offered``: calls that entered the queue. ``offered = answered + abandoned + overflowed + unfinished``.
    - ``answered``: connected with an agent. ``abandoned``: hung up before (while ringing, too).
      ``overflowed``: left for something that is not a queue. ``unfinished``: still waiting when the simulation ended.
    - ``blocked``: found all lines busy and never entered; not in ``offered``.
    - ``asa_s``: average speed of answer, the mean wait of the answered calls: sum of their waits / answered.
    - ``mean_wait_s``: sum of all waits / (answered + abandoned + overflowed).
    - ``p_wait``: share of calls that waited longer than 0: calls with a wait > 0 / offered.
    - ``service_level``: answered within the threshold / offered. An abandoned call counts as offered and not as
      answered, however early it hung up; ``abandoned_within_threshold`` allows for the other definitions.
    - ``occupancy``: time that the queue's agents were busy (ringing, talking, wrap-up; for whatever queue) / time that
      they were staffed (logged in and not not-ready), both from the first to the last measured arrival.
    - ``max_wait_s``: the longest wait of all.
    """

    offered: int
    answered: int
    abandoned: int
    overflowed: int
    unfinished: int
    blocked: int
    abandoned_within_threshold: int
    asa_s: float | None
    mean_wait_s: float | None
    p_wait: float | None
    service_level: float | None
    service_level_threshold_s: float
    occupancy: float | None
    max_wait_s: float


@dataclass(slots=True)
class QueueTally:
    """Running sums of one queue's figures."""

    threshold_s: float
    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    overflowed: int = 0
    unfinished: int = 0
    blocked: int = 0
    waited: int = 0
    in_time: int = 0
    abandoned_in_time: int = 0
    answered_wait_s: float = 0.0
    other_wait_s: float = 0.0
    max_wait_s: float = 0.0

    def note_answered(self, wait_s: float) -> None:
        """Count a call that was connected after ``wait_s``."""
        self.answered += 1
        self.answered_wait_s += wait_s
        if wait_s <= self.threshold_s:
            self.in_time += 1
        self._note_wait(wait_s)

    def note_abandoned(self, wait_s: float) -> None:
        """Count a call that hung up after ``wait_s``."""
        self.abandoned += 1
        self.other_wait_s += wait_s
        if wait_s <= self.threshold_s:
            self.abandoned_in_time += 1
        self._note_wait(wait_s)

    def note_overflowed(self, wait_s: float) -> None:
        """Count a call that left for something that is not a queue after ``wait_s``."""
        self.overflowed += 1
        self.other_wait_s += wait_s
        self._note_wait(wait_s)

    def note_unfinished(self, wait_s: float) -> None:
        """Count a call that still waits, since ``wait_s``."""
        self.unfinished += 1
        self._note_wait(wait_s)

    def _note_wait(self, wait_s: float) -> None:
        if wait_s > 0.0:
            self.waited += 1
            self.max_wait_s = max(self.max_wait_s, wait_s)

    def figures(self, occupancy: float | None) -> QueueFigures:
        """Work out the figures."""
        finished = self.answered + self.abandoned + self.overflowed
        return QueueFigures(
            offered=self.offered,
            answered=self.answered,
            abandoned=self.abandoned,
            overflowed=self.overflowed,
            unfinished=self.unfinished,
            blocked=self.blocked,
            abandoned_within_threshold=self.abandoned_in_time,
            asa_s=self.answered_wait_s / self.answered if self.answered else None,
            mean_wait_s=(self.answered_wait_s + self.other_wait_s) / finished if finished else None,
            p_wait=self.waited / self.offered if self.offered else None,
            service_level=self.in_time / self.offered if self.offered else None,
            service_level_threshold_s=self.threshold_s,
            occupancy=occupancy,
            max_wait_s=self.max_wait_s,
        )


@dataclass(slots=True)
class _Clock:
    state: str
    since: float
    busy_s: float = 0.0
    staffed_s: float = 0.0


@dataclass(slots=True)
class AgentTimes:
    """How long each agent was busy and staffed within the measured window."""

    _clocks: dict[str, _Clock] = field(default_factory=dict)
    _closed: bool = False

    def change(self, agent_id: str, state: str, now: float) -> None:
        """Note that the agent is in ``state`` from ``now`` on."""
        clock = self._clocks.get(agent_id)
        if clock is None:
            self._clocks[agent_id] = _Clock(state, now)
            return
        if not self._closed:
            self._run(clock, now)
        clock.state = state

    def begin(self, now: float) -> None:
        """Begin the window: what was before does not count."""
        for clock in self._clocks.values():
            clock.busy_s = clock.staffed_s = 0.0
            clock.since = now

    def end(self, now: float) -> None:
        """End the window: what comes does not count."""
        if not self._closed:
            for clock in self._clocks.values():
                self._run(clock, now)
            self._closed = True

    def occupancy(self, agent_ids: Iterable[str]) -> float | None:
        """Busy time over staffed time of these agents; None when none was staffed."""
        clocks = [self._clocks[agent_id] for agent_id in agent_ids if agent_id in self._clocks]
        staffed_s = sum(clock.staffed_s for clock in clocks)
        return sum(clock.busy_s for clock in clocks) / staffed_s if staffed_s > 0 else None

    @staticmethod
    def _run(clock: _Clock, now: float) -> None:
        state = clock.state
        if state in _BUSY:
            clock.busy_s += now - clock.since
            clock.staffed_s += now - clock.since
        elif state not in _UNSTAFFED:
            clock.staffed_s += now - clock.since
        clock.since = now

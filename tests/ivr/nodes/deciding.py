"""Tools of a fixed world for nodes that decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ivr.context import CallContext
from ivr.opening import Opening
from ivr.outcome import NodeId
from ivr.record import StepRecord
from ivr.tools import NoClock, Tools
from ivr.visit import Visit
from tests.ivr.builders import call
from tests.ivr.scripted_line import ScriptedLine

MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)


@dataclass(frozen=True)
class FixedCalendars:
    openings: Mapping[str, Opening] = field(default_factory=dict)

    def opening(self, calendar: str) -> Opening | None:
        return self.openings.get(calendar)


@dataclass(frozen=True)
class FixedQueue:
    calls_waiting: int = 0
    estimated_wait_s: float | None = None
    ready_agents: int = 0
    nobody_ready: bool = False
    nobody_logged_in: bool = False
    is_open: bool = True


@dataclass(frozen=True)
class FixedQueues:
    queues: Mapping[str, FixedQueue] = field(default_factory=dict)

    def queue_state(self, queue: str) -> FixedQueue | None:
        return self.queues.get(queue)


def tools(
    now: datetime = MONDAY,
    calendars: Mapping[str, Opening] | None = None,
    queues: Mapping[str, FixedQueue] | None = None,
) -> Tools:
    return Tools(clock=NoClock(now), calendars=FixedCalendars(calendars or {}), queues=FixedQueues(queues or {}))


@dataclass
class Visited:
    """A visit to one node, and its records."""

    context: CallContext = field(default_factory=call)
    tools: Tools = field(default_factory=tools)
    records: list[StepRecord] = field(default_factory=list)

    def visit(self) -> Visit:
        return Visit(
            line=ScriptedLine(),
            call=self.context,
            node=NodeId("main.start"),
            node_type="branch",
            on_step=self.records.append,
            tools=self.tools,
        )

    def problems(self, visit: Visit) -> list[str]:
        """What the visit noted, as `kind subject`."""
        visit.finish("next", None)
        return [f"{problem.kind} {problem.subject}" for problem in self.records[-1].problems]

"""Prometheus metrics: counts and times from the engine's inputs, states read when somebody scrapes.

Names begin with ``acd_``, units are base units, labels are bounded by the configuration: queues, states, results;
never a caller.
"""

from __future__ import annotations

import platform
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from acd.core.commands import CancelOffer, ChangeQueue, Command, FaultFound, OfferCall, Overflow
from acd.core.engine import Engine
from acd.core.events import (
    CallArrived,
    CallEnded,
    CallLeftQueue,
    CallQueued,
    Event,
    LegFailed,
    OfferBridged,
    OfferEnded,
    TalkEnded,
    TalkRestored,
)
from acd.core.transitions import AgentState, CallState
from acd.service.voicemail.message import CALL_PREFIX

__all__ = ["Metrics", "TimedEngine", "counter", "engine_state", "gauge"]

_WAIT_BUCKETS_S = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200)
_LAG_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_HANDLE_BUCKETS_S = (0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1)


class TimedEngine:
    """An engine whose ``handle`` is timed (implements ``engine_host.HostedEngine``)."""

    def __init__(self, engine: Engine, histogram: Histogram) -> None:
        self._engine = engine
        self._observe = histogram.observe

    def handle(self, event: Event, now: float) -> Sequence[Command]:
        """Handle, and note how long it took."""
        started_s = time.perf_counter()
        commands = self._engine.handle(event, now)
        self._observe(time.perf_counter() - started_s)
        return commands

    def next_deadline(self) -> float | None:
        """See ``Engine``."""
        return self._engine.next_deadline()


@dataclass(slots=True)
class _Course:
    """A call as the counts see it."""

    queue: str = ""
    entered_at: float = 0.0
    line: bool = True
    talking: bool = False
    counted: bool = False
    """Its last stay in a queue has been counted."""


class Metrics:
    """All metrics of one process. ``observe`` is to be given to ``EngineHost.observe``."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        build = Gauge("acd_build_info", "Always 1.", ["version", "python"], registry=self.registry)
        build.labels(version, platform.python_version()).set(1)
        self._calls = Counter("acd_calls", "Calls by what became of them.", ["queue", "result"], registry=self.registry)
        self._offers = Counter(
            "acd_offers", "Offers to agents' phones by result.", ["queue", "result"], registry=self.registry
        )
        self._waits = Histogram(
            "acd_wait_seconds",
            "Time from entering the queue to being connected.",
            ["queue"],
            buckets=_WAIT_BUCKETS_S,
            registry=self.registry,
        )
        self.handle_seconds = Histogram(
            "acd_engine_handle_seconds",
            "Time the engine takes for one input.",
            buckets=_HANDLE_BUCKETS_S,
            registry=self.registry,
        )
        self.loop_lag_seconds = Histogram(
            "acd_event_loop_lag_seconds",
            "How late the event loop wakes a task that sleeps.",
            buckets=_LAG_BUCKETS_S,
            registry=self.registry,
        )
        self.ami_rtt_seconds = Histogram(
            "acd_ami_rtt_seconds",
            "Round trip of a ping on the AMI connection.",
            buckets=_LAG_BUCKETS_S,
            registry=self.registry,
        )
        self._faults = Counter("acd_faults", "Transitions that must not happen.", registry=self.registry)
        self._courses: dict[str, _Course] = {}
        self._live_offers: dict[str, OfferCall] = {}

    def observe(self, sequence: int, event: Event, now: float, commands: Sequence[Command]) -> None:  # noqa: ARG002
        """Count an input and what it led to."""
        match event:
            case CallArrived():
                self._courses.setdefault(event.call_id, _Course(line=event.line))
            case CallQueued():
                course = self._courses.setdefault(event.call_id, _Course())
                course.queue, course.counted, course.talking = event.queue, False, False
                course.entered_at = now if event.entered_at is None else event.entered_at
            case OfferBridged():
                self._bridged(event.offer_id, now)
            case TalkRestored():
                self._courses[event.call_id] = _Course(event.queue, now, talking=True)
            case TalkEnded():
                self._count_call(event.call_id, "served")
            case CallLeftQueue():
                self._left_queue(event.call_id)
            case LegFailed() | OfferEnded():
                self._count_offer(event.offer_id, event.reason.value)
            case CallEnded():
                self._call_ended(event.call_id)
        for command in commands:
            self._observe_command(command)

    def watch(self, state: Callable[[], Iterator[Metric]]) -> None:
        """Let this be asked for more metrics at each scrape."""
        self.registry.register(_Asked(state))

    def _observe_command(self, command: Command) -> None:
        match command:
            case OfferCall():
                self._live_offers[command.offer_id] = command
            case CancelOffer():
                self._count_offer(command.offer_id, "cancelled")
            case ChangeQueue():
                self._count_call(command.call_id, "overflowed")
                course = self._courses.setdefault(command.call_id, _Course())
                course.queue, course.entered_at, course.counted = command.queue, command.entered_at, False
            case Overflow():
                self._count_call(command.call_id, "overflowed")
            case FaultFound():
                self._faults.inc()

    def _bridged(self, offer_id: str, now: float) -> None:
        offer = self._count_offer(offer_id, "answered")
        course = self._courses.get(offer.call_id) if offer is not None else None
        if course is not None and not course.talking:
            course.talking = True
            self._waits.labels(course.queue).observe(max(0.0, now - course.entered_at))

    def _left_queue(self, call_id: str) -> None:
        course = self._courses.get(call_id)
        if course is not None and not course.line:
            course.counted = True  # stepped aside, or to be offered again: neither served nor gone
        self._count_call(call_id, "left")

    def _count_offer(self, offer_id: str, result: str) -> OfferCall | None:
        offer = self._live_offers.pop(offer_id, None)
        if offer is not None:
            self._offers.labels(offer.queue, result).inc()
        return offer

    def _count_call(self, call_id: str, result: str) -> None:
        course = self._courses.get(call_id)
        if course is not None and not course.counted:
            course.counted = True
            self._calls.labels(course.queue, result).inc()

    def _call_ended(self, call_id: str) -> None:
        course = self._courses.get(call_id)
        if course is None:
            return
        if not course.queue:
            self._count_call(call_id, "menu")
        elif call_id.startswith(CALL_PREFIX) and not course.talking:
            self._count_call(call_id, "withdrawn")  # a voicemail message, taken back for a caller: nobody hung up
        else:
            self._count_call(call_id, "served" if course.talking else "abandoned")
        del self._courses[call_id]


def engine_state(engine: Engine) -> Iterator[Metric]:
    """Read the engine's state for a scrape."""
    calls = Tally(call.state for call in engine.calls.values())
    family = GaugeMetricFamily("acd_calls", "Live calls by state.", labels=["state"])
    for state in CallState:
        if state is not CallState.ENDED:
            family.add_metric([state.value], calls[state])
    yield family
    agents = Tally(agent.state for agent in engine.agents.values())
    family = GaugeMetricFamily("acd_agents", "Agents by state.", labels=["state"])
    for agent_state in AgentState:
        family.add_metric([agent_state.value], agents[agent_state])
    yield family
    waiting = GaugeMetricFamily("acd_queue_waiting", "Calls waiting or being offered.", labels=["queue"])
    for queue_id, queue in engine.queues.items():
        waiting.add_metric([queue_id], len(queue.waiting) + queue.offered)
    yield waiting
    yield CounterMetricFamily("acd_stale_events", "Inputs that came too late to matter.", engine.stale_events)


def gauge(name: str, text: str, value: float) -> Metric:
    """Make a gauge without labels."""
    return GaugeMetricFamily(name, text, value)


def counter(name: str, text: str, values: dict[str, int], label: str) -> Metric:
    """Make a counter with one label."""
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


class _Asked(Collector):
    """Asks the owner of a state at each scrape."""

    def __init__(self, state: Callable[[], Iterator[Metric]]) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        return self._state()

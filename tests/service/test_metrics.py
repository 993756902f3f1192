"""Counts and times, from inputs as the engine gets them."""

from __future__ import annotations

import random

import pytest
from prometheus_client import generate_latest

from acd.core.engine import Engine
from acd.core.events import (
    AgentReady,
    CallArrived,
    CallEnded,
    CallLeftQueue,
    CallQueued,
    DeviceChanged,
    DeviceState,
    Event,
    LegAnswered,
    LegFailed,
    LegFailure,
    OfferBridged,
    OfferEnded,
    TalkEnded,
    TalkRestored,
)
from acd.core.specs import AgentSpec, BackOffSpec, QueueSpec, RoutingSpec
from acd.service.metrics import Metrics, TimedEngine, engine_state


class Bench:
    """An engine, its metrics, and a clock that goes on a second with each input."""

    def __init__(self) -> None:
        routing = RoutingSpec(
            {"cards": QueueSpec("cards")},
            {"anna": AgentSpec("anna", phone="PJSIP/anna", queues={"cards": 0})},
            back_off=BackOffSpec(0, 0, 0),
        )
        self.now = 0.0
        self.metrics = Metrics("1.2.3")
        self.engine = Engine(routing, random.Random(1), 0.0, strict=True)
        self.timed = TimedEngine(self.engine, self.metrics.handle_seconds)
        self.metrics.watch(lambda: engine_state(self.engine))
        self.tell(AgentReady("anna"), DeviceChanged("anna", DeviceState.NOT_INUSE))

    def tell(self, *events: Event) -> None:
        for event in events:
            self.now += 1.0
            commands = self.timed.handle(event, self.now)
            self.metrics.observe(self.engine.inputs, event, self.now, commands)

    def value(self, sample: str) -> float:
        text = generate_latest(self.metrics.registry).decode()
        found = [line.rpartition(" ")[2] for line in text.splitlines() if line.rpartition(" ")[0] == sample]
        return float(found[0]) if found else 0.0

    def offer(self, call_id: str) -> str:
        offer = self.engine.calls[call_id].offer
        assert offer is not None
        return offer.id


@pytest.fixture
def bench() -> Bench:
    return Bench()


def calls(result: str, queue: str = "cards") -> str:
    return f'acd_calls_total{{queue="{queue}",result="{result}"}}'


def offers(result: str) -> str:
    return f'acd_offers_total{{queue="cards",result="{result}"}}'


def test_a_served_call(bench: Bench) -> None:
    bench.tell(CallArrived("c1"), CallQueued("c1", "cards"))
    assert bench.value('acd_calls{state="offered"}') == 1
    assert bench.value('acd_queue_waiting{queue="cards"}') == 1
    offer = bench.offer("c1")
    bench.tell(LegAnswered(offer, "anna"), OfferBridged(offer, "anna"))
    assert bench.value('acd_agents{state="talking"}') == 1
    assert bench.value('acd_queue_waiting{queue="cards"}') == 0
    bench.tell(TalkEnded("c1"), CallEnded("c1"))
    assert bench.value(calls("served")) == 1
    assert bench.value(calls("abandoned")) == 0
    assert bench.value(offers("answered")) == 1
    assert bench.value('acd_wait_seconds_count{queue="cards"}') == 1
    assert bench.value('acd_wait_seconds_sum{queue="cards"}') == 2.0
    assert bench.value('acd_calls{state="talking"}') == 0


def test_a_caller_who_hangs_up_while_talking_was_served(bench: Bench) -> None:
    bench.tell(CallArrived("c1"), CallQueued("c1", "cards"))
    offer = bench.offer("c1")
    bench.tell(LegAnswered(offer, "anna"), OfferBridged(offer, "anna"), CallEnded("c1"))
    assert bench.value(calls("served")) == 1


def test_a_caller_who_gives_up_while_ringing_has_abandoned(bench: Bench) -> None:
    bench.tell(CallArrived("c1"), CallQueued("c1", "cards"), CallEnded("c1"))
    assert bench.value(calls("abandoned")) == 1
    assert bench.value('acd_wait_seconds_count{queue="cards"}') == 0


def test_a_call_that_never_left_the_menus(bench: Bench) -> None:
    bench.tell(CallArrived("c1"), CallEnded("c1"))
    assert bench.value(calls("menu", "")) == 1


def test_a_callback_that_steps_aside_is_counted_when_it_comes_to_a_talk(bench: Bench) -> None:
    for _ in range(2):
        bench.tell(CallArrived("b1", line=False), CallQueued("b1", "cards"), CallLeftQueue("b1", "another first"))
        bench.tell(CallEnded("b1"))
    assert "acd_calls_total{" not in generate_latest(bench.metrics.registry).decode()
    bench.tell(CallArrived("b1", line=False), CallQueued("b1", "cards"))
    offer = bench.offer("b1")
    bench.tell(LegAnswered(offer, "anna"), OfferBridged(offer, "anna"), TalkEnded("b1"), CallEnded("b1"))
    assert bench.value(calls("served")) == 1


def test_a_customer_who_was_rung_and_hangs_up_in_the_queue_has_abandoned(bench: Bench) -> None:
    bench.tell(CallArrived("b1", line=False), CallQueued("b1", "cards"), CallLeftQueue("b1", "rung first"))
    bench.tell(CallQueued("b1", "cards"), CallEnded("b1"))
    assert bench.value(calls("abandoned")) == 1
    assert bench.value(calls("left")) == 0


@pytest.mark.parametrize("event", [LegFailed, OfferEnded])
def test_failed_offers_count_once(bench: Bench, event: type) -> None:
    bench.tell(CallArrived("c1"), CallQueued("c1", "cards"))
    offer = bench.offer("c1")
    if event is LegFailed:
        bench.tell(LegFailed(offer, "anna", LegFailure.REJECTED))
    bench.tell(OfferEnded(offer, LegFailure.REJECTED), OfferEnded(offer, LegFailure.MISSED))
    assert bench.value(offers("rejected")) == 1
    assert bench.value(offers("missed")) == 0


def test_a_talk_found_after_a_restart_counts_as_served(bench: Bench) -> None:
    bench.tell(TalkRestored("c1", "anna", "cards", 0.5), TalkEnded("c1"), CallEnded("c1"))
    assert bench.value(calls("served")) == 1


def test_a_place_kept_over_a_restart_counts_from_the_first_entry(bench: Bench) -> None:
    bench.tell(CallArrived("c1"), CallQueued("c1", "cards", entered_at=-100.0))
    offer = bench.offer("c1")
    bench.tell(LegAnswered(offer, "anna"), OfferBridged(offer, "anna"))
    assert bench.value('acd_wait_seconds_sum{queue="cards"}') > 100


def test_the_engine_is_timed_and_the_build_named(bench: Bench) -> None:
    before = bench.value("acd_engine_handle_seconds_count")
    bench.tell(CallArrived("c1"))
    assert bench.value("acd_engine_handle_seconds_count") == before + 1
    text = generate_latest(bench.metrics.registry).decode()
    assert 'acd_build_info{python="' in text
    assert 'version="1.2.3"' in text


def test_names_are_ours_and_labels_bounded(bench: Bench) -> None:
    bench.tell(CallArrived("c1", caller="+4930123456"), CallQueued("c1", "cards"), CallEnded("c1"))
    text = generate_latest(bench.metrics.registry).decode()
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(line.startswith("acd_") for line in samples)
    assert "+4930123456" not in text
    assert "c1" not in text

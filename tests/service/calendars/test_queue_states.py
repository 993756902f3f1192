"""How queues stand, as menus see it, on the engine itself."""

from __future__ import annotations

import random

from acd.core.engine import Engine
from acd.core.events import AgentLoggedIn, AgentReady, CallArrived, CallQueued, HoursChanged
from acd.core.specs import AgentSpec, QueueSpec, RoutingSpec
from acd.service.calendars.queue_states import EngineQueues
from ivr.opening import QueueState

SPEC = RoutingSpec(
    queues={"cards": QueueSpec("cards"), "general": QueueSpec("general")},
    agents={"anna": AgentSpec("anna", phone="PJSIP/anna", queues={"cards": 0}, start="logged-out")},
)


def state(engine: Engine, queue: str = "cards") -> QueueState:
    found = EngineQueues(engine.queues, lambda: 1.0).queue_state(queue)
    assert found is not None
    return found


def test_a_queue_as_it_is() -> None:
    engine = Engine(SPEC, random.Random(1), 0.0)
    before = state(engine)
    assert (before.calls_waiting, before.ready_agents, before.nobody_logged_in, before.nobody_ready) == (
        0,
        0,
        True,
        True,
    )
    assert (before.is_open, before.estimated_wait_s) == (True, None)
    engine.handle(AgentLoggedIn("anna", ready=False), 0.0)
    assert (state(engine).nobody_logged_in, state(engine).nobody_ready) == (False, True)
    engine.handle(CallArrived("c1", "+49301", "100"), 0.0)
    engine.handle(CallQueued("c1", "cards"), 0.0)
    assert state(engine).calls_waiting == 1
    engine.handle(HoursChanged("cards", False, "closed: fire drill"), 0.0)
    assert not state(engine).is_open
    assert state(engine, "general").is_open


def test_an_agent_who_could_take_a_call() -> None:
    engine = Engine(SPEC, random.Random(1), 0.0)
    engine.handle(AgentReady("anna"), 0.0)
    assert (state(engine).ready_agents, state(engine).nobody_ready) == (1, False)
    assert state(engine).estimated_wait_s == 0.0


def test_a_queue_that_is_not_there() -> None:
    assert EngineQueues({}, lambda: 1.0).queue_state("cards") is None
